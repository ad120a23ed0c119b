#include "query/case_fold.hpp"

#include <utf8proc.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "query/text_match.hpp"
#include "query/utf8.hpp"

namespace docket::query {
namespace {

char32_t fold_by_tables(char32_t code) {
  const auto upper = utf8proc_toupper(static_cast<utf8proc_int32_t>(code));
  const auto folded = static_cast<char32_t>(utf8proc_tolower(upper));
  return folded < 0x80 ? code : folded;
}

// Latin, Greek, Cyrillic and other letters of two bytes: nearly all that have cases.
constexpr char32_t near_begin = 0x80;
constexpr char32_t near_end = 0x800;
using NearFolds = std::array<char32_t, near_end - near_begin>;

const NearFolds& near_folds() {
  static const NearFolds folds = [] {
    NearFolds made{};
    for (char32_t code = near_begin; code < near_end; ++code) {
      made[code - near_begin] = fold_by_tables(code);
    }
    return made;
  }();
  return folds;
}

void append_code(std::string& out, char32_t code) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const utf8proc_ssize_t size =
      utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
}

}  // namespace

std::size_t ascii_run(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080'8080'8080'8080U) != 0) {
      break;
    }
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) {
    ++at;
  }
  return at;
}

bool is_ascii(std::string_view text) {
  return ascii_run(text) == text.size();
}

void append_folded(std::string& out, std::string_view text) {
  const NearFolds& near = near_folds();
  for (;;) {
    const std::size_t ascii = ascii_run(text);
    for (const char c : text.substr(0, ascii)) {
      out += fold_case(c);
    }
    text.remove_prefix(ascii);
    if (text.empty()) {
      return;
    }
    const Utf8Character character = utf8_at(text, 0);
    if (!character.valid) {
      out += text.front();
    } else if (character.code < near_end) {
      append_code(out, near[character.code - near_begin]);
    } else {
      append_code(out, fold_by_tables(character.code));
    }
    text.remove_prefix(character.bytes);
  }
}

}  // namespace docket::query
