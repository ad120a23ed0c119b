// Checksums made to match again, so that what a fuzzer changes reaches the decoders behind them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/block.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/section.hpp"

namespace docket::testing {

// Of a section that `entry` (24 bytes of a directory) names: into the entry, and for chunks into
// the chunk table.
inline void repair_section(std::byte* entry, std::span<std::byte> section) {
  if (is_chunks(static_cast<Codec>(load_le<std::uint8_t>(entry + 1)))) {
    const auto items = load_le<std::uint32_t>(entry + 4);
    const auto table = section.first(
        std::min<std::size_t>(section.size(), std::size_t{items} * chunk_entry_bytes));
    std::size_t chunk = table.size();
    for (std::size_t i = 0; i + chunk_entry_bytes <= table.size() && chunk <= section.size();
         i += chunk_entry_bytes) {
      const auto stored = std::min<std::size_t>(load_le<std::uint32_t>(table.data() + i + 8),
                                                section.size() - chunk);
      store_le(table.data() + i + 12, checksum32(section.subspan(chunk, stored)));
      chunk += stored;
    }
    section = table;
  }
  store_le(entry + 12, checksum32(section));
}

// Of every section of a body, as far as its directory can be followed; `directory` may be a copy
// that stands elsewhere.
inline void repair_body(std::span<std::byte> directory, std::span<std::byte> body) {
  const std::size_t size = std::min(directory_size(directory), directory.size());
  std::size_t offset = size;
  for (std::size_t at = body_header_bytes;
       at + section_entry_bytes <= size && offset <= body.size(); at += section_entry_bytes) {
    const auto bytes = load_le<std::uint32_t>(directory.data() + at + 8);
    repair_section(directory.data() + at,
                   body.subspan(offset, std::min<std::size_t>(bytes, body.size() - offset)));
    offset += bytes;
  }
}
inline void repair_body(std::span<std::byte> body) {
  repair_body(body, body);
}

// Of a block's header, as far as it and its directory are there.
inline void repair_block_header(std::span<std::byte> block) {
  const std::size_t head = block_head_bytes(block);
  if (head != 0 && head <= block.size()) {
    const auto flags = load_le<std::uint32_t>(block.data() + 4);
    store_le(block.data() + 8, checksum64(block.first(head).subspan(16)) ^ flags);
  }
}

}  // namespace docket::testing
