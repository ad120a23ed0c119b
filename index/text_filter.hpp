// Which blocks of a segment may hold a text in their payloads: for each three characters that
// follow one another anywhere the blocks where they do (index/FORMAT.md, "Text filter").
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "index/trigrams.hpp"

namespace docket::index {

// Immutable; thread-safe. Keeps the encoded bytes: a question passes over them once.
class TextFilter {
 public:
  // Error: corrupt. `blocks`: of the segment.
  [[nodiscard]] static Result<TextFilter> parse(std::vector<std::byte> bytes, std::uint32_t blocks);

  // For each block: false where certainly no payload, and no string of one without its escapes,
  // has all of `trigrams`, which ascend.
  [[nodiscard]] std::vector<bool> possible_blocks(std::span<const Trigram> trigrams) const;
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_.size() + sizeof(*this); }

 private:
  std::vector<std::byte> bytes_;  // and bit_padding
  std::uint32_t blocks_ = 0;
};

// Collects the trigrams of block after block.
class TextFilterBuilder {
 public:
  // What stands in the current block: payloads, one behind the other, and strings of theirs.
  void add(std::string_view text);
  // False once there are so many that collecting them would take too much memory.
  [[nodiscard]] bool end_block(std::uint32_t rows);
  // Appends the filter. False, with nothing appended, where it would have more bytes than the
  // segment has rows: text of that density is in any block.
  [[nodiscard]] bool finish(std::vector<std::byte>& out);

 private:
  struct Posting {
    Trigram trigram = 0;
    std::uint32_t block = 0;
  };
  TrigramSet found_;  // in the current block
  std::vector<Posting> postings_;
  std::uint32_t blocks_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace docket::index
