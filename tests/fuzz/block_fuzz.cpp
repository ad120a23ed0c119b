// Arbitrary bytes as a batch from the wire, with checksums that fit and as they are.
//
// Invariants:
//   B1  Decoding and admitting end with a value or an error.
//   B2  Each row of the batch is admitted or named in `rejected`, in order.
//   B3  What is admitted keeps every rule of the event.
//   B4  What is admitted makes a hot block that is read back as the same events.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/assert.hpp"
#include "engine/batch.hpp"
#include "engine/block.hpp"
#include "engine/body.hpp"
#include "engine/limits.hpp"
#include "ingest/event_json.hpp"
#include "tests/fuzz/body_mutator.hpp"
#include "tests/fuzz/repair.hpp"

namespace {

using namespace docket;

constexpr Nanos received = 1'800'000'000'000'000'000;

std::vector<Event> events_of(std::span<const std::byte> body) {
  std::vector<Event> events;
  const auto decoded = decode_batch(body, [&events](const Event& e) { events.push_back(e); });
  DOCKET_ASSERT(decoded.has_value());
  return events;
}

void check_block(EncodedBatch batch) {
  const std::vector<Event> events = events_of(batch.bytes);
  DOCKET_ASSERT(events.size() == batch.rows);
  std::vector<TargetView> related;
  for (const Event& event : events) {
    DOCKET_ASSERT(check_event(view_of(event, related), {}, received, false).has_value());
    DOCKET_ASSERT(event.payload.empty() || ingest::is_json_object(event.payload));
    DOCKET_ASSERT(event.ts >= batch.ts_min && event.ts <= batch.ts_max);
  }
  HotBlock block = make_hot_block(std::move(batch), "node-1", 1, 1, received);
  block.header.first_seq = Seq(1);
  encode_block_header(block.header, block.head);
  DOCKET_ASSERT(decode_block_header(block.head).has_value());
  std::vector<std::byte> body(block.head.begin() + block_header_bytes, block.head.end());
  append_bytes(body, block.sections);
  body.resize(block.header.body_bytes);
  DOCKET_ASSERT(events_of(body) == events);
}

void check(const std::vector<std::byte>& wire) {
  std::uint32_t rows = 0;
  std::vector<std::byte> padded = wire;
  padded.resize(wire.size() + section_padding);
  if (const auto body = decode_body(std::span<const std::byte>(padded).first(wire.size()))) {
    rows = body->rows;
  }
  auto admitted = admit_batch(wire, {}, received, ingest::is_json_object);
  if (!admitted) {
    return;
  }
  DOCKET_ASSERT(admitted->batch.rows + admitted->rejected.size() == rows);
  for (std::size_t i = 0; i < admitted->rejected.size(); ++i) {
    DOCKET_ASSERT(admitted->rejected[i].row < rows && !admitted->rejected[i].error.empty());
    DOCKET_ASSERT(i == 0 || admitted->rejected[i - 1].row < admitted->rejected[i].row);
  }
  check_block(std::move(admitted->batch));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(decode_block_header(bytes));
  std::vector<std::byte> wire(bytes.begin(), bytes.end());
  check(wire);
  testing::repair_body(wire);
  check(wire);
  return 0;
}

#ifdef DOCKET_FUZZ_ENGINE
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return testing::mutate_bodies(data, size, max_size, seed, [](std::span<const std::byte> bytes) {
    return bytes.empty() ? std::vector<std::size_t>() : std::vector<std::size_t>{0};
  });
}
#endif
