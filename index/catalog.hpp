// The indexes of all segments: found on disk, verified, or built anew.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/disk.hpp"
#include "engine/result.hpp"
#include "engine/segment_reader.hpp"

namespace docket::index {

class SegmentIndex;

struct CatalogOptions {
  bool read_only = false;  // a second process: never writes, builds in memory where one is missing
  std::uint64_t memory_bytes = std::uint64_t{64}
                               << 20;  // of loaded indexes; least recently used go
};

struct CatalogStats {
  std::uint64_t built = 0;  // since start, with or without writing them
  std::uint64_t loaded = 0;
  std::uint64_t damaged = 0;  // found damaged and built anew
  std::uint64_t bytes = 0;    // in memory now
};

// Thread-safe. An index is derived data: whatever happens to its file, answers stay exact.
class Catalog {
 public:
  Catalog(Disk& disk, const CatalogOptions& options);
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // Builds the index of a segment just sealed and writes it durably beside the segment file.
  [[nodiscard]] Result<void> build(const std::shared_ptr<const SegmentReader>& segment);
  // The index of a sealed segment: from memory, from its file, or built from the segment (and
  // written, unless read_only). Null for an active segment. An error means that the segment itself
  // cannot be read.
  [[nodiscard]] Result<std::shared_ptr<const SegmentIndex>> of(
      const std::shared_ptr<const SegmentReader>& segment);
  // The same where it costs little: from memory or from its file, else null. Never builds.
  [[nodiscard]] std::shared_ptr<const SegmentIndex> existing(
      const std::shared_ptr<const SegmentReader>& segment);
  [[nodiscard]] CatalogStats stats() const;

  // Compares every posting and total with the segment's rows. Error: corrupt, naming the place;
  // not_found when there is no index file.
  [[nodiscard]] Result<void> verify(const std::shared_ptr<const SegmentReader>& segment);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace docket::index
