// The unsealed segment: self-contained blocks in the order of their commits.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/block.hpp"
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

  void append(const T& value) {
    if (size_ == capacity_) {
      const std::size_t wider = capacity_ == 0 ? 64 : capacity_ * 2;
      std::shared_ptr<T[]> grown(new T[wider]());
      std::copy(data_.get(), data_.get() + size_, grown.get());
      data_ = std::move(grown);
      capacity_ = wider;
    }
    data_[static_cast<std::ptrdiff_t>(size_)] = value;
    ++size_;
  }
  [[nodiscard]] View view() const { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
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
};

// The blocks of a hot segment as they become known: by the committer, by recovery, or by a reader
// of a directory that another process writes. Not thread-safe; reader() gives a frozen view that
// is.
class HotBlocks {
 public:
  HotBlocks(std::shared_ptr<const SegmentSource> source, std::string log, Seq first_seq);

  // Precondition: blocks come in order of seq. Blocks without rows count as nothing.
  void append(const BlockHeader& header);

  [[nodiscard]] std::uint32_t rows() const { return rows_; }
  [[nodiscard]] std::size_t blocks() const { return infos_.size(); }
  // Everything appended so far, as a segment. Read through `source` where given (another cache),
  // else through the one it was made with.
  [[nodiscard]] std::shared_ptr<const SegmentBase> reader(
      std::uint64_t file_bytes, std::shared_ptr<const SegmentSource> source = nullptr) const;
  [[nodiscard]] const std::shared_ptr<const SegmentSource>& source() const { return source_; }

 private:
  std::shared_ptr<const SegmentSource> source_;
  std::string log_;
  Seq first_seq_;
  std::uint32_t rows_ = 0;
  Nanos ts_min_ = INT64_MAX;
  Nanos ts_max_ = INT64_MIN;
  Nanos received_max_ = INT64_MIN;
  AppendOnly<BlockInfo> infos_;
  AppendOnly<HotBlockRef> refs_;
};

}  // namespace docket
