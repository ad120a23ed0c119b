// A file of events: NDJSON, or CSV as exported; told apart by its first byte.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace docket::cli {

// What was found at a line: an event's JSON text, or why the line is none.
using EventFileSink =
    std::function<Result<void>(std::uint64_t line, const Result<std::string_view>& json)>;

// Can be read any number of times, and is the same each time but for changes within it: what is
// appended after open() is not read. Not thread-safe.
class EventFile {
 public:
  // `-` is standard input. What can be read only once, a pipe, is copied first to a nameless file
  // in $TMPDIR, else /tmp. With `raw` CSV cells are as they are. Errors: not_found, io, no_space;
  // invalid_argument for a directory.
  [[nodiscard]] static Result<EventFile> open(std::string path, bool raw);
  ~EventFile();
  EventFile(EventFile&& other) noexcept;
  EventFile& operator=(EventFile&&) = delete;

  // As given to open(), for messages.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool raw() const { return raw_; }

  // Gives what is found to `sink`, in order and in bounded memory. Blank lines and a byte order
  // mark at the start are passed over. `bytes`, where given, is told every piece of the file as it
  // is read. Errors: io; invalid_argument when its CSV is broken beyond a single record; and the
  // sink's own.
  [[nodiscard]] Result<void> read(const std::function<void(std::string_view)>& bytes,
                                  const EventFileSink& sink) const;

 private:
  EventFile(std::string path, bool raw) : path_(std::move(path)), raw_(raw) {}
  [[nodiscard]] Result<void> keep_copy();

  std::string path_;
  bool raw_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;  // bytes
};

inline constexpr std::size_t event_line_bytes_max = std::size_t{2} << 20;

}  // namespace docket::cli
