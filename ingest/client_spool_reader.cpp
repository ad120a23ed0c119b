#include "ingest/client_spool_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace docket::client {
namespace {

constexpr std::size_t piece_bytes = std::size_t{256} << 10;

}  // namespace

SpoolFileReader::SpoolFileReader(std::unique_ptr<File> file, SpoolHead head)
    : file_(std::move(file)), head_(std::move(head)) {}

Result<SpoolFileReader> SpoolFileReader::open(Disk& disk, const std::string& path) {
  DOCKET_ASSIGN(auto file, disk.open(path, OpenMode::read));
  std::array<std::byte, spool_head_bytes> bytes{};
  DOCKET_TRY(file->read_at(FileOffset{0}, bytes));
  DOCKET_ASSIGN(SpoolHead head, parse_spool_head(bytes));
  return SpoolFileReader(std::move(file), std::move(head));
}

// Precondition: offset + count <= end.
Result<std::span<std::byte>> SpoolFileReader::bytes_at(std::uint64_t offset, std::size_t count,
                                                       std::uint64_t end) {
  if (offset < buffer_at_ || offset + count > buffer_at_ + buffer_.size()) {
    buffer_.resize(std::min<std::uint64_t>(std::max(count, piece_bytes), end - offset));
    buffer_at_ = offset;
    if (auto read = file_->read_at(FileOffset{offset}, buffer_); !read) {
      buffer_.clear();
      return fail(std::move(read).error());
    }
  }
  return std::span(buffer_).subspan(offset - buffer_at_, count);
}

Result<std::optional<SpoolRecord>> SpoolFileReader::next(std::uint64_t end) {
  for (std::uint64_t at = offset_; at + spool_record_bytes <= end; ++at) {
    DOCKET_ASSIGN(const auto head, bytes_at(at, spool_record_bytes, end));
    const std::size_t size = spool_record_size(head);
    if (size == 0 || size > end - at) {
      continue;
    }
    DOCKET_ASSIGN(const auto bytes, bytes_at(at, size, end));
    if (auto record = parse_spool_record(bytes, head_.file)) {
      offset_ = at + size;
      return record;
    }
  }
  return std::optional<SpoolRecord>();
}

void SpoolReader::seek(SpoolPlace place) {
  place_ = place;
  file_.reset();
}

Result<std::optional<SpoolRecord>> SpoolReader::next(const std::vector<SpoolFile>& files) {
  for (;;) {
    const std::uint64_t wanted = file_ ? file_->head().file : place_.file;
    const auto found = std::find_if(files.begin(), files.end(), [wanted](const SpoolFile& file) {
      return file.number >= wanted;
    });
    if (found == files.end()) {
      return std::optional<SpoolRecord>();
    }
    const bool is_last = found + 1 == files.end();
    if (!file_ || found->number != wanted) {
      auto opened = SpoolFileReader::open(disk_, spool_file_path(directory_, found->number));
      if (!opened && opened.error().code == ErrorCode::io) {
        return fail(std::move(opened).error());
      }
      if (!opened) {
        // Its head is damaged, or it has gone because all its events are settled.
        if (is_last) {
          return std::optional<SpoolRecord>();
        }
        seek({found->number + 1, spool_head_bytes});
        continue;
      }
      if (found->number == place_.file) {
        opened->seek(std::max<std::uint64_t>(place_.offset, spool_head_bytes));
      }
      file_ = std::move(*opened);
    }
    auto record = file_->next(found->bytes);
    if (!record && record.error().code == ErrorCode::io) {
      return record;
    }
    if (record && *record) {
      if ((*record)->type == SpoolRecordType::event) {
        return record;
      }
      continue;
    }
    if (is_last) {
      return std::optional<SpoolRecord>();
    }
    seek({found->number + 1, spool_head_bytes});
  }
}

}  // namespace docket::client
