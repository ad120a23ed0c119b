// A body is a directory of sections and the sections themselves: one column or dictionary each
// (engine/FORMAT.md, "Body"). The same form on the wire, in a hot block and in a sealed block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/coded_ints.hpp"
#include "engine/packed_ints.hpp"
#include "engine/result.hpp"

namespace docket {

class TokenEncoder;
class TokenTable;

// The numbers are the format; never reuse one.
enum class Section : std::uint8_t {
  // Plain dictionaries: strings, entry 0 empty.
  kind = 1,
  role = 2,
  type = 3,
  verb = 4,
  reason = 5,
  session = 6,
  request = 7,
  ip = 8,
  // The actor table, one entry per tuple, entry 0 empty.
  actor_kind = 10,
  actor_id = 11,
  actor_name = 12,
  actor_role = 13,
  // The target table.
  target_type = 14,
  target_id = 15,
  target_name = 16,
  // One value per row.
  row_ts = 20,
  row_received = 21,
  row_actor = 22,
  row_verb = 23,
  row_target = 24,
  row_affected = 25,
  row_ip = 26,
  row_outcome = 27,
  row_reason = 28,
  row_session = 29,
  row_request = 30,
  row_node = 31,
  related_counts = 32,   // per row
  related_targets = 33,  // ids in the target table, rows' lists one after the other
  payload_lengths = 34,  // per row; 0: no payload
  payload_data = 35,     // chunks
  node = 40,  // a plain dictionary; last, so that the server can append it to a sender's body
};

enum class Codec : std::uint8_t {
  ints = 0,         // packed integers
  strings_raw = 1,  // packed lengths, then the bytes
  strings_lz4 = 2,  // packed lengths, then u32 raw size and one LZ4 block
  chunks = 3,       // chunk table, then the chunks
  // In sealed segments only.
  strings_tokens = 4,  // token streams (token_table.hpp)
  chunks_tokens = 5,   // as chunks, of token streams
  ints_coded = 6,      // integers in fewer bits (coded_ints.hpp)
};

// What may stand in a body: on the wire and in hot blocks, or in a sealed segment.
enum class BodyForm : std::uint8_t { plain, sealed };

[[nodiscard]] constexpr bool is_strings(Codec codec) {
  return codec == Codec::strings_raw || codec == Codec::strings_lz4;
}
[[nodiscard]] constexpr bool is_ints(Codec codec) {
  return codec == Codec::ints || codec == Codec::ints_coded;
}
[[nodiscard]] constexpr bool is_chunks(Codec codec) {
  return codec == Codec::chunks || codec == Codec::chunks_tokens;
}

// Where a section is and how to read it: 24 bytes in the directory.
//   0 section u8 · 1 codec u8 · 2 width u8 · 3 scale exponent u8 · 4 items u32 · 8 bytes u32 ·
//   12 checksum u32 · 16 base u64
struct SectionEntry {
  Section section = Section::kind;
  Codec codec = Codec::ints;
  std::uint8_t width = 0;           // bits of a packed integer (or of a packed length)
  std::uint8_t scale_exponent = 0;  // ints: value = base + 10^exponent * bits
  std::uint32_t items = 0;
  std::uint32_t bytes = 0;
  std::uint32_t checksum = 0;  // checksum32 of the section's bytes
  std::uint64_t base = 0;
  std::uint32_t offset = 0;  // from the start of the body; not stored, it follows
};
inline constexpr std::size_t section_entry_bytes = 24;
// 0 rows u32 · 4 sections u16 · 6 reserved u16 (0)
inline constexpr std::size_t body_header_bytes = 8;

struct BodyDirectory {
  std::uint32_t rows = 0;
  std::uint64_t body_bytes = 0;       // directory and sections
  std::vector<SectionEntry> entries;  // ascending by section

  [[nodiscard]] const SectionEntry* find(Section section) const;
  // Entries of a table, entry 0 among them, whichever of its sections are there.
  [[nodiscard]] std::uint32_t actor_entries() const;
  [[nodiscard]] std::uint32_t target_entries() const;
  [[nodiscard]] std::size_t directory_bytes() const {
    return body_header_bytes + entries.size() * section_entry_bytes;
  }
};

// Reads the directory at the start of `body` (which may end after it) and checks everything that
// can be checked without the sections: known sections and codecs, ascending order, widths, item
// counts against each other and the bounds of limits.hpp. Error: corrupt, without a place.
[[nodiscard]] Result<BodyDirectory> parse_directory(std::span<const std::byte> body,
                                                    BodyForm form = BodyForm::plain);
// How many bytes the directory takes, from the first body_header_bytes of it; 0 when absurd.
[[nodiscard]] std::size_t directory_size(std::span<const std::byte> body_header);

// Strings decoded from a section, by id.
struct StringList {
  std::shared_ptr<const std::vector<std::byte>> bytes;  // all strings, one after the other
  std::vector<std::uint32_t> starts;                    // size() + 1 offsets into bytes

  [[nodiscard]] std::uint32_t size() const {
    return starts.empty() ? 0 : static_cast<std::uint32_t>(starts.size() - 1);
  }
  [[nodiscard]] std::string_view operator[](std::uint32_t i) const {
    return {reinterpret_cast<const char*>(bytes->data()) + starts[i], starts[i + 1] - starts[i]};
  }
};

struct PayloadChunk {
  std::uint32_t first_row = 0;
  std::uint32_t raw_bytes = 0;
  std::uint32_t stored_bytes = 0;  // equal to raw_bytes: stored as it is
  std::uint32_t checksum = 0;      // of the stored bytes
  std::uint32_t offset = 0;        // from the start of the section; not stored, it follows
};
// 0 first row u32 · 4 raw bytes u32 · 8 stored bytes u32 · 12 checksum u32
inline constexpr std::size_t chunk_entry_bytes = 16;

// A section's bytes, followed by section_padding readable bytes. Sharing it keeps them alive.
using SectionBytes = std::shared_ptr<const std::byte>;
inline constexpr std::size_t section_padding = 8;

// Whether the bytes are what the directory says. Error: corrupt, without a place.
[[nodiscard]] Result<void> check_section(const SectionEntry& entry,
                                         std::span<const std::byte> bytes);

// The readers of a section's bytes, after check_section(). Errors: corrupt, without a place.
// Of coded integers the bytes are those of unpack_coded().
[[nodiscard]] Result<PackedInts> read_ints(const SectionEntry& entry, SectionBytes bytes);
// Coded integers as packed ones. `stored` is followed by section_padding readable bytes; `order` is
// the column's (coded_ints.hpp). Takes memory for entry.items values.
[[nodiscard]] Result<SectionBytes> unpack_coded(const SectionEntry& entry,
                                                std::span<const std::byte> stored,
                                                std::span<const std::uint32_t> order);
// How many bytes the section's integers take in memory.
[[nodiscard]] std::uint64_t packed_section_bytes(const SectionEntry& entry);
[[nodiscard]] Result<StringList> read_strings(const SectionEntry& entry,
                                              std::span<const std::byte> bytes);
// How many bytes the strings are once decompressed, and whether none is longer than any field may
// be. After check_section(); nothing is decompressed.
struct StringBounds {
  std::uint64_t raw_bytes = 0;
  bool are_kept = false;
};
[[nodiscard]] StringBounds string_bounds(const SectionEntry& entry,
                                         std::span<const std::byte> bytes);
// The chunk table at the start of a chunks section, of which the entry's checksum is: single chunks
// can be read and checked without the rest.
[[nodiscard]] Result<std::vector<PayloadChunk>> read_chunk_table(const SectionEntry& entry,
                                                                 std::span<const std::byte> table,
                                                                 std::uint32_t rows);
// What is coded takes 8 bytes a value while it is decoded, whatever its own bytes: more values than
// these are packed.
inline constexpr std::uint64_t coded_items_max = std::uint64_t{4} << 20;

// Checks the stored bytes of a chunk and fills `raw`, which is raw_bytes long. `tokens` are those
// of chunks_tokens, null of chunks; with them `stored` is followed by section_padding readable
// bytes.
[[nodiscard]] Result<void> read_chunk(const PayloadChunk& chunk, std::span<const std::byte> stored,
                                      std::span<std::byte> raw, const TokenTable* tokens = nullptr);
// A chunk with its stored bytes, and room for the raw ones.
struct StoredChunk {
  const PayloadChunk* chunk = nullptr;
  std::span<const std::byte> stored;
  std::span<std::byte> raw;
};
// read_chunk() of each; those of tokens are decoded side by side.
[[nodiscard]] Result<void> read_chunks(std::span<const StoredChunk> chunks,
                                       const TokenTable* tokens);
// The value of a row column that has no section: affected is 1, everything else 0.
[[nodiscard]] PackedInts absent_column(Section section, std::uint32_t rows);

// Encodes a list of strings (`bytes` holds them one after the other) behind what is in `out`. The
// entry's section and offset are the caller's to set.
[[nodiscard]] SectionEntry encode_strings(std::span<const std::uint32_t> lengths,
                                          std::span<const std::byte> bytes,
                                          std::vector<std::byte>& out);
// Encodes ids; nothing where all are 0, which is what an absent section says. In sealed segments
// they are coded where that takes less; `traits` says what is known of them.
[[nodiscard]] std::optional<SectionEntry> encode_ids(std::span<const std::uint32_t> values,
                                                     std::vector<std::byte>& out,
                                                     BodyForm form = BodyForm::plain,
                                                     const ColumnTraits& traits = {});

// Writes a body: add sections in ascending order, then finish.
class BodyWriter {
 public:
  void start(std::uint32_t rows, BodyForm form = BodyForm::plain);
  // A column of integers. With `scaled`, a common power of ten is taken out. Columns that are all
  // equal to the value of an absent one are left out.
  void add_ints(Section section, std::span<const std::uint64_t> values, bool scaled);
  void add_ints(Section section, std::span<const std::uint32_t> values,
                const ColumnTraits& traits = {});
  // Strings: entry 0 must be empty. A list of only entry 0 is left out.
  void add_strings(Section section, std::span<const std::uint32_t> lengths,
                   std::span<const std::byte> bytes);
  // With `tokens`, which only sealed blocks may have, as streams of them, else as LZ4 blocks.
  void add_payloads(std::span<const std::uint32_t> lengths, std::span<const std::byte> bytes,
                    const TokenEncoder* tokens = nullptr);
  // The body; leaves the writer ready for start().
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  SectionEntry& begin_section(Section section, Codec codec, std::uint32_t items);
  void end_section();
  void push(Section section, SectionEntry entry, std::size_t at);

  std::uint32_t rows_ = 0;
  BodyForm form_ = BodyForm::plain;
  std::vector<SectionEntry> entries_;
  std::vector<std::byte> sections_;
};

[[nodiscard]] constexpr std::uint32_t bits_for(std::uint64_t value) {
  return value == 0 ? 0 : static_cast<std::uint32_t>(64 - __builtin_clzll(value));
}

}  // namespace docket
