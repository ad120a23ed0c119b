// What the ready-made reports ask: questions of the API with a title each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/result.hpp"
#include "query/time_zone.hpp"

namespace docket::cli {

enum class ReportPart : std::uint8_t { facets, histogram, events };

// One part of a report. Where `query` is empty, everything that the report covers.
struct ReportSection {
  std::string_view title;
  ReportPart part = ReportPart::facets;
  std::string_view query;
  std::string_view by;  // facets: fields; histogram: the width of a span
};

struct Report {
  std::string_view name;
  std::string_view description;
  std::string_view since;  // where the query names no time
  std::span<const ReportSection> sections;
};

// All of them: handover, activity, access, failures.
[[nodiscard]] std::span<const Report> reports();
// Null when there is none of that name.
[[nodiscard]] const Report* find_report(std::string_view name);

// What every section of a report is restricted to: the query, between two instants, so that all
// sections are about the same time. Error: invalid_argument, as the query's parser says it.
struct ReportScope {
  std::string query;  // with the bounds in it
  Nanos since = 0;    // INT64_MIN: from the first event on
  Nanos until = 0;
};
[[nodiscard]] Result<ReportScope> scope_of(const Report& report, const std::string& query,
                                           const query::TimeZone& zone, Nanos now);

// The scope and a section's own query in one; can be asked as it stands.
[[nodiscard]] std::string query_of(const ReportScope& scope, const ReportSection& section);

// `width`, or a wider one with which `span` makes a few hundred rows at most.
[[nodiscard]] std::string_view width_for(std::string_view width, std::uint64_t span_ns);

}  // namespace docket::cli
