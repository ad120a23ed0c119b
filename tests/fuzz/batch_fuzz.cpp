// Arbitrary bytes as a batch from the wire. Checksums are put right first, else nothing would get
// past them.
//
// Invariants:
//   B1  admit_batch() returns; it neither crashes nor reads outside of the bytes.
//   B2  What is admitted decodes, has as many rows as it says, and every row keeps every rule.
//   B3  Admitted rows and rejected rows are together the rows that were sent, and rejected rows are
//       named once, ascending.
//   B4  What is admitted is admitted again, unchanged.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/assert.hpp"
#include "engine/batch.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/event.hpp"
#include "engine/section.hpp"
#include "ingest/event_json.hpp"
#include "tests/fuzz/body_mutator.hpp"

namespace {

using Bytes = std::vector<std::byte>;

constexpr docket::Nanos received = 1'800'000'000'000'000'000;

void check(const Bytes& wire) {
  const docket::EventRules rules;
  const auto admitted =
      docket::admit_batch(Bytes(wire), rules, received, docket::ingest::is_json_object);
  if (!admitted) {
    DOCKET_ASSERT(!admitted.error().message.empty());
    return;
  }
  const auto sent_rows = docket::load_le<std::uint32_t>(wire.data());
  DOCKET_ASSERT(admitted->batch.rows + admitted->rejected.size() == sent_rows);
  std::uint32_t next = 0;
  for (const auto& rejected : admitted->rejected) {
    DOCKET_ASSERT(rejected.row >= next && rejected.row < sent_rows);
    DOCKET_ASSERT(!rejected.error.empty());
    next = rejected.row + 1;
  }
  std::uint32_t rows = 0;
  std::vector<docket::TargetView> scratch;
  const auto decoded = docket::decode_batch(admitted->batch.bytes, [&](const docket::Event& event) {
    ++rows;
    DOCKET_ASSERT(check_event(view_of(event, scratch), rules, received, false).has_value());
    DOCKET_ASSERT(event.payload.empty() || docket::ingest::is_json_object(event.payload));
    DOCKET_ASSERT(event.ts >= admitted->batch.ts_min && event.ts <= admitted->batch.ts_max);
  });
  DOCKET_ASSERT(decoded.has_value());
  DOCKET_ASSERT(rows == admitted->batch.rows);
  const auto again = docket::admit_batch(Bytes(admitted->batch.bytes), rules, received,
                                         docket::ingest::is_json_object);
  DOCKET_ASSERT(again.has_value());
  DOCKET_ASSERT(again->rejected.empty());
  DOCKET_ASSERT(again->batch.bytes == admitted->batch.bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  Bytes wire(input.begin(), input.end());
  check(wire);
  docket::testing::repair_body(wire);
  check(wire);
  return 0;
}

#ifdef DOCKET_FUZZ_ENGINE
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return docket::testing::mutate_bodies(
      data, size, max_size, seed, [](std::span<const std::byte> bytes) {
        return bytes.empty() ? std::vector<std::size_t>() : std::vector<std::size_t>{0};
      });
}
#endif
