// The sections of the report, one for each kind of document.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

namespace docket::load {

// All throw simdjson::simdjson_error where the document lacks something.
[[nodiscard]] std::string sweep_section(const simdjson::dom::element& document);
[[nodiscard]] std::string send_section(const simdjson::dom::element& document);
[[nodiscard]] std::string plan_section(const simdjson::dom::element& document);

// What the sections have in common.
[[nodiscard]] std::string machine_line(const simdjson::dom::element& document);
// The time series of runs one after the other; a line's break and a mark where a run ends.
[[nodiscard]] std::string timeline_charts(const std::vector<simdjson::dom::element>& runs);
[[nodiscard]] std::string html_table(const std::vector<std::string>& head,
                                     const std::vector<std::vector<std::string>>& rows);
// A number, or a dash for null.
[[nodiscard]] std::string number_or_dash(const simdjson::dom::element& value,
                                         std::string_view form);

}  // namespace docket::load
