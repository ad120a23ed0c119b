// Syslog messages in: an event from one, whoever sent it. PROTOCOL.md says what becomes of what.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/event.hpp"
#include "engine/result.hpp"
#include "ingest/event_json.hpp"
#include "ingest/syslog_message.hpp"

namespace docket::ingest {

// The structured data that holds an event's fields (RFC 5612: a number for examples).
inline constexpr std::string_view syslog_element_id = "docket@32473";
// Where messages without it go.
inline constexpr std::string_view syslog_log = "syslog";

// Writes a message as an event object and has that decoded, so that both have the same rules and
// are refused in the same words. Not thread-safe; reuse it, it keeps its buffers, which are at most
// some times as large as the largest message.
class SyslogDecoder {
 public:
  // `sender` stands for the host of a message that names none. The views are valid until the next
  // call. Error: invalid_argument, "field: rule" or "part: rule".
  [[nodiscard]] Result<EventDecoder::Decoded> decode(std::string_view text, const EventRules& rules,
                                                     Nanos received, std::string_view sender);

 private:
  void write_event(Nanos received, std::string_view sender);
  void write_object(std::string_view name);
  [[nodiscard]] bool element_has(std::string_view prefix) const;
  [[nodiscard]] const SyslogParam* param(std::string_view name) const;
  void write_param(const SyslogParam& param, std::string_view name);
  void write_payload();
  void write_data();
  void write_values(const SyslogElement& element);
  // `,"name":` or, as an object's first member, `"name":`.
  void begin(std::string_view name);
  void add(std::string_view name, std::string_view text);
  void add_if(std::string_view name, std::string_view text);

  EventDecoder decoder_;
  SyslogMessage message_;
  const SyslogElement* element_ = nullptr;  // the one that holds the fields
  bool is_latin1_ = false;
  std::string latin1_;  // the message as UTF-8, where it came as ISO 8859-1
  std::string json_;
  std::string value_;
};

}  // namespace docket::ingest
