// The same events by both ways in: as lines of JSON and as a native batch.
//
// Invariants:
//   F1  A rule that one way keeps is kept by the other: an event is taken by both or by none.
//   F2  What both take is stored as the same bytes, where no event of the batch is rejected, and
//       as the same events otherwise.
//   F3  An event that is printed as JSON and sent again is the same event.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/assert.hpp"
#include "engine/batch.hpp"
#include "engine/event.hpp"
#include "ingest/event_json.hpp"
#include "query/render.hpp"
#include "tests/support/event_copy.hpp"

namespace {

using namespace docket;

constexpr Nanos received = 1'800'000'000'000'000'000;
constexpr std::size_t events_max = 24;

// Fields of events out of the fuzzer's bytes; at their end everything is empty.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    const std::uint8_t value = bytes_.empty() ? 0 : bytes_.front();
    bytes_ = bytes_.subspan(bytes_.empty() ? 0 : 1);
    return value;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int i = byte() % 9; i > 0; --i) {
      value = value << 8 | byte();
    }
    return value;
  }
  // A length byte, then so many bytes; a byte repeated where the length says so.
  std::string text() {
    const std::size_t length = byte();
    if (length >= 250) {
      return std::string(length - 250 + 253, static_cast<char>('a' + byte() % 26));
    }
    const std::size_t taken = std::min<std::size_t>(length % 40, bytes_.size());
    std::string result(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes_ = bytes_.subspan(taken);
    // Printing would put something else in the place of what is no UTF-8.
    for (char& c : result) {
      c = is_utf8(result) ? c : static_cast<char>(c & 0x7f);
    }
    return result;
  }
  template <std::size_t n>
  std::string one_of(const std::array<const char*, n>& usual) {
    const std::uint8_t choice = byte();
    return choice < 200 ? usual[choice % n] : text();
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

constexpr std::array kinds = {"admin", "user", "api_token", "system"};
constexpr std::array verbs = {"CREATE", "EDIT", "UPDATE", "DELETE", "SEND"};
constexpr std::array types = {"Contact", "List", "Segment", "Broadcast"};

Target target(Input& in) {
  return {in.one_of(types), in.byte() % 4 == 0 ? std::string() : in.text(), in.text()};
}

Event event(Input& in) {
  Event event;
  event.log = "activity";
  // From far back to some days ahead of what is allowed.
  event.ts = static_cast<Nanos>(in.number() % (received + 3 * 86'400'000'000'000));
  event.actor = {in.one_of(kinds), in.text(), in.text(), in.text()};
  event.verb = in.one_of(verbs);
  event.target = target(in);
  for (int i = in.byte() % 4; i > 0; --i) {
    event.related.push_back(target(in));
  }
  event.affected = in.byte() % 2 == 0 ? 1 : in.number();
  if (in.byte() % 2 == 0) {
    event.ip = IpAddress{};
    for (auto& part : event.ip->bytes) {
      part = in.byte();
    }
  }
  event.outcome = static_cast<Outcome>(in.byte() % 3);
  event.reason = in.text();
  event.session = in.text();
  event.request = in.text();
  if (in.byte() % 2 == 0) {
    const std::string payload = "{\"a\":" + in.text() + "}";
    event.payload = ingest::is_json_object(payload) ? payload : "{}";
  }
  return event;
}

std::string line_of(const Event& event) {
  std::string line;
  query::append_json(line, event, query::PayloadForm::as_sent);
  return line;
}

std::vector<Event> events_of(std::span<const std::byte> body) {
  std::vector<Event> events;
  DOCKET_ASSERT(decode_batch(body, [&events](const Event& e) { events.push_back(e); }).has_value());
  return events;
}

// A related target without anything would be a batch out of order, for which all of it is refused.
bool has_nothing_related(const Event& event) {
  return std::find(event.related.begin(), event.related.end(), Target{}) != event.related.end();
}

// Line breaks end lines, not events; what a line cannot carry is not compared.
bool fits_a_line(const std::string& line) {
  return line.find('\n') == std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(std::span(data, size));
  ingest::EventDecoder decoder;
  BatchBuilder by_json;
  BatchBuilder native;
  std::vector<TargetView> related;
  std::vector<bool> taken;
  std::string scratch;
  while (!in.empty() && taken.size() < events_max) {
    const Event sent = event(in);
    const std::string line = line_of(sent);
    if (!fits_a_line(line)) {
      continue;
    }
    EventView view = view_of(sent, related);
    view.verb = upper_verb(view.verb, scratch);
    const auto decoded = decoder.decode(line, EventRules{}, received);
    if (has_nothing_related(sent)) {
      DOCKET_ASSERT(!decoded);
      continue;
    }
    native.add(view);
    taken.push_back(decoded.has_value());
    if (!decoded) {
      continue;
    }
    by_json.add(decoded->event);
    Event stored = testing::copy_of(decoded->event);
    stored.log = sent.log;
    const std::string printed = line_of(stored);
    const auto again = decoder.decode(printed, EventRules{}, received);
    DOCKET_ASSERT(again.has_value());
    Event reread = testing::copy_of(again->event);
    reread.log = sent.log;
    DOCKET_ASSERT(reread == stored);  // F3
  }
  if (taken.empty()) {
    return 0;
  }
  const auto admitted =
      admit_batch(native.finish().bytes, EventRules{}, received, ingest::is_json_object);
  DOCKET_ASSERT(admitted.has_value());
  std::vector<bool> admitted_rows(taken.size(), true);
  for (const auto& rejected : admitted->rejected) {
    admitted_rows[rejected.row] = false;
  }
  DOCKET_ASSERT(admitted_rows == taken);  // F1
  const EncodedBatch from_json = by_json.finish();
  if (admitted->rejected.empty()) {
    DOCKET_ASSERT(admitted->batch.bytes == from_json.bytes);  // F2
  }
  DOCKET_ASSERT(events_of(admitted->batch.bytes) == events_of(from_json.bytes));
  return 0;
}
