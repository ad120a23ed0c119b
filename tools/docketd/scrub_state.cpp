#include "tools/docketd/scrub_state.hpp"

#include <fmt/format.h>

#include <iterator>
#include <optional>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/timestamp.hpp"
#include "tools/api/units.hpp"

namespace docket::server {

namespace {

std::string checksum_line(std::string_view text) {
  return fmt::format("checksum {:016x}\n", checksum64(as_byte_span(text)));
}

// What stands before the next `end`, which goes with it; nullopt where there is none.
std::optional<std::string_view> take(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

std::uint64_t number(std::string_view text) {
  return api::parse_number<std::uint64_t>(text).value_or(0);
}

Nanos time_of(std::string_view text) {
  return parse_rfc3339(text).value_or(0);
}

}  // namespace

std::string encode_scrub_state(const ScrubState& state) {
  std::string text = fmt::format("begun {}\nended {}\nat {} {}\n", format_rfc3339(state.begun),
                                 format_rfc3339(state.ended), state.log, state.segment);
  for (const auto& [path, offset] : state.told) {
    // A path with a line break is told again after each restart.
    if (path.find('\n') == std::string::npos) {
      fmt::format_to(std::back_inserter(text), "told {} {}\n", offset, path);
    }
  }
  return text + checksum_line(text);
}

ScrubState decode_scrub_state(std::string_view text) {
  constexpr std::size_t last_line = 9 + 16 + 1;
  if (text.size() < last_line) {
    return {};
  }
  std::string_view rest = text.substr(0, text.size() - last_line);
  if (checksum_line(rest) != text.substr(rest.size())) {
    return {};
  }
  ScrubState state;
  while (auto line = take(rest, '\n')) {
    const std::string_view key = take(*line, ' ').value_or("");
    if (key == "begun") {
      state.begun = time_of(*line);
    } else if (key == "ended") {
      state.ended = time_of(*line);
    } else if (key == "at") {
      state.log = take(*line, ' ').value_or("");
      state.segment = number(*line);
    } else if (key == "told") {
      const std::uint64_t offset = number(take(*line, ' ').value_or(""));
      state.told.emplace(std::string(*line), offset);
    }
  }
  return state;
}

}  // namespace docket::server
