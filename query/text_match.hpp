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

  // Whether it has ASCII letters only, so that it is found by its bytes.
  [[nodiscard]] bool is_ascii() const { return is_ascii_; }
  [[nodiscard]] std::size_t size() const { return folded_.size(); }
  [[nodiscard]] std::string_view folded_text() const { return folded_; }
  // Where it begins in `text`, from `from` on; npos: nowhere. Precondition: is_ascii().
  [[nodiscard]] std::size_t find(std::string_view text, std::size_t from) const;

 private:
  // A byte of the needle that is looked for first, as `text | mask == byte`: letters in both cases.
  struct Probe {
    std::size_t at = 0;
    char byte = 0;
    char mask = 0;
  };
  [[nodiscard]] Probe probe_at(std::size_t at) const;
  [[nodiscard]] bool equal_at(const char* text) const;
  [[nodiscard]] bool in_folded(std::string_view text) const;

  std::string folded_;
  bool is_ascii_;
  Probe first_, second_;  // the two rarest bytes
};

}  // namespace docket::query
