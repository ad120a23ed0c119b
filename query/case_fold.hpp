// Letters that differ in case only, beyond ASCII. Nothing else names utf8proc.
//
// Folding is by single code points: the lower-case form of the upper-case form, so that the two
// forms of sigma are one letter. No letter beyond ASCII folds into an ASCII one (the Kelvin sign
// stays apart from k, and a dotless i from i), so that a search for ASCII text need not know of
// any of this. Which letters have cases is Unicode's to say and grows with the years; a letter's
// cases, once given, stay.
#pragma once

#include <string>
#include <string_view>

namespace docket::query {

[[nodiscard]] bool is_ascii(std::string_view text);
// The length of the run of ASCII that it starts with.
[[nodiscard]] std::size_t ascii_run(std::string_view text);

// Appends `text` with each letter folded. Bytes that are no UTF-8 stay as they are.
void append_folded(std::string& out, std::string_view text);

}  // namespace docket::query
