// The unsealed segment: self-contained blocks in the order of their commits.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/block.hpp"
#include "engine/limits.hpp"
#include "engine/segment_base.hpp"

namespace docket {

// An array that one thread appends to while others read the part they were shown. Appending never
// changes what a view covers; a view keeps its memory alive.
template <typename T>
class AppendOnly {
 public:
  struct View {
    std::shared_ptr<const T[]> data;
    std::size_t size = 0;
    [[nodiscard]] std::span<const T> span() const { return {data.get(), size}; }
  };

  // Makes room for `more` values, so that appending them needs no memory.
  void reserve(std::size_t more) {
    if (capacity_ - size_ >= more) {
      return;
    }
    const std::size_t wider = std::max({std::size_t{64}, capacity_ * 2, size_ + more});
    std::shared_ptr<T[]> grown(new T[wider]());
    std::copy(data_.get(), data_.get() + size_, grown.get());
    data_ = std::move(grown);
    capacity_ = wider;
  }
  void append(const T& value) {
    reserve(1);
    data_[static_cast<std::ptrdiff_t>(size_)] = value;
    ++size_;
  }
  [[nodiscard]] View view() const { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] const T& back() const { return data_[static_cast<std::ptrdiff_t>(size_ - 1)]; }

 private:
  std::shared_ptr<T[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Where a block of a hot segment is.
struct HotBlockRef {
  FileOffset at;
  std::uint32_t head_bytes = 0;  // header and directory
  std::uint32_t body_bytes = 0;
  bool merged = false;  // in memory, made of several blocks of the file
};

// Events that come one by one leave a block each, and a block costs a query about as much for one
// row as for thousands. So runs of small blocks are merged in memory, for readers only: the file
// stays as it is, and sealing reads the file.
struct SmallBlockMerge {
  std::size_t begin = 0;  // the run, by number of block in the view
  std::size_t end = 0;
  std::vector<HotBlockRef> refs;
  std::vector<BlockInfo> infos;
};

// The blocks of a hot segment as they become known: by the committer, by recovery, or by a reader
// of a directory that another process writes. Not thread-safe; reader() gives a frozen view that
// is.
class HotBlocks {
 public:
  HotBlocks(std::shared_ptr<const SegmentSource> source, std::string log, Seq first_seq);

  // Makes room in memory, so that `blocks` calls of append() need none.
  void reserve(std::size_t blocks);
  // Precondition: blocks come in order of seq. Blocks without rows count as nothing.
  void append(const BlockHeader& header);

  [[nodiscard]] std::uint32_t rows() const { return rows_; }
  [[nodiscard]] std::size_t blocks() const { return infos_.size(); }
  // Everything appended so far, as a segment. With a `source` of the same file, its blocks as they
  // stand there, read through that; else with small blocks merged.
  [[nodiscard]] std::shared_ptr<const SegmentBase> reader(
      std::uint64_t file_bytes, std::shared_ptr<const SegmentSource> source = nullptr) const;
  [[nodiscard]] const std::shared_ptr<const SegmentSource>& source() const { return source_; }

  // Whether enough small blocks stand in a row at the end to be worth merging.
  [[nodiscard]] bool has_small_run() const;
  // In three steps, so that the slow one needs no lock: take the run, merge it (thread-safe;
  // errors: io, corrupt), put the merged blocks in its place. The last is refused (false) when the
  // run has been merged meanwhile.
  [[nodiscard]] SmallBlockMerge small_run();
  struct MergedBlocks {
    std::vector<HotBlockRef> refs;
    std::vector<BlockInfo> infos;  // first_row is not set
  };
  [[nodiscard]] static Result<MergedBlocks> merge(const SegmentSource& file,
                                                  const SegmentSource& memory,
                                                  const SmallBlockMerge& run);
  bool replace(const SmallBlockMerge& run, const MergedBlocks& merged);
  // Where merged blocks are kept; null before the first small_run().
  [[nodiscard]] const std::shared_ptr<const SegmentSource>& memory() const { return memory_; }

 private:
  static constexpr std::size_t small_run_min = 64;
  static constexpr std::uint32_t small_rows_max = limits::block_rows_max / 8;
  // What merged blocks may take; beyond it blocks are read one by one, as they stand in the file.
  static constexpr std::uint64_t merged_bytes_max = std::uint64_t{32} << 20;

  std::shared_ptr<const SegmentSource> source_;
  std::shared_ptr<const SegmentSource> memory_;
  std::string log_;
  Seq first_seq_;
  std::uint32_t rows_ = 0;
  Nanos ts_min_ = INT64_MAX;
  Nanos ts_max_ = INT64_MIN;
  Nanos received_max_ = INT64_MIN;
  std::size_t small_run_ = 0;
  // As in the file, and as readers see them: with runs of small blocks merged.
  AppendOnly<BlockInfo> infos_;
  AppendOnly<HotBlockRef> refs_;
  AppendOnly<BlockInfo> view_infos_;
  AppendOnly<HotBlockRef> view_refs_;
};

}  // namespace docket
