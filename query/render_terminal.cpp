#include <fmt/format.h>

#include <iterator>

#include "query/render.hpp"
#include "query/utf8.hpp"

namespace docket::query {

std::string terminal_safe(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = utf8_at(text, at);
    if (!character.valid || character.code < 0x20 || character.code == 0x7F) {
      fmt::format_to(std::back_inserter(safe), "\\x{:02x}", static_cast<unsigned>(character.code));
    } else if (is_hidden_mark(character.code)) {
      fmt::format_to(std::back_inserter(safe), "\\u{{{:04x}}}",
                     static_cast<unsigned>(character.code));
    } else {
      safe.append(text, at, character.bytes);
    }
    at += character.bytes;
  }
  return safe;
}

}  // namespace docket::query
