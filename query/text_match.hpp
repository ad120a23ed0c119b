// Comparing text as conditions do: whole, by prefix, by substring; with or without case. What case
// is, is case_fold.hpp's to say.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace docket::query {

// Of an ASCII letter; other bytes stay.
[[nodiscard]] constexpr char fold_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
[[nodiscard]] std::string folded(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);
[[nodiscard]] bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

// A text that is looked for in many others, ignoring case. Immutable; thread-safe.
class Needle {
 public:
  explicit Needle(std::string_view text);
  // An empty needle is in everything, also in the empty text.
  [[nodiscard]] bool in(std::string_view text) const;

 private:
  [[nodiscard]] bool equal_at(const char* text) const;
  [[nodiscard]] bool in_folded(std::string_view text) const;

  std::string folded_;
  bool is_ascii_;
  std::size_t rare_ = 0;  // position of the byte that is looked for first
};

}  // namespace docket::query
