#include "engine/hot_scan.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/bytes.hpp"
#include "engine/limits.hpp"

namespace docket {

namespace {

constexpr std::size_t window_bytes = std::size_t{1} << 20;
static_assert(window_bytes % block_alignment == 0);
constexpr std::size_t piece_bytes = 512;  // read one by one where a window has a bad sector
constexpr std::size_t head_bytes_max =
    block_header_bytes + body_header_bytes + limits::block_sections_max * section_entry_bytes;

// A block that has been read and found valid in itself.
struct ReadBlock {
  BlockHeader header;
  BlockSender sender;
  std::uint64_t strings_bytes = 0;
};

// What was durable, as far as it is known.
struct Durable {
  Seq seq;
  FileOffset end{0};
};

class Scanner {
 public:
  // Without a salt, the first block that stands where one should tells it; but one of `foreign`
  // belongs to another file.
  Scanner(const File& file, SegmentId id, std::uint64_t file_bytes,
          std::optional<std::uint32_t> salt, std::optional<std::uint32_t> foreign)
      : file_(file), id_(id), file_bytes_(file_bytes), salt_(salt), foreign_(foreign) {}

  // The block at `at`, or nothing where there is no valid one. Only io errors are errors. What the
  // block says of those before it holds even if only its head is whole.
  Result<std::optional<ReadBlock>> block_at(FileOffset at) {
    if (at.value + block_header_bytes > file_bytes_) {
      return std::nullopt;
    }
    std::array<std::byte, head_bytes_max> head{};
    const std::size_t available = std::min<std::uint64_t>(head.size(), file_bytes_ - at.value);
    DOCKET_ASSIGN(const bool head_read, read_head(at, std::span(head).first(available)));
    const auto header = decode_block_header(std::span<const std::byte>(head).first(available));
    if (!head_read || !header || header->segment != id_ || header->offset != at ||
        (header->flags & block_sealed) != 0 || header->salt != salt_.value_or(header->salt) ||
        header->salt == foreign_) {
      return std::nullopt;
    }
    if (header->durable_seq < header->first_seq && header->durable_end <= at) {
      stated_.seq = std::max(stated_.seq, header->durable_seq);
      stated_.end = std::max(stated_.end, header->durable_end);
    }
    if (at.value + header->block_bytes() > file_bytes_) {
      return std::nullopt;
    }
    body_.resize(header->body_bytes);
    DOCKET_ASSIGN(const bool body_read, read(at + block_header_bytes, body_));
    const auto directory = parse_directory(body_);
    if (!body_read || !directory || directory->body_bytes != header->body_bytes ||
        directory->rows != header->rows) {
      return std::nullopt;
    }
    ReadBlock block{*header, {}};
    for (const SectionEntry& entry : directory->entries) {
      const auto bytes = std::span<const std::byte>(body_).subspan(entry.offset, entry.bytes);
      if (!check_section(entry, bytes)) {
        return std::nullopt;
      }
      if (is_strings(entry.codec)) {
        const StringBounds strings = string_bounds(entry, bytes);
        if (!strings.are_kept) {
          return std::nullopt;
        }
        block.strings_bytes += strings.raw_bytes;
      }
      if (entry.section == Section::node) {
        const auto names = read_strings(entry, bytes);
        if (!names) {
          return std::nullopt;
        }
        const auto name = [&names](std::uint32_t id) {
          return names->size() > id ? std::string((*names)[id]) : std::string();
        };
        block.sender = {name(1), name(2)};
      }
    }
    return block;
  }

  // The next valid block at or behind `from`, a multiple of the alignment; remembers where the last
  // non-zero byte is.
  Result<std::optional<ReadBlock>> next_block(FileOffset from) {
    for (FileOffset at = from; at.value < file_bytes_; at += block_alignment) {
      DOCKET_ASSIGN(const auto line, line_at(at));
      const auto last =
          std::find_if(line.rbegin(), line.rend(), [](std::byte b) { return b != std::byte{0}; });
      if (last == line.rend()) {
        continue;
      }
      last_non_zero_ = std::max<std::uint64_t>(
          last_non_zero_, at.value + static_cast<std::size_t>(line.rend() - last));
      if (line.size() < 4 || load_le<std::uint32_t>(line.data()) != block_magic) {
        continue;
      }
      DOCKET_ASSIGN(auto block, block_at(at));
      if (block) {
        last_non_zero_ = std::max(last_non_zero_, at.value + block->header.block_bytes());
        return block;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::uint64_t last_non_zero() const { return last_non_zero_; }
  // The highest that any head met so far states.
  [[nodiscard]] const Durable& stated() const { return stated_; }
  void set_salt(std::uint32_t salt) { salt_ = salt; }

 private:
  // False: a bad sector.
  [[nodiscard]] Result<bool> read(FileOffset at, std::span<std::byte> into) const {
    if (const auto done = file_.read_at(at, into); !done) {
      return done.error().code == ErrorCode::corrupt ? Result<bool>(false) : fail(done.error());
    }
    return true;
  }

  // All that a head may be; with a bad sector in that, no more than this one is.
  Result<bool> read_head(FileOffset at, std::span<std::byte> into) const {
    DOCKET_ASSIGN(const bool whole, read(at, into));
    if (whole) {
      return true;
    }
    DOCKET_ASSIGN(const bool begun, read(at, into.first(block_header_bytes)));
    const std::size_t bytes = begun ? block_head_bytes(into.first(block_header_bytes)) : 0;
    return bytes == 0 || bytes > into.size() ? Result<bool>(false) : read(at, into.first(bytes));
  }

  // The line that starts at `at`, a multiple of the alignment. What was read around it is kept: a
  // search goes through the file once, however many blocks it finds.
  Result<std::span<const std::byte>> line_at(FileOffset at) {
    const FileOffset start(at.value / window_bytes * window_bytes);
    if (window_.empty() || start != window_start_) {
      window_.resize(std::min<std::uint64_t>(window_bytes, file_bytes_ - start.value));
      window_start_ = start;
      DOCKET_TRY(read_in_pieces(start, window_));
    }
    const std::size_t within = at - start;
    return std::span<const std::byte>(window_).subspan(
        within, std::min<std::size_t>(block_alignment, window_.size() - within));
  }

  // What cannot be read is filled with what is no block and not nothing.
  Result<void> read_in_pieces(FileOffset at, std::span<std::byte> into) {
    DOCKET_ASSIGN(const bool whole, read(at, into));
    while (!whole && !into.empty()) {
      const auto piece = into.first(std::min(into.size(), piece_bytes));
      DOCKET_ASSIGN(const bool done, read(at, piece));
      if (!done) {
        std::fill(piece.begin(), piece.end(), std::byte{0xff});
      }
      into = into.subspan(piece.size());
      at += piece.size();
    }
    return {};
  }

  const File& file_;
  SegmentId id_;
  std::uint64_t file_bytes_;
  std::optional<std::uint32_t> salt_;
  const std::optional<std::uint32_t> foreign_;
  std::uint64_t last_non_zero_ = 0;
  Durable stated_;
  std::vector<std::byte> body_;
  std::vector<std::byte> window_;
  FileOffset window_start_;
};

// The highest that any block at or behind `from` states, or any of which only the head is left: the
// torn group of a log that has failed is all that vouches for the group before it.
Result<Durable> durable_behind(Scanner& scanner, FileOffset from) {
  for (FileOffset at = from;;) {
    DOCKET_ASSIGN(const auto block, scanner.next_block(at));
    if (!block) {
      return scanner.stated();
    }
    at = block->header.offset + block->header.block_bytes();
  }
}

}  // namespace

Result<HotScan> scan_hot_segment(const File& file, std::string_view log, SegmentId id,
                                 FileOffset from, Seq expected, Seq proven,
                                 const HotBlockVisitor& visit) {
  HotScan scan;
  DOCKET_ASSIGN(scan.file_bytes, file.size());
  std::vector<std::byte> bytes(segment_header_bytes);
  if (const auto read = file.read_at(FileOffset(0), bytes); !read) {
    if (read.error().code != ErrorCode::corrupt) {
      return fail(read.error());
    }
    std::fill(bytes.begin(), bytes.end(), std::byte{0});  // cut short, or a bad sector
  }
  const auto file_header = decode_segment_header(bytes);
  if (!file_header && file_header.error().code == ErrorCode::newer_format) {
    return fail(file_header.error());
  }
  // A whole header of another file has been written here by mistake, perhaps with blocks.
  const bool is_foreign = file_header && (file_header->log != log || file_header->id != id ||
                                          file_header->kind != SegmentKind::active);
  scan.header_damaged = !file_header || is_foreign;
  const auto salt = file_header ? std::optional(file_header->salt) : std::nullopt;
  Scanner scanner(file, id, scan.file_bytes, is_foreign ? std::nullopt : salt,
                  is_foreign ? salt : std::nullopt);
  scan.salt = scan.header_damaged ? 0 : *salt;
  scan.end = scan.data_end = from;
  scan.next_seq = expected;
  // What the blocks behind an invalid place say is durable; it never falls on the way through the
  // file, so looking once is enough.
  std::optional<Durable> durable;
  for (;;) {
    DOCKET_ASSIGN(auto block, scanner.block_at(scan.end));
    const auto comes_later = [&scan, expected](const BlockHeader& h) {
      return h.writer_epoch >= scan.epoch && h.first_seq >= scan.next_seq &&
             h.end_seq() - expected <= limits::segment_rows_limit;
    };
    const auto goes_on = [&](const BlockHeader& h) {
      return comes_later(h) && h.first_seq == scan.next_seq;
    };
    if (!block || !goes_on(block->header)) {
      if (!durable) {
        DOCKET_ASSIGN(durable, durable_behind(scanner, scan.end));
        if (durable->seq >= expected && durable->seq - expected >= limits::segment_rows_limit) {
          durable = Durable();  // more than a segment can have is told by nobody who knows
        }
        durable->seq = std::max(durable->seq, proven);
      }
      scan.torn_end = FileOffset(std::max(scan.end.value, scanner.last_non_zero()));
      if (durable->seq < scan.next_seq && durable->end <= scan.end) {
        return scan;  // a torn tail, or the clean end
      }
      // Acknowledged data is damaged from here to the next valid block that comes later in the log.
      const FileOffset begin = scan.end;
      const auto damaged = [&](FileOffset end, Seq next) {
        scan.damage.push_back(
            {begin, end, scan.next_seq, next - 1, "block checksum does not match"});
      };
      for (FileOffset at = begin;;) {
        DOCKET_ASSIGN(block, scanner.next_block(at));
        if (!block) {
          if (durable->seq >= scan.next_seq) {
            damaged(scan.torn_end, durable->seq + 1);
            scan.next_seq = durable->seq + 1;
            scan.end = scan.torn_end = FileOffset(align_block(scan.torn_end.value));
          }
          return scan;
        }
        if (comes_later(block->header)) {
          break;
        }
        at = block->header.offset + block->header.block_bytes();
      }
      // Of a file that is being written to, the block may have come while we looked.
      if (block->header.offset != begin || block->header.first_seq != scan.next_seq) {
        damaged(block->header.offset, block->header.first_seq);
      }
      scan.end = block->header.offset;
    }
    const BlockHeader& header = block->header;
    scan.salt = header.salt;
    scanner.set_salt(header.salt);
    scan.epoch = std::max(scan.epoch, header.writer_epoch);
    scan.durable_seq = std::max(scan.durable_seq, header.durable_seq);
    scan.durable_end = std::max(scan.durable_end, header.durable_end);
    scan.next_seq = header.end_seq();
    scan.end = header.offset + header.block_bytes();
    scan.data_end = header.is_mark() ? scan.data_end : scan.end;
    scan.torn_end = scan.end;
    scan.strings_bytes += block->strings_bytes;
    visit(header, block->sender);
  }
}

}  // namespace docket
