// Strict readers of what leaves the store, written from the RFCs and ArcSight's guide alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace docket::query {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// The value under a key, or nullopt; twice under one key is nullopt, too.
[[nodiscard]] std::optional<std::string> value_of(const Pairs& pairs, std::string_view key);

// RFC 4180 with CRLF behind each record. nullopt where the text breaks the grammar.
[[nodiscard]] std::optional<std::vector<std::vector<std::string>>> read_csv(std::string_view text);

struct SyslogLine {
  unsigned facility = 0;
  unsigned severity = 0;
  std::string timestamp, hostname, app_name, procid, msgid;
  std::string element;  // the SD-ID of the one element
  Pairs parameters;
  std::string message;  // without its byte order mark
};
// RFC 5424, section 6, without a line break; the message must be UTF-8 with its byte order mark.
[[nodiscard]] std::optional<SyslogLine> read_syslog(std::string_view line);

struct CefLine {
  std::vector<std::string> header;  // CEF:0 and six fields
  Pairs extension;
};
// CEF:0, without a line break.
[[nodiscard]] std::optional<CefLine> read_cef(std::string_view line);

// Records of lines, each with its LF. nullopt where the last has none.
[[nodiscard]] std::optional<std::vector<std::string>> read_lines(std::string_view text);

}  // namespace docket::query
