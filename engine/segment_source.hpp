// An open segment file read section by section, through the cache, every byte verified before use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/section.hpp"
#include "engine/section_cache.hpp"
#include "engine/token_table.hpp"

namespace docket {

// A section and where it stands in the file.
struct PlacedSection {
  SectionEntry entry;
  FileOffset at;
};

// The sections of a token table.
struct PlacedTokens {
  PlacedSection texts;
  PlacedSection lengths;                        // of the tokens' codes
  std::optional<PlacedSection> shared_lengths;  // as Tokens::shared_lengths
};

// The ids that are most frequent in a column (ValueOrder::ids()); null: they are not ordered.
using IdOrder = std::shared_ptr<const std::vector<std::uint32_t>>;

// Thread-safe. `cache` must outlive it.
class SegmentSource {
 public:
  SegmentSource(std::unique_ptr<File> file, SectionCache& cache, SegmentId id, std::string path);
  SegmentSource(const SegmentSource&) = delete;
  SegmentSource& operator=(const SegmentSource&) = delete;

  // The section's bytes, verified; `at` is where it starts in the file. With a null `inspect` or
  // after it has accepted them, they are kept in the cache: what comes from there was inspected.
  // Coded integers come unpacked; `order` is their column's.
  using Inspect = std::function<Result<void>(const SectionBytes&)>;
  [[nodiscard]] Result<SectionBytes> section(const SectionEntry& entry, FileOffset at,
                                             const Inspect& inspect = {},
                                             const IdOrder& order = {}) const;
  // `tokens` are the list's where the section is a stream of them.
  [[nodiscard]] Result<std::shared_ptr<const StringList>> strings(
      const SectionEntry& entry, FileOffset at,
      const std::optional<PlacedTokens>& tokens = {}) const;
  [[nodiscard]] Result<std::shared_ptr<const TokenTable>> tokens(const PlacedTokens& placed) const;
  // What the cache has of them; null: nothing, or they have no bytes.
  [[nodiscard]] SectionBytes kept_section(const SectionEntry& entry, FileOffset at) const;
  [[nodiscard]] std::shared_ptr<const StringList> kept_strings(const SectionEntry& entry,
                                                               FileOffset at) const;
  // Reads without verifying or keeping.
  [[nodiscard]] Result<void> read(FileOffset at, std::span<std::byte> into) const;

  [[nodiscard]] SectionCache& cache() const { return cache_; }
  // The cache key of something decoded from `at`; `kind` tells apart what shares a place (1..15).
  [[nodiscard]] SectionCache::Key key(FileOffset at, std::uint64_t kind) const {
    return {owner_, (at.value << 4) | kind};
  }
  [[nodiscard]] SegmentId id() const { return id_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] File& file() const { return *file_; }

  // Puts the segment's id and `at` into an error of a decoder that does not know them.
  [[nodiscard]] tl::unexpected<Error> placed(Error error, FileOffset at) const;

 private:
  std::unique_ptr<File> file_;
  SectionCache& cache_;
  SegmentId id_;
  std::string path_;
  std::uint64_t owner_;
};

}  // namespace docket
