// The three lines that tell where a query went wrong. Internal to query/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace docket::query {

// What was expected, the query (made safe for a terminal, white space as blanks, cut around the
// place where it is long), and a caret under the display column of byte `offset`. No newline at
// the end. An `offset` within a character counts as its first byte; at most text.size() is meant.
[[nodiscard]] std::string syntax_error_message(std::string_view expectation, std::string_view text,
                                               std::size_t offset);

}  // namespace docket::query
