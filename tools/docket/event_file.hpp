// A file of events: NDJSON, or CSV as exported; told apart by its first byte.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace docket::cli {

struct EventFile {
  std::string path;
  bool raw = false;  // CSV cells are as they are
};

// What was found at a line: an event's JSON text, or why the line is none.
using EventFileSink =
    std::function<Result<void>(std::uint64_t line, const Result<std::string_view>& json)>;

// Reads the file from its start and gives what is found to `sink`, in order and in bounded memory.
// Blank lines are passed over. `bytes`, where given, is told every piece of the file as it is read.
// Errors: not_found, io; invalid_argument when it is no regular file, or its CSV is broken beyond a
// single record; and the sink's own.
[[nodiscard]] Result<void> read_event_file(const EventFile& file,
                                           const std::function<void(std::string_view)>& bytes,
                                           const EventFileSink& sink);

inline constexpr std::size_t event_line_bytes_max = std::size_t{2} << 20;

}  // namespace docket::cli
