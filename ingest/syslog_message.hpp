// The text of one syslog message taken apart: RFC 5424, and what older senders write (RFC 3164).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/result.hpp"

namespace docket::ingest {

// Parameters of all elements of a message, together. Real senders have a dozen.
inline constexpr std::size_t syslog_params_max = 256;

struct SyslogParam {
  std::string_view name;
  std::string_view value;  // between its quotes, escapes as they are
};

struct SyslogElement {
  std::string_view id;
  std::size_t first = 0;  // of its parameters in SyslogMessage::params
  std::size_t count = 0;
};

// An empty string is what the message does not say (`-`, the RFC's NILVALUE). Views of the text.
struct SyslogMessage {
  std::uint32_t facility = 0;  // 0 to 23
  std::uint32_t severity = 0;  // 0 to 7
  bool is_rfc5424 = false;
  std::optional<Nanos> time;
  std::string_view timestamp;  // as it was sent
  std::string_view hostname, app_name, procid, msgid;
  std::vector<SyslogElement> elements;
  std::vector<SyslogParam> params;
  std::string_view text;  // MSG, without the mark of its encoding

  [[nodiscard]] const SyslogElement* element(std::string_view id) const;
};

// Takes `text` apart into `message`, whose vectors keep their memory. A text that begins with
// `<PRI>1 ` has to be RFC 5424 to the end of its structured data; there, a timestamp may have nine
// digits of a second. Of any other text behind `<PRI>` the parts that RFC 3164 describes are taken
// as far as they are there, and the rest is MSG. Error: invalid_argument, "part: rule".
[[nodiscard]] Result<void> parse_syslog(std::string_view text, SyslogMessage& message);

// Appends a parameter's value: \" \\ and \] without their backslash, any other as it is.
void append_syslog_value(std::string& out, std::string_view value);

}  // namespace docket::ingest
