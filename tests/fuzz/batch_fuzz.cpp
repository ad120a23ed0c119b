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

namespace {

using Bytes = std::vector<std::byte>;

constexpr docket::Nanos received = 1'800'000'000'000'000'000;
constexpr std::size_t chunk_entry = 16;

// Writes the checksums of all sections and chunks that lie within the bytes.
void repair_checksums(Bytes& body) {
  if (body.size() < docket::body_header_bytes) {
    return;
  }
  const auto sections = docket::load_le<std::uint16_t>(body.data() + 4);
  std::size_t at = docket::body_header_bytes + sections * docket::section_entry_bytes;
  for (std::size_t s = 0; s < sections; ++s) {
    const std::size_t entry = docket::body_header_bytes + s * docket::section_entry_bytes;
    if (at > body.size()) {
      return;
    }
    const auto codec = docket::load_le<std::uint8_t>(body.data() + entry + 1);
    const std::size_t items = docket::load_le<std::uint32_t>(body.data() + entry + 4);
    const std::size_t bytes = docket::load_le<std::uint32_t>(body.data() + entry + 8);
    if (bytes > body.size() - at) {
      return;
    }
    std::span<std::byte> section = std::span(body).subspan(at, bytes);
    if (codec == 3) {
      const std::size_t table = std::min(items * chunk_entry, bytes);
      std::size_t chunk_at = table;
      for (std::size_t c = 0; (c + 1) * chunk_entry <= table; ++c) {
        std::byte* chunk = section.data() + c * chunk_entry;
        const std::size_t stored = docket::load_le<std::uint32_t>(chunk + 8);
        if (stored > bytes - chunk_at) {
          break;
        }
        docket::store_le(chunk + 12, docket::checksum32(section.subspan(chunk_at, stored)));
        chunk_at += stored;
      }
      section = section.first(table);
    }
    docket::store_le(body.data() + entry + 12, docket::checksum32(section));
    at += bytes;
  }
}

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
  repair_checksums(wire);
  check(wire);
  return 0;
}
