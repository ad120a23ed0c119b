#include "ingest/syslog_message.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/timestamp.hpp"

namespace docket::ingest {
namespace {

// RFC 5424, section 6.
constexpr std::size_t hostname_bytes_max = 255;
constexpr std::size_t app_name_bytes_max = 48;
constexpr std::size_t procid_bytes_max = 128;
constexpr std::size_t msgid_bytes_max = 32;
// The RFC says 32; that much is enough for a bound.
constexpr std::size_t name_bytes_max = 255;
constexpr std::uint32_t pri_max = 191;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_printable(char c) {
  return c > ' ' && c < '\x7F';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && std::ranges::all_of(text, is_printable);
}

tl::unexpected<Error> refusal(const std::string& message) {
  return fail(ErrorCode::invalid_argument, message);
}

// What is left of a text, taken from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool take(std::string_view text) {
    if (!rest_.starts_with(text)) {
      return false;
    }
    rest_.remove_prefix(text.size());
    return true;
  }
  // Up to a blank or the end.
  [[nodiscard]] std::string_view word() { return next(std::min(rest_.find(' '), rest_.size())); }
  [[nodiscard]] std::string_view next(std::size_t bytes) {
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

 private:
  std::string_view rest_;
};

Result<void> take_pri(Scanner& at, SyslogMessage& message) {
  constexpr std::size_t bytes_max = std::string_view("<191>").size();
  std::uint32_t pri = 0;
  const std::string_view start = at.rest().substr(0, bytes_max);
  const std::size_t close = start.find('>');
  if (close != std::string_view::npos && close > 1 && start[0] == '<') {
    const auto [end, fault] = std::from_chars(start.data() + 1, start.data() + close, pri);
    if (fault == std::errc{} && end == start.data() + close && pri <= pri_max) {
      static_cast<void>(at.next(close + 1));
      message.facility = pri / 8;
      message.severity = pri % 8;
      return {};
    }
  }
  return refusal("pri: expected <0> to <191>");
}

// A field of RFC 5424's header, with the blank before it.
Result<std::string_view> take_field(Scanner& at, const char* name, std::size_t bytes_max) {
  if (!at.take(" ")) {
    return refusal(std::string(name) + ": is missing");
  }
  const std::string_view word = at.word();
  if (!is_word(word, bytes_max)) {
    return refusal(std::string(name) + ": must be 1 to " + std::to_string(bytes_max) +
                   " bytes of printable ASCII");
  }
  return word == "-" ? std::string_view{} : word;
}

Result<std::string_view> take_name(Scanner& at, const char* what) {
  const auto is_of_name = [](char c) {
    return is_printable(c) && c != '=' && c != ']' && c != '"';
  };
  const std::string_view rest = at.rest();
  const auto end = std::ranges::find_if_not(rest, is_of_name);
  const std::string_view name = at.next(static_cast<std::size_t>(end - rest.begin()));
  if (name.empty() || name.size() > name_bytes_max) {
    return refusal(std::string("structured data: expected ") + what);
  }
  return name;
}

// `"value"`; within it a backslash keeps the character behind it from ending it. A `]` that should
// have one is taken all the same: nothing else can be meant.
Result<std::string_view> take_value(Scanner& at) {
  if (!at.take("=\"")) {
    return refusal("structured data: expected =\" behind a parameter's name");
  }
  const std::string_view rest = at.rest();
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      const std::string_view value = at.next(i);
      static_cast<void>(at.take("\""));
      return value;
    }
  }
  return refusal("structured data: a value has no end");
}

Result<void> take_element(Scanner& at, SyslogMessage& message) {
  SyslogElement element;
  DOCKET_ASSIGN(element.id, take_name(at, "an element's name"));
  if (message.element(element.id) != nullptr) {
    return refusal("structured data: an element is there twice");
  }
  element.first = message.params.size();
  while (!at.take("]")) {
    SyslogParam param;
    if (!at.take(" ")) {
      return refusal("structured data: expected a blank or ] behind a parameter");
    }
    DOCKET_ASSIGN(param.name, take_name(at, "a parameter's name"));
    DOCKET_ASSIGN(param.value, take_value(at));
    if (message.params.size() == syslog_params_max) {
      return refusal("structured data: has more than 256 parameters");
    }
    message.params.push_back(param);
  }
  element.count = message.params.size() - element.first;
  message.elements.push_back(element);
  return {};
}
static_assert(syslog_params_max == 256);

Result<void> take_structured_data(Scanner& at, SyslogMessage& message) {
  if (!at.take(" ")) {
    return refusal("structured data: is missing");
  }
  if (at.take("-")) {
    return {};
  }
  if (!at.rest().starts_with('[')) {
    return refusal("structured data: expected - or [");
  }
  while (at.take("[")) {
    if (message.elements.size() == syslog_params_max) {
      return refusal("structured data: has more than 256 elements");
    }
    DOCKET_TRY(take_element(at, message));
  }
  return {};
}

Result<void> parse_rfc5424(Scanner at, SyslogMessage& message) {
  message.is_rfc5424 = true;
  DOCKET_ASSIGN(message.timestamp, take_field(at, "timestamp", name_bytes_max));
  if (!message.timestamp.empty()) {
    auto time = parse_rfc3339(message.timestamp);
    if (!time) {
      return refusal("timestamp: " + time.error().message);
    }
    message.time = *time;
  }
  DOCKET_ASSIGN(message.hostname, take_field(at, "hostname", hostname_bytes_max));
  DOCKET_ASSIGN(message.app_name, take_field(at, "app-name", app_name_bytes_max));
  DOCKET_ASSIGN(message.procid, take_field(at, "procid", procid_bytes_max));
  DOCKET_ASSIGN(message.msgid, take_field(at, "msgid", msgid_bytes_max));
  DOCKET_TRY(take_structured_data(at, message));
  if (!at.at_end() && !at.take(" ")) {
    return refusal("structured data: expected a blank or the end behind it");
  }
  static_cast<void>(at.take(byte_order_mark));
  message.text = at.rest();
  return {};
}

// `Nov  6 09:05:07`, 15 bytes. It has neither year nor zone, so it is no time to us.
bool is_bsd_time(std::string_view text) {
  constexpr std::string_view form = "Mmm dd hh:mm:ss";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != form.size()) {
    return false;
  }
  const std::size_t month = months.find(text.substr(0, 3));
  if (month == std::string_view::npos || month % 3 != 0) {
    return false;
  }
  for (std::size_t i = 3; i < form.size(); ++i) {
    const bool is_number = form[i] == 'd' || form[i] == 'h' || form[i] == 'm' || form[i] == 's';
    const bool fits =
        is_number ? is_digit(text[i]) || (i == 4 && text[i] == ' ') : text[i] == form[i];
    if (!fits) {
      return false;
    }
  }
  return true;
}

// The time and the blank behind it, where they are there.
bool take_old_time(Scanner& at, SyslogMessage& message) {
  constexpr std::size_t bsd_bytes = 15;
  Scanner after = at;
  const std::string_view bsd = after.next(std::min(bsd_bytes, after.rest().size()));
  if (is_bsd_time(bsd)) {
    message.timestamp = bsd;
  } else {
    after = at;
    const std::string_view word = after.word();
    const auto time = parse_rfc3339(word);
    if (!time) {
      return false;
    }
    message.timestamp = word;
    message.time = *time;
  }
  if (!after.at_end() && !after.take(" ")) {
    message.timestamp = {};
    message.time.reset();
    return false;
  }
  at = after;
  return true;
}

// `sshd[123]:` or `cron:`, with a blank behind it; not `123:`, which counts what some devices send.
bool take_tag(Scanner& at, SyslogMessage& message) {
  const auto is_of_tag = [](char c) { return is_printable(c) && c != ':' && c != '[' && c != ']'; };
  Scanner after = at;
  const std::string_view rest = at.rest();
  const auto end = std::ranges::find_if_not(rest, is_of_tag);
  const std::string_view tag = after.next(static_cast<std::size_t>(end - rest.begin()));
  std::string_view procid;
  if (after.take("[")) {
    const std::size_t close = std::min(after.rest().find(']'), after.rest().size());
    procid = after.next(close);
    if (!after.take("]") || !is_word(procid, procid_bytes_max)) {
      return false;
    }
  }
  if (!is_word(tag, app_name_bytes_max) || is_digit(tag[0]) || !after.take(":") ||
      !(after.at_end() || after.take(" "))) {
    return false;
  }
  message.app_name = tag;
  message.procid = procid;
  at = after;
  return true;
}

void parse_old(Scanner at, SyslogMessage& message) {
  if (take_old_time(at, message) && !take_tag(at, message)) {
    Scanner after = at;
    const std::string_view host = after.word();
    if (is_word(host, hostname_bytes_max) && after.take(" ")) {
      message.hostname = host;
      static_cast<void>(take_tag(after, message));
      at = after;
    }
  } else if (message.timestamp.empty()) {
    static_cast<void>(take_tag(at, message));
  }
  static_cast<void>(at.take(byte_order_mark));
  message.text = at.rest();
}

}  // namespace

const SyslogElement* SyslogMessage::element(std::string_view id) const {
  const auto found = std::ranges::find(elements, id, &SyslogElement::id);
  return found == elements.end() ? nullptr : &*found;
}

Result<void> parse_syslog(std::string_view text, SyslogMessage& message) {
  std::vector<SyslogElement> elements = std::move(message.elements);
  std::vector<SyslogParam> params = std::move(message.params);
  elements.clear();
  params.clear();
  message = {};
  message.elements = std::move(elements);
  message.params = std::move(params);

  Scanner at(text);
  DOCKET_TRY(take_pri(at, message));
  Scanner behind_version = at;
  if (behind_version.take("1") && behind_version.rest().starts_with(' ')) {
    return parse_rfc5424(behind_version, message);
  }
  parse_old(at, message);
  return {};
}

void append_syslog_value(std::string& out, std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size() &&
        (value[i + 1] == '"' || value[i + 1] == '\\' || value[i + 1] == ']')) {
      ++i;
    }
    out += value[i];
  }
}

}  // namespace docket::ingest
