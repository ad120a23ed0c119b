#include "tools/docket/followed_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <tuple>
#include <utility>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"

namespace docket::cli {

namespace {

constexpr std::size_t check_bytes = 64;
constexpr std::size_t read_bytes = std::size_t{64} << 10;

std::uint64_t check_of(std::string_view last) {
  return checksum64(as_byte_span(last));
}

std::int64_t nanoseconds(const struct statx_timestamp& time) {
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

// The `count` bytes before `offset`; fewer where the file has no more.
std::string bytes_before(int descriptor, std::uint64_t offset) {
  std::string bytes(std::min<std::uint64_t>(offset, check_bytes), '\0');
  const ssize_t got =
      ::pread(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset - bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

}  // namespace

std::string FollowedPosition::text() const {
  return std::to_string(inode) + ':' + std::to_string(offset) + ':' + std::to_string(check);
}

std::optional<FollowedPosition> FollowedPosition::parse(std::string_view text) {
  FollowedPosition position;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::uint64_t* number : {&position.inode, &position.offset, &position.check}) {
    const auto [rest, error] = std::from_chars(at, end, *number);
    const bool is_last = number == &position.check;
    if (error != std::errc() || (is_last ? rest != end : rest == end || *rest != ':')) {
      return std::nullopt;
    }
    at = is_last ? rest : rest + 1;
  }
  return position;
}

FollowedFile::FollowedFile(std::string path, FollowedPosition from, std::uint32_t patience)
    : path_(std::move(path)), patience_(patience), from_(from) {}

FollowedFile::~FollowedFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

// A regular file of that path, or the open one where the path is empty; nullopt: there is none.
std::optional<FollowedFile::Sibling> FollowedFile::sibling_at(int descriptor,
                                                              const std::string& path) {
  struct statx facts{};
  if (::statx(descriptor, path.c_str(), path.empty() ? AT_EMPTY_PATH : 0,
              STATX_BASIC_STATS | STATX_BTIME, &facts) != 0 ||
      !S_ISREG(facts.stx_mode)) {
    return std::nullopt;
  }
  const bool is_birth_known = (facts.stx_mask & STATX_BTIME) != 0;
  return Sibling{
      path, facts.stx_ino,
      Age{nanoseconds(facts.stx_mtime), is_birth_known ? nanoseconds(facts.stx_btime) : 0}};
}

// Rotated files beside FILE, oldest first. Compressed ones cannot be read.
std::vector<FollowedFile::Sibling> FollowedFile::siblings() const {
  const std::filesystem::path file(path_);
  const std::string base = file.filename().string();
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::vector<Sibling> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool is_compressed = name.ends_with(".gz") || name.ends_with(".bz2") ||
                               name.ends_with(".xz") || name.ends_with(".zst");
    const std::string_view suffix =
        std::string_view(name).substr(std::min(name.size(), base.size()));
    const bool is_rotated = name.starts_with(base) && suffix.size() >= 2 &&
                            (suffix[0] == '.' || suffix[0] == '-') && suffix[1] >= '0' &&
                            suffix[1] <= '9';
    if (is_rotated && !is_compressed) {
      if (auto sibling = sibling_at(AT_FDCWD, entry.path().string())) {
        found.push_back(std::move(*sibling));
      }
    }
  }
  std::sort(found.begin(), found.end(), [](const Sibling& a, const Sibling& b) {
    return std::tie(a.age, a.path) < std::tie(b.age, b.path);
  });
  return found;
}

// Opens the file if it is that inode (0: any).
bool FollowedFile::open(const std::string& path, std::uint64_t inode) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts{};
  if (opened < 0) {
    return false;
  }
  if (::fstat(opened, &facts) != 0 || (inode != 0 && facts.st_ino != inode)) {
    ::close(opened);
    return false;
  }
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  descriptor_ = opened;
  inode_ = facts.st_ino;
  looks_left_ = patience_;
  begin_at(0);
  return true;
}

void FollowedFile::begin_at(std::uint64_t offset) {
  buffer_.clear();
  taken_ = 0;
  offset_ = offset;
  line_offset_ = offset;
  is_skipping_ = false;
  last_ = bytes_before(descriptor_, offset);
}

// Whether the bytes before the position are still those that were read.
bool FollowedFile::is_what_was_read() const {
  struct stat facts{};
  const std::uint64_t read = offset_ + buffer_.size();
  return ::fstat(descriptor_, &facts) == 0 && static_cast<std::uint64_t>(facts.st_size) >= read &&
         bytes_before(descriptor_, offset_ + taken_) == last_;
}

// False: there is no file yet.
Result<bool> FollowedFile::open_first() {
  if (from_.inode == 0) {
    return open(path_, 0);
  }
  bool is_open = open(path_, from_.inode);
  if (!is_open) {
    // Renamed away.
    for (const Sibling& sibling : siblings()) {
      is_open = is_open || open(sibling.path, from_.inode);
    }
  }
  if (!is_open) {
    if (!open(path_, 0)) {
      return false;
    }
    notices_.push_back(path_ + ": the file that was read up to byte " +
                       std::to_string(from_.offset) +
                       " is not there any more; reading this one from its start");
  } else if (begin_at(from_.offset); last_.size() < std::min<std::uint64_t>(check_bytes, offset_) ||
                                     check_of(last_) != from_.check) {
    notices_.push_back(path_ + ": was truncated; reading from its start");
    begin_at(0);
  }
  return true;
}

// The first rotated file that was written after the one that is open.
std::optional<FollowedFile::Sibling> FollowedFile::younger_sibling() const {
  const auto current = sibling_at(descriptor_, "");
  if (!current) {
    return std::nullopt;
  }
  for (const Sibling& sibling : siblings()) {
    if (sibling.age > current->age && sibling.inode != inode_) {
      return sibling;
    }
  }
  return std::nullopt;
}

bool FollowedFile::open_next() {
  const auto sibling = younger_sibling();
  return (sibling && open(sibling->path, sibling->inode)) || open(path_, 0);
}

// False: the file ends here, for now.
Result<bool> FollowedFile::read_more() {
  buffer_.erase(0, taken_);
  offset_ += taken_;
  taken_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + read_bytes);
  ssize_t got = 0;
  do {
    got = ::pread(descriptor_, buffer_.data() + before, read_bytes,
                  static_cast<off_t>(offset_ + before));
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) {
    return fail_errno(path_, error);
  }
  return got > 0;
}

// At the end of what is open: whether something follows it.
Result<FollowedFile::Look> FollowedFile::look() {
  struct stat facts{};
  const bool is_there = ::stat(path_.c_str(), &facts) == 0;
  if (is_there && facts.st_ino == inode_) {
    return Look::nothing;
  }
  // Renamed away. FILE may not have come again, and others have been renamed since all the same.
  const bool has_younger = younger_sibling().has_value();
  if (!is_there && !has_younger) {
    return Look::nothing;
  }
  // Who was slow to reopen has done so when the next file, too, has been renamed.
  if (looks_left_ > 0 && !has_younger) {
    --looks_left_;
    return Look::nothing;
  }
  // Once more, for what came between the last read and the renaming.
  DOCKET_ASSIGN(const bool has_more, read_more());
  return has_more ? Look::more : Look::over;
}

FollowedFile::Line FollowedFile::take_line(std::size_t bytes, std::size_t end_bytes) {
  Line line;
  line.text = std::string_view(buffer_).substr(taken_, bytes);
  line.is_too_long = is_skipping_ || bytes > line_bytes_max;
  is_skipping_ = false;
  const std::size_t whole = bytes + end_bytes;
  last_.append(buffer_, taken_ + whole - std::min(whole, check_bytes),
               std::min(whole, check_bytes));
  last_.erase(0, last_.size() - std::min(last_.size(), check_bytes));
  line_offset_ = offset_ + taken_;
  taken_ += whole;
  if (line.text.ends_with('\r')) {
    line.text.remove_suffix(1);
  }
  return line;
}

Result<std::optional<FollowedFile::Line>> FollowedFile::next() {
  if (descriptor_ < 0) {
    DOCKET_ASSIGN(const bool is_open, open_first());
    if (!is_open) {
      return std::optional<Line>();
    }
  }
  for (;;) {
    const std::size_t end = buffer_.find('\n', taken_);
    if (end != std::string::npos) {
      return std::optional(take_line(end - taken_, 1));
    }
    if (unfinished_bytes() > line_bytes_max) {
      // Its beginning goes; that there was one is told at its end.
      static_cast<void>(take_line(unfinished_bytes(), 0));
      is_skipping_ = true;
    }
    if (!is_what_was_read()) {
      notices_.push_back(path_ + ": was truncated; reading from its start");
      begin_at(0);
    }
    DOCKET_ASSIGN(const bool has_more, read_more());
    if (has_more) {
      continue;
    }
    DOCKET_ASSIGN(const Look found, look());
    if (found == Look::more) {
      continue;
    }
    if (found == Look::over && unfinished_bytes() > 0) {
      return std::optional(take_line(unfinished_bytes(), 0));  // it will get no end
    }
    if (found == Look::nothing || !open_next()) {
      return std::optional<Line>();
    }
  }
}

FollowedPosition FollowedFile::position() const {
  return {inode_, offset_ + taken_, check_of(last_)};
}

std::vector<std::string> FollowedFile::take_notices() {
  return std::exchange(notices_, {});
}

}  // namespace docket::cli
