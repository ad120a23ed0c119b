// Arbitrary bytes as an index file, and parts of one with checksums that fit.
//
// Input: the first byte chooses. Even: the rest is the file. Odd: the rest is one section, which is
// put into a file whose header, table and checksums are right, so that the decoders behind the
// checksums are reached; the first byte also chooses the kind.
//
// Invariants:
//   I1  No read outside of the bytes, no assertion, no crash.
//   I2  No more memory is given than a fixed multiple of the file's size.
//   I3  No row outside of the chunk, no strip outside of the segment is given out.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/assert.hpp"
#include "index/index_file.hpp"
#include "index/segment_index.hpp"

namespace {

using namespace docket::index;

constexpr PageShape shape{100 * 8192, 820};
constexpr std::uint32_t values = 700;

void read_page(const SegmentIndex& index, Dimension dimension, std::uint32_t value) {
  const auto page = index.page(dimension, value);
  if (!page) {
    return;
  }
  std::vector<std::uint32_t> strips;
  for (std::uint32_t i = 0; i < (*page)->size(); ++i) {
    DOCKET_ASSERT((*page)->rows(i) <= index.rows());
    (*page)->strips(i, strips);
    DOCKET_ASSERT(strips.empty() || strips.back() < index.shape().strips());
    strips.clear();
  }
}

void read_bitmap(const SegmentIndex& index, Dimension dimension, std::uint32_t value) {
  const auto bitmap = index.bitmap(dimension, value);
  if (!bitmap) {
    return;
  }
  const auto bits = std::make_unique<RowBits>();
  for (std::uint32_t chunk = 0; chunk < (*bitmap)->chunks(); ++chunk) {
    const std::uint32_t rows =
        std::min(docket::limits::chunk_rows, index.rows() - chunk * docket::limits::chunk_rows);
    bits->clear(WordRange{});
    (*bitmap)->add_to(chunk, *bits, WordRange{});
    bits->for_each(WordRange{}, [&](std::uint32_t row) {
      DOCKET_ASSERT(row < rows || (row < (rows + 63) / 64 * 64));
    });
    bits->clear(WordRange{});
    (*bitmap)->add_to(chunk, *bits, WordRange{100, 200});
    DOCKET_ASSERT(!bits->any(WordRange{0, 100}) && !bits->any(WordRange{200, chunk_words}));
  }
  static_cast<void>((*bitmap)->is_sound());
}

void read_all(std::vector<std::byte> file) {
  const auto opened =
      SegmentIndex::open(memory_source(std::move(file)), std::make_shared<SectionCache>(1 << 20));
  if (!opened) {
    return;
  }
  const SegmentIndex& index = **opened;
  for (const SectionEntry& entry : index.table()) {
    const auto dimension = static_cast<Dimension>(entry.dimension);
    switch (entry.kind) {
      case SectionKind::value_page:
        read_page(index, dimension, entry.first);
        break;
      case SectionKind::row_bitmap:
        read_bitmap(index, dimension, entry.first);
        break;
      case SectionKind::name_filter:
        static_cast<void>(index.may_have_name(dimension, "Ann Ash"));
        break;
      case SectionKind::time_sorted:
        static_cast<void>(index.time_sorted());
        break;
      case SectionKind::block_counts:
        if (const auto counts = index.block_counts(dimension)) {
          for (std::uint32_t block = 0; block < index.blocks(); ++block) {
            DOCKET_ASSERT((*counts)->of(block).size() == index.values(dimension));
          }
        }
        break;
      case SectionKind::changed_names:
        if (const auto names = index.changed_names()) {
          DOCKET_ASSERT((*names)->size() + 1 == index.values(dimension));
          const docket::IdRange all = (*names)->values("", true);
          DOCKET_ASSERT(all.begin == 1 && all.end == index.values(dimension));
        }
        break;
      case SectionKind::text_filter:
        if (const auto filter = index.text_filter(); filter && *filter != nullptr) {
          for (const char* text : {"abc", "hourly_limit", "zzz"}) {
            DOCKET_ASSERT((*filter)->possible_blocks(trigrams_of(text)).size() == index.blocks());
          }
        }
        break;
    }
  }
}

// The bytes as the only section of a file that is right otherwise.
std::vector<std::byte> wrapped(std::uint8_t choice, std::span<const std::byte> section) {
  Header header;
  header.blocks = 100;
  header.shape = shape;
  header.values.fill(values);
  IndexFileWriter writer;
  switch (choice / 2 % 7) {
    case 0:
      writer.add(SectionKind::value_page, static_cast<std::uint8_t>(Dimension::ip), 0, section);
      break;
    case 1:
      writer.add(SectionKind::row_bitmap, static_cast<std::uint8_t>(Dimension::verb), 3, section);
      break;
    case 2:
      writer.add(SectionKind::name_filter, static_cast<std::uint8_t>(Dimension::actor), 0, section);
      break;
    case 3:
      header.values[static_cast<std::size_t>(Dimension::kind)] = 5;
      writer.add(SectionKind::block_counts, static_cast<std::uint8_t>(Dimension::kind), 0, section);
      break;
    case 4:
      header.values[static_cast<std::size_t>(Dimension::changed)] = 4;
      writer.add(SectionKind::changed_names, static_cast<std::uint8_t>(Dimension::changed), 0,
                 section);
      break;
    case 5:
      writer.add(SectionKind::text_filter, 0, 0, section);
      break;
    default:
      writer.add(SectionKind::time_sorted, 0, 0, section);
  }
  return writer.finish(header);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] % 2 == 0) {
    read_all(std::vector<std::byte>(bytes.begin(), bytes.end()));
  } else {
    read_all(wrapped(data[0], bytes));
  }
  return 0;
}
