// Reading a sealed segment. Nothing of the file is touched before it is asked for.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/footer.hpp"
#include "engine/segment_base.hpp"

namespace docket {

// What the segments of one retirement share: the last of them whose files are removed syncs the
// directory, once for all. `disk` must outlive it.
class SegmentRemoval {
 public:
  SegmentRemoval(Disk& disk, std::string directory);
  ~SegmentRemoval();
  SegmentRemoval(const SegmentRemoval&) = delete;
  SegmentRemoval& operator=(const SegmentRemoval&) = delete;

 private:
  Disk& disk_;
  const std::string directory_;
};

// Thread-safe. `disk` and `cache` must outlive it.
class SealedSegment : public SegmentBase {
 public:
  // What the manifest knows of the segment; `info.path` is opened at the first use. A footer whose
  // digest is not the manifest's is corrupt: another file stands in the segment's place.
  SealedSegment(Disk& disk, SectionCache& cache, SegmentInfo info);
  // Removes the segment's files where remove_when_released() was called.
  ~SealedSegment() override;

  [[nodiscard]] const SegmentInfo& info() const override { return info_; }
  [[nodiscard]] Result<std::span<const BlockInfo>> blocks() const override;
  [[nodiscard]] Result<std::shared_ptr<const Dictionaries>> dictionaries(
      std::uint32_t block) const override;
  void will_read(std::uint32_t block) const override;

  // Retired: the last reader to let go removes `files`, and lets go of `removal`.
  void remove_when_released(std::vector<std::string> files,
                            std::shared_ptr<const SegmentRemoval> removal) const;

 protected:
  [[nodiscard]] Result<std::shared_ptr<const BlockPlace>> place(std::uint32_t block) const override;
  [[nodiscard]] Result<const SegmentSource*> source(std::uint32_t block) const override;
  [[nodiscard]] Result<const PlacedTokens*> payload_tokens() const override;
  [[nodiscard]] Result<IdOrder> order_of(Section section) const override;

 private:
  struct Loaded;
  [[nodiscard]] Result<const Loaded*> load() const;

  Disk& disk_;
  SectionCache& cache_;
  SegmentInfo info_;
  mutable std::mutex mutex_;  // guards the loading and the removal list
  mutable std::unique_ptr<const Loaded> owned_;
  mutable std::atomic<const Loaded*> loaded_ = nullptr;
  mutable std::vector<std::string> remove_files_;
  mutable std::shared_ptr<const SegmentRemoval> removal_;
};

}  // namespace docket
