#include "ingest/syslog_event.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "engine/limits.hpp"
#include "ingest/json_text.hpp"

namespace docket::ingest {
namespace {

constexpr std::array<std::string_view, 24> facilities = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
constexpr std::array<std::string_view, 8> severities = {"emerg",   "alert",  "crit", "err",
                                                        "warning", "notice", "info", "debug"};
// From here on a message tells of something that went as it should.
constexpr std::uint32_t severity_warning = 4;

constexpr std::string_view verb_of_messages = "LOG";
constexpr std::string_view unknown_app = "unknown";

// Any bytes are valid ISO 8859-1, and it is what senders write that do not write UTF-8.
void append_latin1(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0U | (byte >> 6U));
      out += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
}

bool is_integer(std::string_view text) {
  return !text.empty() && text.size() <= std::numeric_limits<std::uint64_t>::digits10 + 1 &&
         (text.size() == 1 || text[0] != '0') &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Whether a parameter's value is the event's JSON as it stands; else it is a string of it, and the
// decoder says what is wrong with that.
bool is_json_for(std::string_view name, std::string_view value) {
  if (name == "payload") {
    return is_json_object(value);
  }
  if (name == "related") {
    return is_json_array(value);
  }
  return (name == "affected" || name == "ts") && is_integer(value);
}

}  // namespace

void SyslogDecoder::begin(std::string_view name) {
  if (json_.back() != '{') {
    json_ += ',';
  }
  append_json_string(json_, name);
  json_ += ':';
}

void SyslogDecoder::add(std::string_view name, std::string_view text) {
  begin(name);
  append_json_string(json_, text);
}

void SyslogDecoder::add_if(std::string_view name, std::string_view text) {
  if (!text.empty()) {
    add(name, text);
  }
}

bool SyslogDecoder::element_has(std::string_view prefix) const {
  if (element_ == nullptr) {
    return false;
  }
  const auto params = std::span(message_.params).subspan(element_->first, element_->count);
  return std::ranges::any_of(params, [prefix](const SyslogParam& each) {
    return each.name == prefix || (prefix.ends_with('.') && each.name.starts_with(prefix));
  });
}

void SyslogDecoder::write_param(const SyslogParam& param, std::string_view name) {
  value_.clear();
  append_syslog_value(value_, param.value);
  begin(name);
  if (is_json_for(param.name, value_)) {
    json_ += value_;
  } else {
    append_json_string(json_, value_);
  }
}

// The parameters `name.x` as an object `name`.
void SyslogDecoder::write_object(std::string_view name) {
  const std::string prefix = std::string(name) + '.';
  begin(name);
  json_ += '{';
  for (std::size_t i = element_->first; i < element_->first + element_->count; ++i) {
    const SyslogParam& param = message_.params[i];
    if (param.name.starts_with(prefix)) {
      write_param(param, param.name.substr(prefix.size()));
    }
  }
  json_ += '}';
}

// A parameter that is there more than once becomes an array.
void SyslogDecoder::write_values(const SyslogElement& element) {
  const auto params = std::span(message_.params).subspan(element.first, element.count);
  for (std::size_t i = 0; i < params.size(); ++i) {
    const auto is_same = [&](const SyslogParam& each) { return each.name == params[i].name; };
    if (std::ranges::any_of(params.first(i), is_same)) {
      continue;
    }
    begin(params[i].name);
    const bool is_array = std::ranges::count_if(params, is_same) > 1;
    const char* separator = is_array ? "[" : "";
    for (const SyslogParam& param : params.subspan(i)) {
      if (is_same(param)) {
        value_.clear();
        append_syslog_value(value_, param.value);
        json_ += separator;
        append_json_string(json_, value_);
        separator = ",";
      }
    }
    json_ += is_array ? "]" : "";
  }
}

void SyslogDecoder::write_data() {
  bool is_first = true;
  for (const SyslogElement& element : message_.elements) {
    if (&element == element_) {
      continue;
    }
    if (is_first) {
      begin("data");
      json_ += '{';
      is_first = false;
    }
    begin(element.id);
    json_ += '{';
    write_values(element);
    json_ += '}';
  }
  json_ += is_first ? "" : "}";
}

void SyslogDecoder::write_payload() {
  begin("payload");
  json_ += '{';
  add("facility", facilities[message_.facility]);
  add("severity", severities[message_.severity]);
  if (!message_.time) {
    add_if("timestamp", message_.timestamp);
  }
  add_if("hostname", message_.hostname);
  add_if("app_name", message_.app_name);
  add_if("procid", message_.procid);
  add_if("msgid", message_.msgid);
  if (is_latin1_) {
    add("charset", "iso-8859-1");
  }
  write_data();
  add_if("message", message_.text);
  json_ += '}';
}

void SyslogDecoder::write_event(Nanos received, std::string_view sender) {
  // A message that is all its sender can say is not lost for a clock that is wrong.
  if (element_ == nullptr && message_.time && *message_.time > received + limits::future_ns_max) {
    message_.time.reset();
  }
  json_ += '{';
  if (element_ == nullptr) {
    add("log", syslog_log);
  } else {
    for (std::size_t i = element_->first; i < element_->first + element_->count; ++i) {
      const SyslogParam& param = message_.params[i];
      if (!param.name.starts_with("actor.") && !param.name.starts_with("target.")) {
        write_param(param, param.name);
      }
    }
  }
  if (message_.time && !element_has("ts")) {
    begin("ts");
    json_ += std::to_string(*message_.time);
  }
  if (element_has("actor.")) {
    write_object("actor");
  } else {
    begin("actor");
    json_ += '{';
    add("kind", "system");
    add("id", message_.app_name.empty() ? unknown_app : message_.app_name);
    json_ += '}';
  }
  if (!element_has("verb")) {
    add("verb", message_.msgid.empty() ? verb_of_messages : message_.msgid);
  }
  if (element_has("target.")) {
    write_object("target");
  } else {
    begin("target");
    json_ += '{';
    add("type", "Host");
    add("id", message_.hostname.empty() ? sender : message_.hostname);
    json_ += '}';
  }
  if (!element_has("outcome")) {
    add("outcome", message_.severity < severity_warning ? "failure" : "success");
  }
  // What has a seq was exported, and is whole: a summary stands behind it.
  if (!element_has("payload") && !element_has("seq")) {
    write_payload();
  }
  json_ += '}';
}

Result<EventDecoder::Decoded> SyslogDecoder::decode(std::string_view text, const EventRules& rules,
                                                    Nanos received, std::string_view sender) {
  is_latin1_ = !is_utf8(text);
  if (is_latin1_) {
    latin1_.clear();
    append_latin1(latin1_, text);
    text = latin1_;
  }
  DOCKET_TRY(parse_syslog(text, message_));
  element_ = message_.element(syslog_element_id);
  if (element_ != nullptr && is_latin1_) {
    return fail(ErrorCode::invalid_argument, "message: is not valid UTF-8");
  }
  json_.clear();
  write_event(received, sender);
  return decoder_.decode(json_, rules, received);
}

}  // namespace docket::ingest
