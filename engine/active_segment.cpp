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

Result<void> ActiveSegment::write_header() {
  const std::vector<std::byte> bytes = encode_segment_header(header_);
  const std::span<const std::byte> part(bytes);
  return file_->write_at(FileOffset(0), std::span(&part, 1));
}

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::prepare_file(
    Disk& disk, const std::string& directory, const SegmentFileHeader& header) {
  const std::string path = directory + "/" + segment_file_name(header.id, prepared_extension);
  DOCKET_ASSIGN(auto file, disk.open(path, OpenMode::create_empty));
  auto prepared = std::unique_ptr<ActiveSegment>(new ActiveSegment(std::move(file), path, header));
  prepared->header_.first_seq = Seq(0);
  const auto made = [&]() -> Result<void> {
    DOCKET_TRY(prepared->write_header());
    DOCKET_TRY(prepared->prepare(step_bytes_min));
    DOCKET_TRY(prepared->file_->sync_data());
    return disk.sync_directory(directory);
  }();
  if (!made) {
    static_cast<void>(disk.unlink(path));
    return fail(made.error());
  }
  return prepared;
}

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::take_prepared(Disk& disk,
                                                                    const std::string& directory,
                                                                    std::string_view log,
                                                                    SegmentId id) {
  const std::string path = directory + "/" + segment_file_name(id, prepared_extension);
  DOCKET_ASSIGN(auto file, disk.open(path, OpenMode::read_write));
  std::vector<std::byte> bytes(segment_header_bytes);
  DOCKET_TRY(file->read_at(FileOffset(0), bytes));
  DOCKET_ASSIGN(SegmentFileHeader header, decode_segment_header(bytes));
  if (header.log != log || header.id != id || header.kind != SegmentKind::active) {
    return fail(ErrorCode::corrupt, path + ": its header is that of another file");
  }
  DOCKET_ASSIGN(const std::uint64_t size, file->size());
  auto prepared =
      std::unique_ptr<ActiveSegment>(new ActiveSegment(std::move(file), path, std::move(header)));
  prepared->prepared_ = FileOffset(size);
  return prepared;
}

// Synced under the old name: whatever has the new one is whole.
Result<void> ActiveSegment::begin(Disk& disk, const std::string& directory, Seq first_seq) {
  const std::string prepared = directory + "/" + segment_file_name(header_.id, prepared_extension);
  std::string begun = directory + "/" + segment_file_name(header_.id, "hot");
  if (path_ == begun) {
    // An attempt has failed behind the renaming. Only a new name can be synced anew.
    DOCKET_TRY(disk.rename(path_, prepared));
    path_ = prepared;
  }
  header_.first_seq = first_seq;
  DOCKET_TRY(write_header());
  DOCKET_TRY(file_->sync_data());
  DOCKET_TRY(disk.rename(path_, begun));
  path_ = std::move(begun);
  return disk.sync_directory(directory);
}

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::resume(Disk& disk,
                                                             const std::string& directory,
                                                             SegmentId id, const HotScan& scan) {
  const std::string path = directory + "/" + segment_file_name(id, "hot");
  DOCKET_ASSIGN(auto file, disk.open(path, OpenMode::read_write));
  SegmentFileHeader header;  // it has been written
  header.id = id;
  header.salt = scan.salt;
  auto active =
      std::unique_ptr<ActiveSegment>(new ActiveSegment(std::move(file), path, std::move(header)));
  active->epoch_ = WriterEpoch(scan.epoch.value + 1);
  active->end_ = scan.end;
  active->write_from_ = scan.end;
  active->synced_ = scan.end;
  active->prepared_ = FileOffset(std::max(scan.file_bytes, scan.end.value));
  return active;
}

Result<void> ActiveSegment::prepare(std::uint64_t bytes, std::uint64_t spare) {
  const FileOffset needed = end_ + bytes;
  if (needed <= prepared_) {
    return {};
  }
  const std::uint64_t step = std::clamp(end_.value, step_bytes_min, step_bytes_max);
  const std::uint64_t more = std::max(needed - prepared_, std::min(step, spare));
  DOCKET_TRY(write_zeros(*file_, prepared_, more));
  prepared_ += more;
  return {};
}

void ActiveSegment::place(HotBlock& block, Seq first_seq, Seq durable_seq) {
  reserve(1);
  BlockHeader& header = block.header;
  header.segment = header_.id;
  header.writer_epoch = epoch_;
  header.offset = end_;
  header.first_seq = first_seq;
  header.salt = header_.salt;
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
