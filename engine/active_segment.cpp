#include "engine/active_segment.hpp"

#include <algorithm>

#include "engine/assert.hpp"
#include "engine/out_of_memory.hpp"

namespace docket {

namespace {

// Space is prepared in steps that grow with the segment: a quiet log takes little, a busy one is
// seldom held up.
constexpr std::uint64_t step_bytes_min = std::uint64_t{64} << 10;
constexpr std::uint64_t step_bytes_max = std::uint64_t{4} << 20;

Result<void> write_zeros(File& file, FileOffset from, std::uint64_t bytes) {
  static const std::vector<std::byte> zeros(std::size_t{1} << 20);
  while (bytes != 0) {
    const auto part =
        std::span<const std::byte>(zeros).first(std::min<std::uint64_t>(bytes, zeros.size()));
    DOCKET_TRY(file.write_at(from, std::span(&part, 1)));
    from += part.size();
    bytes -= part.size();
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::create(Disk& disk,
                                                             const std::string& directory,
                                                             const SegmentFileHeader& header) {
  const std::string path = directory + "/" + segment_file_name(header.id, "hot");
  DOCKET_ASSIGN(auto file, disk.open(path, OpenMode::create_empty));
  auto active = std::unique_ptr<ActiveSegment>(
      new ActiveSegment(std::move(file), path, header.id, header.salt));
  const std::vector<std::byte> bytes = encode_segment_header(header);
  const std::span<const std::byte> part(bytes);
  const auto made = [&]() -> Result<void> {
    DOCKET_TRY(active->file_->write_at(FileOffset(0), std::span(&part, 1)));
    DOCKET_TRY(active->prepare(step_bytes_min));
    DOCKET_TRY(active->file_->sync_data());
    return disk.sync_directory(directory);
  }();
  if (!made) {
    static_cast<void>(disk.unlink(path));
    return fail(made.error());
  }
  return active;
}

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::resume(Disk& disk,
                                                             const std::string& directory,
                                                             SegmentId id, const HotScan& scan) {
  const std::string path = directory + "/" + segment_file_name(id, "hot");
  DOCKET_ASSIGN(auto file, disk.open(path, OpenMode::read_write));
  auto active =
      std::unique_ptr<ActiveSegment>(new ActiveSegment(std::move(file), path, id, scan.salt));
  active->epoch_ = WriterEpoch(scan.epoch.value + 1);
  active->end_ = scan.end;
  active->write_from_ = scan.end;
  active->synced_ = scan.end;
  active->prepared_ = FileOffset(std::max(scan.file_bytes, scan.end.value));
  return active;
}

Result<void> ActiveSegment::prepare(std::uint64_t bytes) {
  const FileOffset needed = end_ + bytes;
  if (needed <= prepared_) {
    return {};
  }
  const std::uint64_t step = std::clamp(end_.value, step_bytes_min, step_bytes_max);
  const std::uint64_t more = std::max(needed - prepared_, step);
  DOCKET_TRY(write_zeros(*file_, prepared_, more));
  prepared_ += more;
  return {};
}

void ActiveSegment::place(HotBlock& block, Seq first_seq, Seq durable_seq) {
  reserve(1);
  BlockHeader& header = block.header;
  header.segment = id_;
  header.writer_epoch = epoch_;
  header.offset = end_;
  header.first_seq = first_seq;
  header.salt = salt_;
  header.durable_seq = durable_seq;
  header.durable_end = synced_;
  encode_block_header(header, block.head);
  DOCKET_ASSERT(block.head.size() + block.sections.size() == header.block_bytes());
  parts_.emplace_back(block.head);
  parts_.emplace_back(block.sections);
  end_ += header.block_bytes();
  DOCKET_ASSERT(end_ <= prepared_);
}

void ActiveSegment::take_back() noexcept {
  parts_.clear();
  end_ = write_from_;
}

Result<void> ActiveSegment::write() {
  const auto written = within_memory([this] { return file_->write_at(write_from_, parts_); });
  parts_.clear();
  write_from_ = end_;
  return written;
}

Result<void> ActiveSegment::sync() {
  DOCKET_TRY(within_memory([this] { return file_->sync_data(); }));
  synced_ = end_;
  return {};
}

Result<bool> ActiveSegment::mark(Seq last_seq) {
  HotBlock block;
  const auto ready = within_memory([&]() -> Result<void> {
    block = make_mark();
    reserve(1);
    return prepare(block.head.size() + block.sections.size());
  });
  if (!ready) {
    return false;
  }
  place(block, last_seq + 1, last_seq);
  DOCKET_TRY(write());
  return true;
}

}  // namespace docket
