#include "tools/docket/event_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "tools/docket/csv_reader.hpp"

namespace docket::cli {

namespace {

constexpr std::string_view expected_files =
    "; expected a JSON object with an event on each line, or CSV with the columns of an export";
constexpr std::size_t piece_bytes = std::size_t{256} << 10;
constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // of UTF-8: Excel writes it

// Cuts NDJSON into lines.
class LineReader {
 public:
  Result<void> take(std::string_view piece, const EventFileSink& sink) {
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos;
         end = piece.find('\n')) {
      if (!skipping_) {
        line_ += piece.substr(0, end);
        DOCKET_TRY(end_line(sink));
      }
      skipping_ = false;
      ++number_;
      piece.remove_prefix(end + 1);
    }
    if (!skipping_) {
      line_ += piece;
      if (line_.size() > event_line_bytes_max) {
        DOCKET_TRY(sink(number_,
                        fail(ErrorCode::invalid_argument,
                             fmt::format("line: must be at most {} bytes", event_line_bytes_max))));
        line_.clear();
        skipping_ = true;
      }
    }
    return {};
  }

  Result<void> end_line(const EventFileSink& sink) {
    Result<void> done;
    if (line_.find_first_not_of(blanks) != std::string::npos) {
      done = sink(number_, std::string_view(line_));
    }
    line_.clear();
    return done;
  }

 private:
  std::string line_;
  std::uint64_t number_ = 1;
  bool skipping_ = false;  // the rest of a line that is too long
};

}  // namespace

EventFile::~EventFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

EventFile::EventFile(EventFile&& other) noexcept
    : path_(std::move(other.path_)),
      raw_(other.raw_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

Result<EventFile> EventFile::open(std::string path, bool raw) {
  const bool is_stdin = path == "-";
  EventFile file(std::move(path), raw);
  file.descriptor_ = is_stdin ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                              : ::open(file.path_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat facts{};
  if (file.descriptor_ < 0 || ::fstat(file.descriptor_, &facts) != 0) {
    const int error = errno;
    return error == ENOENT ? fail(ErrorCode::not_found, file.path_ + ": there is no such file")
                           : fail_errno(file.path_, error);
  }
  if (S_ISDIR(facts.st_mode)) {
    return fail(ErrorCode::invalid_argument, file.path_ + ": is a directory, not a file of events");
  }
  // Standard input may stand in the middle of a regular file.
  if (is_stdin || !S_ISREG(facts.st_mode)) {
    DOCKET_TRY(file.keep_copy());
  } else {
    file.size_ = static_cast<std::uint64_t>(facts.st_size);
  }
  return file;
}

Result<void> EventFile::keep_copy() {
  // There is no other thread yet.
  const char* const directory = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe)
  std::string name = directory == nullptr || *directory == '\0' ? "/tmp" : directory;
  name += "/docket-import-XXXXXX";
  const int copy = ::mkostemp(name.data(), O_CLOEXEC);
  if (copy < 0) {
    return fail_errno(name, errno);
  }
  ::unlink(name.c_str());
  const int source = std::exchange(descriptor_, copy);
  Result<void> done;
  std::string piece(piece_bytes, '\0');
  while (done) {
    const ssize_t got = ::read(source, piece.data(), piece.size());
    if (got == 0) {
      break;
    }
    if (got < 0 && errno != EINTR) {
      done = fail_errno(path_, errno);
    }
    for (ssize_t written = 0; done && written < got;) {
      const ssize_t put =
          ::write(copy, piece.data() + written, static_cast<std::size_t>(got - written));
      if (put < 0 && errno != EINTR) {
        done = fail_errno(path_ + ": the copy in " + name, errno);
      }
      written += std::max<ssize_t>(put, 0);
    }
    size_ += static_cast<std::uint64_t>(std::max<ssize_t>(got, 0));
  }
  ::close(source);
  return done;
}

Result<void> EventFile::read(const std::function<void(std::string_view)>& bytes,
                             const EventFileSink& sink) const {
  CsvReader csv;
  LineReader lines;
  std::optional<bool> is_csv;
  std::optional<CsvColumns> columns;
  const CsvReader::Sink take_record = [&](std::uint64_t line,
                                          const std::vector<std::string>& cells) -> Result<void> {
    if (!columns) {
      DOCKET_ASSIGN(columns, CsvColumns::from_heading(cells));
      return {};
    }
    const Result<std::string> json = columns->to_json(cells, raw_);
    return json ? sink(line, std::string_view(*json)) : sink(line, fail(json.error()));
  };
  const auto with_path = [&](Result<void> done) {
    if (!done) {
      done.error().message.insert(0, path_ + ": ");
      if (is_csv.value_or(false) && !columns) {
        done.error().message += std::string(expected_files);
      }
    }
    return done;
  };
  std::string piece(piece_bytes, '\0');
  for (std::uint64_t at = 0; at < size_;) {
    const std::size_t wanted = std::min<std::uint64_t>(piece.size(), size_ - at);
    const ssize_t got = ::pread(descriptor_, piece.data(), wanted, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno(path_, errno);
    }
    if (got == 0) {
      break;
    }
    std::string_view text(piece.data(), static_cast<std::size_t>(got));
    if (bytes) {
      bytes(text);
    }
    if (at == 0 && text.starts_with(byte_order_mark)) {
      text.remove_prefix(byte_order_mark.size());
    }
    at += static_cast<std::uint64_t>(got);
    if (!is_csv) {
      const std::size_t first = text.find_first_not_of(blanks);
      is_csv = first != std::string_view::npos && text[first] != '{';
    }
    DOCKET_TRY(with_path(*is_csv ? csv.take(text, take_record) : lines.take(text, sink)));
  }
  return with_path(is_csv.value_or(false) ? csv.finish(take_record) : lines.end_line(sink));
}

}  // namespace docket::cli
