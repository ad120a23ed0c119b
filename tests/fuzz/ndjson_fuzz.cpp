// Arbitrary bytes as an event, as a payload, and as the body of a request.
//
// Invariants:
//   J1  is_json_object() takes every object that simdjson's full parser takes, down to our own
//   depth
//       limit; what it takes beyond that differs only in numbers out of a double's range and in
//       lone surrogates.
//   J2  A decoded event keeps every rule, its strings are valid UTF-8 and its payload is an object.
//   J3  A decoded event comes back unchanged from a batch.
//   J4  A decoder gives the same answer twice.
//   J5  A request is answered exactly once; what it accepts is what reaches the store, and an index
//       is rejected at most once, in order.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/assert.hpp"
#include "engine/batch.hpp"
#include "engine/event.hpp"
#include "ingest/event_json.hpp"
#include "tests/support/acking_store.hpp"
#include "tests/support/event_copy.hpp"

namespace {

using docket::Event;
using docket::EventRules;
using docket::ingest::EventDecoder;

constexpr docket::Nanos received = 1'800'000'000'000'000'000;

void check_object(std::string_view text) {
  static simdjson::dom::parser parser(std::size_t{1} << 24);
  const bool ours = docket::ingest::is_json_object(text);
  const simdjson::padded_string padded(text);
  simdjson::dom::element element;
  const auto error = parser.parse(padded).get(element);
  if (error == simdjson::SUCCESS && element.is_object()) {
    // simdjson nests deeper than we do.
    std::size_t brackets = 0;
    for (const char c : text) {
      brackets += c == '{' || c == '[';
    }
    DOCKET_ASSERT(ours || brackets > 128);
  } else if (ours) {
    DOCKET_ASSERT(error == simdjson::NUMBER_ERROR || error == simdjson::STRING_ERROR);
  }
}

void check_event_text(std::string_view text) {
  static EventDecoder decoder;
  const EventRules rules;
  const auto decoded = decoder.decode(text, rules, received);
  if (!decoded) {
    const std::string first = decoded.error().message;
    DOCKET_ASSERT(!first.empty() && first.find(": ") != std::string::npos);
    DOCKET_ASSERT(docket::is_utf8(first));
    DOCKET_ASSERT(decoder.decode(text, rules, received).error().message == first);
    return;
  }
  DOCKET_ASSERT(docket::is_log_name(decoded->log) && decoded->log != "docket");
  DOCKET_ASSERT(docket::check_event(decoded->event, rules, received, false).has_value());
  const std::string_view payload = decoded->event.payload;
  DOCKET_ASSERT(payload.empty() || docket::ingest::is_json_object(payload));
  const Event event = docket::testing::copy_of(decoded->event);

  docket::BatchBuilder builder;
  builder.add(decoded->event);
  const auto batch = builder.finish();
  const auto read = docket::decode_batch(
      batch.bytes, [&event](const Event& stored) { DOCKET_ASSERT(stored == event); });
  DOCKET_ASSERT(read.has_value());

  const auto again = decoder.decode(text, rules, received);
  DOCKET_ASSERT(again.has_value() && docket::testing::copy_of(again->event) == event);
}

void check_request(std::string_view body) {
  docket::testing::AckingStore store;
  int answers = 0;
  docket::ingest::store_json(store, body, EventRules{}, {"fuzz", "", {}},
                             [&](const docket::Result<docket::ingest::RequestOutcome>& outcome) {
                               ++answers;
                               if (!outcome) {
                                 DOCKET_ASSERT(store.only_log().events() == 0);
                                 return;
                               }
                               DOCKET_ASSERT(outcome->accepted == store.only_log().events());
                               std::uint64_t next = 0;
                               for (const auto& rejected : outcome->rejected) {
                                 DOCKET_ASSERT(rejected.index >= next);
                                 next = rejected.index + 1;
                               }
                             });
  DOCKET_ASSERT(answers == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_object(text);
  check_event_text(text);
  check_request(text);
  return 0;
}
