// Arbitrary bytes as a sealed segment: the input is all of the file but its header and trailer,
// which are made to fit, as are all checksums that can be found from the footer.
//
// Input: the last two bytes say how many bytes before them are the footer.
//
// Invariants:
//   F1  Loading, reading every event, and scanning every dictionary end with a value or an error.
//   F2  Rows, blocks and seqs of what is loaded agree with each other.
//   F3  Encoding a loaded footer gives one that is loaded as the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/assert.hpp"
#include "engine/footer.hpp"
#include "engine/sealed_segment.hpp"
#include "engine/segment_file.hpp"
#include "tests/fuzz/memory_disk.hpp"
#include "tests/fuzz/repair.hpp"

namespace {

using namespace docket;

constexpr std::size_t rows_read_max = 2000;

// Walks the bytes of a footer as FORMAT.md lays them out.
class Walk {
 public:
  Walk(std::span<std::byte> footer, std::span<std::byte> content)
      : rest_(footer), content_(content) {}

  void repair() {
    take(8 + 8 + 4 + 4 * 8);
    for (std::uint64_t blocks = number(4); blocks > 0 && !rest_.empty(); --blocks) {
      const auto head = take(number(4));
      if (head.size() < block_header_bytes + body_header_bytes) {
        return;
      }
      const auto at = load_le<std::uint64_t>(head.data() + 32) + block_header_bytes;
      testing::repair_body(head.subspan(block_header_bytes), at_place(at));
      testing::repair_block_header(head);
    }
    for (std::size_t list = 0; list < string_list_count; ++list) {
      for (std::uint64_t pages = (number(4) + 255) / 256; pages > 0 && !rest_.empty(); --pages) {
        repair_placed();
      }
      repair_tokens();
    }
    take(8);
    for (int section = 0; section < 6; ++section) {  // tables and orders
      repair_if_present();
    }
    repair_tokens();
  }

 private:
  std::span<std::byte> take(std::uint64_t bytes) {
    const auto taken = rest_.first(std::min<std::uint64_t>(bytes, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    const auto from = take(bytes);
    std::memcpy(&value, from.data(), from.size());
    return value;
  }
  std::span<std::byte> at_place(std::uint64_t at) const {
    return at >= content_.size() ? std::span<std::byte>() : content_.subspan(at);
  }
  bool repair_if_present() {
    const bool present = number(1) == 1;
    if (present) {
      repair_placed();
    }
    return present;
  }
  void repair_tokens() {
    if (repair_if_present()) {
      repair_if_present();
      repair_if_present();
    }
  }
  void repair_placed() {
    const std::uint64_t at = number(8);
    const auto entry = take(section_entry_bytes);
    if (entry.size() == section_entry_bytes) {
      const auto place = at_place(at);
      const auto bytes = load_le<std::uint32_t>(entry.data() + 8);
      testing::repair_section(entry.data(),
                              place.first(std::min<std::size_t>(bytes, place.size())));
    }
  }

  std::span<std::byte> rest_;
  std::span<std::byte> content_;
};

std::vector<std::byte> file_of(std::span<const std::byte> input) {
  std::size_t footer_bytes = 0;
  if (input.size() >= 2) {
    footer_bytes = load_le<std::uint16_t>(input.last(2).data());
    input = input.first(input.size() - 2);
  }
  footer_bytes = std::min(footer_bytes, input.size());
  std::vector<std::byte> file =
      encode_segment_header({SegmentKind::sealed, "activity", SegmentId(1), Seq(1)});
  append_bytes(file, input);
  const std::size_t at = file.size() - footer_bytes;
  Walk(std::span(file).subspan(at), std::span(file).first(at)).repair();
  std::vector<std::byte> trailer(trailer_bytes);
  std::memcpy(trailer.data(), "DKTFOOT1", 8);
  store_le(trailer.data() + 8, static_cast<std::uint64_t>(at));
  store_le(trailer.data() + 16, static_cast<std::uint64_t>(footer_bytes));
  store_le(trailer.data() + 24, checksum64(std::span<const std::byte>(file).subspan(at)));
  store_le(trailer.data() + 32, format_version);
  store_le(trailer.data() + 56, checksum64(std::span<const std::byte>(trailer).first(56)));
  append_bytes(file, trailer);
  return file;
}

void check_footer(const Footer& footer, std::span<const std::byte> file) {
  std::uint64_t rows = 0;
  Seq next = footer.summary.first_seq;
  for (const SealedBlock& block : footer.blocks) {
    DOCKET_ASSERT(block.header.first_seq >= next && block.header.rows != 0);
    next = block.header.end_seq();
    rows += block.header.rows;
  }
  DOCKET_ASSERT(rows == footer.summary.rows);
  const auto at = load_le<std::uint64_t>(file.last(trailer_bytes).data() + 8);
  const auto again = encode_footer(footer, FileOffset(at));
  std::vector<std::byte> rewritten(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(at));
  append_bytes(rewritten, again);
  testing::MemoryDisk disk;
  disk.put("again", rewritten);
  const auto loaded = load_footer(*disk.open("again", OpenMode::read).value(), SegmentId(1));
  DOCKET_ASSERT(loaded.has_value());
  DOCKET_ASSERT(encode_footer(loaded->footer, FileOffset(at)) == again);
}

void scan(const Result<const StringTable*>& table) {
  if (table) {
    static_cast<void>((*table)->scan(0, std::min<std::uint32_t>((*table)->size(), rows_read_max),
                                     [](std::uint32_t, std::string_view) { return true; }));
  }
}

void read_all(const SealedSegment& segment) {
  if (!segment.blocks()) {
    return;
  }
  EventReader reader(segment);
  Event event;
  for (std::uint32_t row = 0; row < segment.info().rows && row < rows_read_max; ++row) {
    static_cast<void>(reader.read(row, event));
  }
  const auto dictionaries = segment.dictionaries(0);
  if (!dictionaries) {
    return;
  }
  for (std::size_t f = 0; f < dictionary_field_count; ++f) {
    scan((*dictionaries)->strings(static_cast<DictionaryField>(f)));
  }
  scan((*dictionaries)->actor_ids());
  scan((*dictionaries)->actor_names());
  scan((*dictionaries)->target_ids());
  scan((*dictionaries)->target_names());
  static_cast<void>((*dictionaries)->actor_kinds());
  static_cast<void>((*dictionaries)->actor_roles());
  static_cast<void>((*dictionaries)->target_types());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::byte> bytes = file_of(std::as_bytes(std::span(data, size)));
  testing::MemoryDisk disk;
  disk.put("1.seg", bytes);
  const auto file = disk.open("1.seg", OpenMode::read);
  const auto loaded = load_footer(**file, SegmentId(1));
  if (!loaded) {
    return 0;
  }
  check_footer(loaded->footer, bytes);
  SegmentInfo info;
  info.log = "activity";
  info.id = SegmentId(1);
  info.path = "1.seg";
  info.first_seq = loaded->footer.summary.first_seq;
  info.last_seq = loaded->footer.summary.last_seq;
  info.rows = loaded->footer.summary.rows;
  info.digest = loaded->digest;
  SectionCache cache(1 << 20);
  read_all(SealedSegment(disk, cache, info));
  return 0;
}
