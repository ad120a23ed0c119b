// count, facets and histogram: numbers taken from events.
#include <fmt/format.h>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/commands.hpp"

namespace docket::cli {

namespace {

// What --top has cut off; empty where it has not.
std::string cut_text(const FacetAnswer& facet) {
  return facet.distinct > facet.values.size()
             ? fmt::format("{} more values, {} in all",
                           api::readable_count(facet.distinct - facet.values.size()),
                           api::readable_count(facet.other))
             : std::string();
}

// A table of its own for each field, with what is not listed below it.
std::string facets_text(const Context& context, const std::vector<FacetAnswer>& facets) {
  std::string out;
  for (const FacetAnswer& facet : facets) {
    Table table({{facet.field}, {"count", Column::Kind::count, true}});
    for (const query::FacetValue& value : facet.values) {
      table.add({value.value, std::to_string(value.count)});
    }
    out += out.empty() ? "" : "\n";
    out += table.text(context.terminal, context.zone);
    const std::string cut = cut_text(facet);
    out += cut.empty() ? "" : fmt::format("({})\n", cut);
  }
  return out;
}

std::string by_text(const std::vector<query::FacetValue>& values) {
  std::string text;
  for (const query::FacetValue& value : values) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", value.value,
                        api::readable_count(value.count));
  }
  return text;
}

Table histogram_table(const std::vector<query::HistogramBucket>& buckets, bool by,
                      bool for_people) {
  std::vector<Column> columns{{"start", Column::Kind::time}};
  if (by) {
    columns.push_back({"by"});
  }
  columns.push_back({"count", Column::Kind::count, true});
  Table table(std::move(columns));
  for (const query::HistogramBucket& bucket : buckets) {
    const std::string start = format_rfc3339(bucket.start);
    const std::string count = std::to_string(bucket.count);
    if (!by) {
      table.add({start, count});
    } else if (for_people) {
      table.add({start, by_text(bucket.by), count});
    } else {
      for (const query::FacetValue& value : bucket.by) {
        table.add({start, value.value, std::to_string(value.count)});
      }
    }
  }
  return table;
}

}  // namespace

int run_count(Context& context, Source& source) {
  const auto body =
      source.get(std::string(api::path_of(api::Endpoint::count)), question_of(context));
  if (!body) {
    return complain(body.error());
  }
  const auto count = read_number(*body, "count");
  const auto gaps = read_gaps(*body);
  if (!count || !gaps) {
    return complain(count ? gaps.error() : count.error());
  }
  if (context.arguments.format == Format::table) {
    context.out.write(fmt::format("{}\n", *count));
  } else {
    Table table({{"count", Column::Kind::count}});
    table.add({std::to_string(*count)});
    write_table(context, table, *body);
  }
  return report_gaps(context, *gaps);
}

int run_facets(Context& context, Source& source) {
  api::Parameters parameters = question_of(context);
  if (!context.arguments.by.empty()) {
    parameters.set("by", context.arguments.by);
  }
  parameters.set("top", std::to_string(context.arguments.top));
  const auto body = source.get(std::string(api::path_of(api::Endpoint::facets)), parameters);
  if (!body) {
    return complain(body.error());
  }
  const auto facets = read_facets(*body);
  const auto gaps = read_gaps(*body);
  if (!facets || !gaps) {
    return complain(facets ? gaps.error() : facets.error());
  }
  if (context.arguments.format == Format::table) {
    context.out.write(facets_text(context, *facets));
  } else {
    Table table({{"field"}, {"value"}, {"count", Column::Kind::count}});
    for (const FacetAnswer& facet : *facets) {
      for (const query::FacetValue& value : facet.values) {
        table.add({facet.field, value.value, std::to_string(value.count)});
      }
    }
    write_table(context, table, *body);
    // JSON has the numbers in it; records have no place for them.
    for (const FacetAnswer& facet : *facets) {
      const std::string cut = context.arguments.format == Format::json ? "" : cut_text(facet);
      if (!cut.empty()) {
        static_cast<void>(
            std::fprintf(stderr, "docket: %s: %s; see --top\n", facet.field.c_str(), cut.c_str()));
      }
    }
  }
  return report_gaps(context, *gaps);
}

int run_histogram(Context& context, Source& source) {
  api::Parameters parameters = question_of(context);
  parameters.set("every", context.arguments.every);
  const bool by = !context.arguments.by.empty();
  if (by) {
    parameters.set("by", context.arguments.by);
  }
  const auto body = source.get(std::string(api::path_of(api::Endpoint::histogram)), parameters);
  if (!body) {
    return complain(body.error());
  }
  const auto buckets = read_histogram(*body);
  const auto gaps = read_gaps(*body);
  if (!buckets || !gaps) {
    return complain(buckets ? gaps.error() : buckets.error());
  }
  write_table(context, histogram_table(*buckets, by, context.arguments.format == Format::table),
              *body);
  return report_gaps(context, *gaps);
}

}  // namespace docket::cli
