// Arbitrary bytes as a syslog message.
//
// Invariants:
//   S1  What a message is taken apart into lies within it, and stays within the bounds.
//   S2  A decoded event keeps every rule, its strings are valid UTF-8 and its payload is an object.
//   S3  A decoder gives the same answer twice; an error is text that says of what it speaks.
//   S4  What a message without the element says is in the event: its text ends the payload.
//   S5  A decoded event, exported as syslog, reads back as an event that is exported the same, if
//       no string but the payload has characters that are written as \uNNNN: these make it longer,
//       and a verb is in upper case.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/assert.hpp"
#include "engine/event.hpp"
#include "ingest/event_json.hpp"
#include "ingest/syslog_event.hpp"
#include "query/render.hpp"
#include "tests/support/event_copy.hpp"

namespace {

using docket::Event;
using docket::EventRules;
using docket::ingest::SyslogDecoder;
using docket::ingest::SyslogMessage;

constexpr docket::Nanos received = 1'800'000'000'000'000'000;
constexpr std::string_view sender = "192.0.2.7";

void check_within(std::string_view text, std::string_view part) {
  DOCKET_ASSERT(part.empty() || (part.data() >= text.data() &&
                                 part.data() + part.size() <= text.data() + text.size()));
}

void check_parts(std::string_view text) {
  static SyslogMessage message;
  if (!docket::ingest::parse_syslog(text, message)) {
    return;
  }
  DOCKET_ASSERT(message.facility < 24 && message.severity < 8);
  for (const std::string_view part : {message.timestamp, message.hostname, message.app_name,
                                      message.procid, message.msgid, message.text}) {
    check_within(text, part);
  }
  DOCKET_ASSERT(message.params.size() <= docket::ingest::syslog_params_max);
  std::size_t params = 0;
  for (const auto& element : message.elements) {
    check_within(text, element.id);
    DOCKET_ASSERT(element.first == params);
    params += element.count;
  }
  DOCKET_ASSERT(params == message.params.size());
  for (const auto& param : message.params) {
    check_within(text, param.name);
    check_within(text, param.value);
  }
}

bool has_hidden_characters(Event event) {
  event.payload.clear();
  std::string line;
  docket::query::append_syslog(line, event);
  return line.find(R"(\\u)") != std::string::npos;
}

std::optional<Event> exported_and_read(const Event& event) {
  std::string line;
  docket::query::append_syslog(line, event);
  line.pop_back();
  static SyslogDecoder decoder;
  EventRules rules;
  rules.payload_bytes_max = docket::limits::payload_bytes_max;
  const auto decoded = decoder.decode(line, rules, received, sender);
  if (has_hidden_characters(event)) {
    return std::nullopt;
  }
  DOCKET_ASSERT(decoded.has_value());
  Event read = docket::testing::copy_of(decoded->event);
  read.log = decoded->log;
  read.seq = event.seq;
  return read;
}

void check_event(std::string_view text) {
  static SyslogDecoder decoder;
  const EventRules rules;
  const auto decoded = decoder.decode(text, rules, received, sender);
  if (!decoded) {
    const std::string first = decoded.error().message;
    DOCKET_ASSERT(first.find(": ") != std::string::npos && docket::is_utf8(first));
    DOCKET_ASSERT(decoder.decode(text, rules, received, sender).error().message == first);
    return;
  }
  DOCKET_ASSERT(docket::is_log_name(decoded->log) && decoded->log != "docket");
  DOCKET_ASSERT(docket::check_event(decoded->event, rules, received, false).has_value());
  const std::string_view payload = decoded->event.payload;
  DOCKET_ASSERT(payload.empty() || docket::ingest::is_json_object(payload));
  Event event = docket::testing::copy_of(decoded->event);
  event.log = decoded->log;
  if (text.find(docket::ingest::syslog_element_id) == std::string_view::npos) {
    DOCKET_ASSERT(event.log == docket::ingest::syslog_log && !payload.empty());
    static SyslogMessage message;
    DOCKET_ASSERT(docket::ingest::parse_syslog(text, message).has_value());
    const bool has_text = payload.find(R"("message":")") != std::string_view::npos;
    DOCKET_ASSERT(has_text || message.text.empty());
  }

  const auto again = decoder.decode(text, rules, received, sender);
  DOCKET_ASSERT(again.has_value());
  Event same = docket::testing::copy_of(again->event);
  same.log = again->log;
  DOCKET_ASSERT(same == event);

  event.seq = docket::Seq{1};
  const auto read = exported_and_read(event);
  if (!read) {
    return;
  }
  std::string first;
  std::string second;
  docket::query::append_syslog(first, event);
  docket::query::append_syslog(second, *read);
  DOCKET_ASSERT(first == second);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_parts(text);
  check_event(text);
  return 0;
}
