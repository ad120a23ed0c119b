// The file that a log's committer writes to.
//
//   prepared ("ID.next": no events) --begin--> active ("ID.hot")
//
//   I1  Bytes below `end` never change.
//   I2  synced <= end <= prepared: blocks go into space that has been zeroed before, so that
//   syncing
//       them need not change the file's size or extents.
//   I3  Any error of a write or a sync is final: nothing more is written (the kernel may have
//       dropped pages it could not write, so a retry that succeeds proves nothing).
//   I4  What is called "ID.hot" has had its header durable since before it got that name.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/block.hpp"
#include "engine/disk.hpp"
#include "engine/hot_scan.hpp"
#include "engine/segment_file.hpp"

namespace docket {

// Owned by the log's committer thread once it has begun; not thread-safe.
class ActiveSegment {
 public:
  // Prepares the file, durably: a header without a first seq, and first space.
  [[nodiscard]] static Result<std::unique_ptr<ActiveSegment>> prepare_file(
      Disk& disk, const std::string& directory, const SegmentFileHeader& header);
  // A file prepared by an earlier process. corrupt: it is not one, or is damaged.
  [[nodiscard]] static Result<std::unique_ptr<ActiveSegment>> take_prepared(
      Disk& disk, const std::string& directory, std::string_view log, SegmentId id);
  // Gives a prepared file its first seq and its name, durably. After an error it is prepared
  // as before, and may begin another time: all is written again.
  [[nodiscard]] Result<void> begin(Disk& disk, const std::string& directory, Seq first_seq);
  // Goes on behind what recovery has found. Whatever lies behind it must have been zeroed.
  [[nodiscard]] static Result<std::unique_ptr<ActiveSegment>> resume(Disk& disk,
                                                                     const std::string& directory,
                                                                     SegmentId id,
                                                                     const HotScan& scan);

  // Makes room for `bytes` more, so that append() cannot run out of space; ahead of need, as much
  // as grows with the segment, but of `spare` bytes at most. An error leaves the segment usable:
  // no_space is retryable.
  [[nodiscard]] Result<void> prepare(std::uint64_t bytes, std::uint64_t spare = UINT64_MAX);
  // Makes room in memory for `blocks` more to be placed, so that place() needs none.
  void reserve(std::size_t blocks) { parts_.reserve(parts_.size() + parts_of_block * blocks); }
  // Gives the block its place and appends it; it must live until write(). After that it can be
  // read; only after sync() is it durable. Precondition: prepared.
  void place(HotBlock& block, Seq first_seq, Seq durable_seq);
  // Takes back all blocks placed since the last write().
  void take_back() noexcept;
  // Writes a mark behind the last group, so that damage to that group cannot be taken for a torn
  // tail. It need not be synced: it only tells of what is. False: there is no space for it, on disk
  // or in memory. Precondition: everything is synced, up to `last_seq`.
  [[nodiscard]] Result<bool> mark(Seq last_seq);
  // Writes all blocks placed since the last call, at once. Neither throws: an allocation that fails
  // on the way leaves as much in doubt as a call that fails.
  [[nodiscard]] Result<void> write();
  [[nodiscard]] Result<void> sync();

  [[nodiscard]] SegmentId id() const { return header_.id; }
  [[nodiscard]] FileOffset end() const { return end_; }
  // Bytes that can be written without the file growing.
  [[nodiscard]] std::uint64_t prepared_bytes() const { return prepared_ - end_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  static constexpr std::size_t parts_of_block = 2;

  ActiveSegment(std::unique_ptr<File> file, std::string path, SegmentFileHeader header)
      : file_(std::move(file)), path_(std::move(path)), header_(std::move(header)) {}
  [[nodiscard]] Result<void> write_header();

  std::unique_ptr<File> file_;
  std::string path_;
  SegmentFileHeader header_;
  WriterEpoch epoch_{1};
  FileOffset end_{segment_header_bytes};
  FileOffset prepared_{segment_header_bytes};
  FileOffset write_from_{segment_header_bytes};
  FileOffset synced_{segment_header_bytes};
  std::vector<std::span<const std::byte>> parts_;  // of the blocks placed and not yet written
};

}  // namespace docket
