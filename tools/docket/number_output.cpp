#include "tools/docket/number_output.hpp"

#include <fmt/format.h>

#include "engine/timestamp.hpp"
#include "tools/api/units.hpp"

namespace docket::cli {

namespace {

std::string by_text(const std::vector<query::FacetValue>& values) {
  std::string text;
  for (const query::FacetValue& value : values) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", value.value,
                        api::readable_count(value.count));
  }
  return text;
}

}  // namespace

std::string facet_cut_text(const FacetAnswer& facet) {
  return facet.distinct > facet.values.size()
             ? fmt::format("{} more values, {} in all",
                           api::readable_count(facet.distinct - facet.values.size()),
                           api::readable_count(facet.other))
             : std::string();
}

std::string facets_text(const std::vector<FacetAnswer>& facets, const Terminal& terminal,
                        const query::TimeZone& zone) {
  std::string out;
  for (const FacetAnswer& facet : facets) {
    Table table({{facet.field}, {"count", Column::Kind::count, true}});
    for (const query::FacetValue& value : facet.values) {
      table.add({value.value, std::to_string(value.count)});
    }
    out += out.empty() ? "" : "\n";
    out += table.text(terminal, zone);
    const std::string cut = facet_cut_text(facet);
    out += cut.empty() ? "" : fmt::format("({})\n", cut);
  }
  return out;
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

}  // namespace docket::cli
