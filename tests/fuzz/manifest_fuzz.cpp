// Arbitrary bytes as a manifest, as they are and as the content under a header that fits.
//
// Invariants:
//   M1  Decoding ends with a value or an error.
//   M2  What is decoded encodes to bytes that decode to the same.
//   M3  Segments ascend without overlap, and the next seq is behind them.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/manifest.hpp"
#include "engine/segment_file.hpp"

namespace {

using namespace docket;

void check(std::span<const std::byte> bytes) {
  const auto manifest = decode_manifest(bytes);
  if (!manifest) {
    return;
  }
  Seq next{1};
  SegmentId last;
  for (const SegmentInfo& segment : manifest->segments) {
    DOCKET_ASSERT(segment.first_seq >= next && segment.last_seq >= segment.first_seq);
    DOCKET_ASSERT(segment.id > last || last.value == 0);
    next = segment.last_seq + 1;
    last = segment.id;
  }
  DOCKET_ASSERT(manifest->next_seq >= next);
  const std::vector<std::byte> again = encode_manifest(*manifest);
  const auto same = decode_manifest(again);
  DOCKET_ASSERT(same.has_value());
  DOCKET_ASSERT(encode_manifest(*same) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  check(bytes);
  std::vector<std::byte> whole(40);
  std::memcpy(whole.data(), "DKTMANI1", 8);
  store_le(whole.data() + 8, format_version);
  store_le(whole.data() + 24, static_cast<std::uint64_t>(size));
  RunningChecksum sum;
  sum.add(std::span<const std::byte>(whole).first(32));
  sum.add(bytes);
  store_le(whole.data() + 32, sum.value());
  append_bytes(whole, bytes);
  check(whole);
  return 0;
}
