// A file that others append lines to, rotate and truncate, read as one sequence of lines.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"

namespace docket::cli {

// How far a followed file has been read. As text it is stable: an earlier run may have written it.
struct FollowedPosition {
  std::uint64_t inode = 0;  // 0: nothing has been read
  std::uint64_t offset = 0;
  std::uint64_t check = 0;  // checksum64 of the last 64 bytes before it, or of all there are

  [[nodiscard]] std::string text() const;
  // nullopt: it is none.
  [[nodiscard]] static std::optional<FollowedPosition> parse(std::string_view text);
};

// Rotation by renaming (FILE becomes FILE.1 or FILE-20260501 and a new FILE comes) is seen by the
// file's inode: the old one is read to its end, then every younger one beside it of such a name,
// then the new FILE. An old one is looked for there, too, when reading starts again.
//
// Rotation by copying and truncating is seen by the size, or by the last bytes that were read being
// others: reading begins again at the start. What came between the last look and the truncation is
// nobody's; that is why renaming is better.
// Not thread-safe.
class FollowedFile {
 public:
  static constexpr std::size_t line_bytes_max = std::size_t{2} << 20;

  // Goes on at a position; with inode 0 at the beginning of FILE. What is renamed away may get more
  // lines for `patience` further looks, for writers that reopen late.
  FollowedFile(std::string path, FollowedPosition from, std::uint32_t patience);
  ~FollowedFile();
  FollowedFile(const FollowedFile&) = delete;
  FollowedFile& operator=(const FollowedFile&) = delete;

  struct Line {
    std::string_view text;  // without its end; valid until the next call
    bool is_too_long = false;
  };
  // The next whole line; nullopt: there is none by now. A last line without an end waits for it,
  // unless its file was renamed away. Errors: io.
  [[nodiscard]] Result<std::optional<Line>> next();
  // Behind the last line, and where that began.
  [[nodiscard]] FollowedPosition position() const;
  [[nodiscard]] std::uint64_t line_offset() const { return line_offset_; }
  // What its owner should be told: truncations, files that have gone. Empties the list.
  [[nodiscard]] std::vector<std::string> take_notices();
  // Bytes of a last line that has no end yet.
  [[nodiscard]] std::size_t unfinished_bytes() const { return buffer_.size() - taken_; }

 private:
  // The files of a rotation in their order: by when they were last written, and by when they came
  // to be where that is the same, as clocks of file systems tick every few milliseconds only.
  struct Age {
    std::int64_t changed_ns = 0;
    std::int64_t born_ns = 0;  // 0 where the file system does not know
    auto operator<=>(const Age&) const = default;
  };
  struct Sibling {
    std::string path;
    std::uint64_t inode = 0;
    Age age;
  };
  [[nodiscard]] static std::optional<Sibling> sibling_at(int descriptor, const std::string& path);
  [[nodiscard]] std::vector<Sibling> siblings() const;
  bool open(const std::string& path, std::uint64_t inode);
  [[nodiscard]] std::optional<Sibling> younger_sibling() const;
  [[nodiscard]] Result<bool> open_first();
  bool open_next();
  void begin_at(std::uint64_t offset);
  [[nodiscard]] bool is_what_was_read() const;
  [[nodiscard]] Result<bool> read_more();
  enum class Look : std::uint8_t { nothing, more, over };
  [[nodiscard]] Result<Look> look();
  Line take_line(std::size_t bytes, std::size_t end_bytes);

  const std::string path_;
  const std::uint32_t patience_;
  FollowedPosition from_;
  std::vector<std::string> notices_;
  int descriptor_ = -1;
  std::uint64_t inode_ = 0;
  std::string buffer_;        // what has been read behind the last line
  std::size_t taken_ = 0;     // of the buffer, by lines
  std::uint64_t offset_ = 0;  // of the buffer's beginning
  std::uint64_t line_offset_ = 0;
  std::string last_;          // the last 64 bytes before what is in the buffer
  bool is_skipping_ = false;  // within a line that is too long
  std::uint32_t looks_left_ = 0;
};

}  // namespace docket::cli
