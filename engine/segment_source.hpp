// An open segment file read section by section, through the cache, every byte verified before use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "engine/disk.hpp"
#include "engine/section.hpp"
#include "engine/section_cache.hpp"

namespace docket {

// Thread-safe. `cache` must outlive it.
class SegmentSource {
 public:
  SegmentSource(std::unique_ptr<File> file, SectionCache& cache, SegmentId id, std::string path);
  SegmentSource(const SegmentSource&) = delete;
  SegmentSource& operator=(const SegmentSource&) = delete;

  // The section's bytes, verified; `at` is where it starts in the file. With a null `inspect` or
  // after it has accepted them, they are kept in the cache: what comes from there was inspected.
  using Inspect = std::function<Result<void>(const SectionBytes&)>;
  [[nodiscard]] Result<SectionBytes> section(const SectionEntry& entry, FileOffset at,
                                             const Inspect& inspect = {}) const;
  [[nodiscard]] Result<std::shared_ptr<const StringList>> strings(const SectionEntry& entry,
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
