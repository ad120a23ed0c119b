#include "query/syntax_error.hpp"

#include <algorithm>
#include <vector>

#include "query/render.hpp"

namespace docket::query {

namespace {

// Both fit an 80-column terminal with the cut marks.
constexpr std::size_t columns_before_max = 48;
constexpr std::size_t columns_after_max = 24;
constexpr std::string_view cut_mark = "…";

// One character of the query as it is shown.
struct Shown {
  std::string text;
  std::size_t width = 0;
};

Shown show(std::string_view character) {
  const char first = character.front();
  if (first == '\t' || first == '\n' || first == '\r') {
    return {" ", 1};
  }
  Shown shown{terminal_safe(character), 0};
  shown.width = display_width(shown.text);
  return shown;
}

// Bytes of the UTF-8 character that starts at `at`; 1 where there is none.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t bytes = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return std::min(bytes, text.size() - at);
}

}  // namespace

std::string syntax_error_message(std::string_view expectation, std::string_view text,
                                 std::size_t offset) {
  // Only what can be shown is looked at, so that a long query costs no more than a short one.
  constexpr std::size_t bytes_max = 4 * (columns_before_max + columns_after_max);
  offset = std::min(offset, text.size());
  std::size_t begin = offset > bytes_max ? offset - bytes_max : 0;
  while (begin > 0 && begin < text.size() &&
         (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) {
    --begin;
  }
  std::vector<Shown> shown;
  std::size_t place = 0;  // index in `shown` of the character at `offset`
  std::size_t at = begin;
  while (at < text.size() && at < offset + bytes_max) {
    const std::size_t bytes = character_bytes(text, at);
    if (at + bytes <= offset) {
      ++place;
    }
    shown.push_back(show(text.substr(at, bytes)));
    at += bytes;
  }

  std::size_t first = place;
  std::size_t column = 0;
  while (first > 0 && column + shown[first - 1].width <= columns_before_max) {
    column += shown[--first].width;
  }
  std::size_t last = place;
  std::size_t behind = 0;
  while (last < shown.size() && behind + shown[last].width <= columns_after_max) {
    behind += shown[last++].width;
  }

  std::string line;
  if (begin > 0 || first > 0) {
    line += cut_mark;
    ++column;
  }
  for (std::size_t i = first; i < last; ++i) {
    line += shown[i].text;
  }
  if (last < shown.size() || at < text.size()) {
    line += cut_mark;
  }
  std::string message(expectation);
  message += '\n';
  message += line;
  message += '\n';
  message.append(column, ' ');
  message += '^';
  return message;
}

}  // namespace docket::query
