// An index taken to its sections and put together again, so that a test can change what one says
// with all checksums matching.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "index/index_builder.hpp"
#include "index/index_file.hpp"
#include "index/segment_index.hpp"

namespace docket::index {

struct Sections {
  struct Section {
    SectionEntry entry;  // offset, bytes and checksum as they were
    std::vector<std::byte> bytes;
  };

  Header header;
  std::vector<Section> all;

  explicit Sections(const SegmentReader& segment) {
    const std::vector<std::byte> file = build_index(segment).value();
    header = parse_header(file, file.size()).value();
    const std::vector<SectionEntry> table =
        parse_table(std::span(file).subspan(header_bytes, header.sections * section_entry_bytes),
                    header)
            .value();
    for (const SectionEntry& entry : table) {
      const auto bytes = std::span(file).subspan(entry.offset, entry.bytes);
      all.push_back({entry, {bytes.begin(), bytes.end()}});
    }
  }

  // The first of a kind that has bytes.
  [[nodiscard]] Section& first(SectionKind kind) {
    for (Section& section : all) {
      if (section.entry.kind == kind && !section.bytes.empty()) {
        return section;
      }
    }
    std::abort();
  }
  [[nodiscard]] std::vector<std::byte> file() const {
    IndexFileWriter writer;
    for (const Section& section : all) {
      writer.add(section.entry.kind, section.entry.dimension, section.entry.first, section.bytes);
    }
    return writer.finish(header);
  }
  [[nodiscard]] std::shared_ptr<const SegmentIndex> open() const {
    return SegmentIndex::open(memory_source(file()), std::make_shared<SectionCache>(1 << 24))
        .value();
  }
};

}  // namespace docket::index
