// report: the ready-made answers.
#include <fmt/format.h>

#include <algorithm>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/event_output.hpp"
#include "tools/docket/event_walk.hpp"
#include "tools/docket/number_output.hpp"
#include "tools/docket/report_plan.hpp"

namespace docket::cli {

namespace {

// The answer to one section, and how it looks.
struct Answered {
  std::string body;
  std::string text;
  std::vector<Gap> gaps;
};

api::Endpoint endpoint_of(ReportPart part) {
  switch (part) {
    case ReportPart::facets:
      return api::Endpoint::facets;
    case ReportPart::histogram:
      return api::Endpoint::histogram;
    case ReportPart::events:
      break;
  }
  return api::Endpoint::search;
}

// Empty where there is nothing.
Result<std::string> text_of(const Context& context, ReportPart part, const std::string& body,
                            const std::string& width) {
  switch (part) {
    case ReportPart::facets: {
      DOCKET_ASSIGN(auto facets, read_facets(body));
      std::erase_if(facets, [](const FacetAnswer& facet) { return facet.values.empty(); });
      return facets_text(facets, context.terminal, context.zone);
    }
    case ReportPart::histogram: {
      DOCKET_ASSIGN(auto buckets, read_histogram(body));
      // A quiet hour tells something; hundreds of them hide the others.
      const auto is_empty = [](const query::HistogramBucket& each) { return each.count == 0; };
      auto empty = static_cast<std::uint64_t>(std::ranges::count_if(buckets, is_empty));
      if (empty > buckets.size() / 2) {
        std::erase_if(buckets, is_empty);
      } else {
        empty = 0;
      }
      if (buckets.empty()) {
        return std::string();
      }
      std::string text = histogram_table(buckets, false, true).text(context.terminal, context.zone);
      if (empty > 0) {
        text += fmt::format("(spans of {}; {} without an event are left out)\n", width,
                            api::readable_count(empty));
      }
      return text;
    }
    case ReportPart::events:
      break;
  }
  DOCKET_ASSIGN(const EventPage page, read_page(body));
  if (page.events.empty()) {
    return std::string();
  }
  std::string text = events_table(page.events).text(context.terminal, context.zone);
  return page.next.empty() ? text : text + "(and older ones)\n";
}

// The section's own, or a wider one where the report covers a long time.
Result<std::string> width_of(const Context& context, Source& source, const ReportScope& scope,
                             const ReportSection& section) {
  Nanos since = scope.since;
  if (since == INT64_MIN) {
    api::Parameters parameters;
    parameters.set("q", query_of(scope, section));
    parameters.set("tz", context.zone.name());
    parameters.set("oldest", "1");
    DOCKET_TRY(walk_events(source, parameters, 1, [&since](const Event& event) {
      since = event.ts;
      return false;
    }));
  }
  // Without an event there are no rows.
  const bool is_empty = since == INT64_MIN || since >= scope.until;
  const std::uint64_t span =
      is_empty ? 0 : static_cast<std::uint64_t>(scope.until) - static_cast<std::uint64_t>(since);
  return std::string(width_for(section.by, span));
}

Result<Answered> answer(const Context& context, Source& source, const ReportScope& scope,
                        const ReportSection& section) {
  api::Parameters parameters;
  parameters.set("q", query_of(scope, section));
  parameters.set("tz", context.zone.name());
  std::string width;
  switch (section.part) {
    case ReportPart::facets:
      parameters.set("by", std::string(section.by));
      parameters.set("top", std::to_string(context.arguments.top));
      break;
    case ReportPart::histogram: {
      DOCKET_ASSIGN(width, width_of(context, source, scope, section));
      parameters.set("every", width);
      break;
    }
    case ReportPart::events:
      parameters.set("limit", std::to_string(context.arguments.top));
      break;
  }
  Answered answered;
  DOCKET_ASSIGN(answered.body,
                source.get(std::string(api::path_of(endpoint_of(section.part))), parameters));
  DOCKET_ASSIGN(answered.gaps, read_gaps(answered.body));
  if (context.arguments.format == Format::table) {
    DOCKET_ASSIGN(answered.text, text_of(context, section.part, answered.body, width));
  }
  return answered;
}

std::string heading(const Context& context, const Report& report, const ReportScope& scope) {
  const auto at = [&](Nanos when) {
    return when == INT64_MIN ? std::string("the first event") : context.zone.format(when);
  };
  const std::string asked = query::terminal_safe(context.arguments.query);
  return fmt::format("{} report: {}\nfrom {} to {} ({})\n{}", report.name, report.description,
                     at(scope.since), at(scope.until), context.zone.name(),
                     asked.empty() ? "" : "of " + asked + "\n");
}

// Begins a JSON object that ends behind its sections.
std::string json_heading(const Context& context, const Report& report, const ReportScope& scope) {
  std::string text = fmt::format("{{\"report\":\"{}\",\"asked\":", report.name);
  query::append_json_string(text, context.arguments.query);
  text += ",\"query\":";
  query::append_json_string(text, scope.query);
  text += ",\"since\":";
  text += scope.since == INT64_MIN ? "null" : "\"" + format_rfc3339(scope.since) + "\"";
  text += ",\"until\":\"" + format_rfc3339(scope.until) + "\",\"sections\":[";
  return text;
}

std::string json_section(const ReportScope& scope, const ReportSection& section,
                         const std::string& body, bool is_first) {
  std::string text = is_first ? "{\"title\":" : ",{\"title\":";
  query::append_json_string(text, section.title);
  text += ",\"query\":";
  query::append_json_string(text, query_of(scope, section));
  return text + ",\"answer\":" + body + "}";
}

}  // namespace

int run_report(Context& context, Source& source) {
  const Report* const report = find_report(context.arguments.report);
  if (report == nullptr) {
    return complain(
        {ErrorCode::invalid_argument, "there is no report " + context.arguments.report, 0, 0, 0});
  }
  const auto scope = scope_of(*report, context.arguments.query, context.zone, now_ns());
  if (!scope) {
    return complain(scope.error());
  }
  const bool as_json = context.arguments.format == Format::json;
  std::string json = json_heading(context, *report, *scope);
  std::vector<Gap> gaps;
  bool is_first = true;
  for (const ReportSection& section : report->sections) {
    const auto answered = answer(context, source, *scope, section);
    if (!answered) {
      context.out.flush();
      return complain(answered.error());
    }
    if (is_first && !as_json) {
      context.out.write(heading(context, *report, *scope));
    }
    gaps.insert(gaps.end(), answered->gaps.begin(), answered->gaps.end());
    if (as_json) {
      json += json_section(*scope, section, answered->body, is_first);
    } else {
      context.out.write(fmt::format("\n== {}\n\n{}", section.title,
                                    answered->text.empty() ? "nothing\n" : answered->text));
    }
    is_first = false;
  }
  merge_gaps(gaps);
  if (as_json) {
    json += "],";
    query::append_json_gaps(json, gaps);
    write_json(context, json + "}");
  } else {
    context.out.write("\nThe question behind it all, to go on from:\ndocket search " +
                      shell_word(scope->query) + "\n");
  }
  return report_gaps(context, gaps);
}

}  // namespace docket::cli
