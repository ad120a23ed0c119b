// count, facets and histogram: numbers taken from events.
#include <fmt/format.h>

#include "tools/api/routes.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/number_output.hpp"

namespace docket::cli {

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
  if (context.arguments.others) {
    parameters.set("others", "1");
  }
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
    context.out.write(facets_text(*facets, context.terminal, context.zone));
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
      const std::string cut = context.arguments.format == Format::json ? "" : facet_cut_text(facet);
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
