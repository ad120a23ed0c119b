// Names that somebody may have meant who typed another word.
#pragma once

#include <string_view>

namespace docket::query {

// Whether few edits turn one into the other: one where either has at most four bytes, else two.
// Nothing longer than 24 bytes is near any name. Case counts.
[[nodiscard]] bool is_near_name(std::string_view word, std::string_view name);

}  // namespace docket::query
