#include "tools/docket/event_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>

#include "tools/docket/csv_reader.hpp"

namespace docket::cli {

namespace {

constexpr std::size_t piece_bytes = std::size_t{256} << 10;
constexpr std::string_view blanks = " \t\r\n";

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

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) {
      ::close(value_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

}  // namespace

Result<void> read_event_file(const EventFile& file,
                             const std::function<void(std::string_view)>& bytes,
                             const EventFileSink& sink) {
  const Descriptor descriptor(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &facts) != 0) {
    const int error = errno;
    return error == ENOENT ? fail(ErrorCode::not_found, file.path + ": there is no such file")
                           : fail_errno(file.path, error);
  }
  if (!S_ISREG(facts.st_mode)) {
    return fail(ErrorCode::invalid_argument,
                file.path + ": must be a regular file, as it is read twice");
  }
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
    const Result<std::string> json = columns->to_json(cells, file.raw);
    return json ? sink(line, std::string_view(*json)) : sink(line, fail(json.error()));
  };
  const auto with_path = [&file](Result<void> done) {
    if (!done) {
      done.error().message.insert(0, file.path + ": ");
    }
    return done;
  };
  std::string piece(piece_bytes, '\0');
  for (;;) {
    const ssize_t got = ::read(descriptor.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno(file.path, errno);
    }
    if (got == 0) {
      break;
    }
    const std::string_view text(piece.data(), static_cast<std::size_t>(got));
    if (bytes) {
      bytes(text);
    }
    if (!is_csv) {
      const std::size_t first = text.find_first_not_of(blanks);
      is_csv = first != std::string_view::npos && text[first] != '{';
    }
    DOCKET_TRY(with_path(*is_csv ? csv.take(text, take_record) : lines.take(text, sink)));
  }
  return with_path(is_csv.value_or(false) ? csv.finish(take_record) : lines.end_line(sink));
}

}  // namespace docket::cli
