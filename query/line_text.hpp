// Values within lines that programs read and a terminal may show: syslog and CEF. Internal to
// query/.
#pragma once

#include <string>
#include <string_view>

#include "query/byte_scan.hpp"
#include "query/stored_view.hpp"
#include "query/utf8.hpp"

namespace docket::query {

// Appends `text` with \uNNNN in place of what a terminal would act on and of bytes that are no
// UTF-8, as in CSV. `escape` is how the line's grammar writes a backslash; each of `specials` goes
// to `special(out, c)` instead, also where it is a control character.
template <char... specials, typename Special>
void append_line_text(std::string& out, std::string_view text, std::string_view escape,
                      const Special& special) {
  constexpr char32_t not_utf8 = 0xFFFD;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t plain = plain_bytes<specials...>(text, at);
    out.append(text, at, plain);
    at += plain;
    if (at == text.size()) {
      return;
    }
    if (((text[at] == specials) || ...)) {
      special(out, text[at]);
      ++at;
      continue;
    }
    const Utf8Character character = utf8_at(text, at);
    if (character.valid && !is_hidden(character.code)) {
      out.append(text, at, character.bytes);
    } else {
      out += escape;
      append_unicode_name(out, character.valid ? character.code : not_utf8);
    }
    at += character.bytes;
  }
}

// The event as people say it, on one line: `Ana Lima (user:17) EDIT List:4 (News), 19 objects:
// failure, rate_limited`. As it is stored: the caller makes it safe.
[[nodiscard]] std::string summary_of(const StoredView& event);

}  // namespace docket::query
