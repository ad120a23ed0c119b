#include "tools/load/ndjson_answers.hpp"

#include <fmt/format.h>

#include <charconv>

namespace docket::load {
namespace {

constexpr std::string_view durable_start = "{\"durable\":";
constexpr std::string_view line_start = "{\"line\":";

}  // namespace

Result<void> NdjsonAnswers::take(std::string_view bytes) {
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    rest_.append(bytes, 0, end);
    DOCKET_TRY(take_line(rest_));
    rest_.clear();
    bytes.remove_prefix(end + 1);
  }
  rest_.append(bytes);
  return {};
}

Result<void> NdjsonAnswers::take_line(std::string_view line) {
  if (line.starts_with(durable_start)) {
    std::uint64_t settled = 0;
    const char* const end = line.data() + line.size();
    const auto [stop, error] = std::from_chars(line.data() + durable_start.size(), end, settled);
    if (error == std::errc{} && std::string_view(stop, end) == "}" && settled >= settled_) {
      settled_ = settled;
      return {};
    }
  } else if (line.starts_with(line_start)) {
    ++rejected_;
    if (first_error_.empty()) {
      first_error_ = line;
    }
    return {};
  }
  return fail(ErrorCode::invalid_argument, fmt::format("unexpected answer: {}", line));
}

}  // namespace docket::load
