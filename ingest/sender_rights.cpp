#include "ingest/sender_rights.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace docket::ingest {
namespace {

// Takes `expected` and the white space around it off the front.
bool take(std::string_view& text, std::string_view expected) {
  static constexpr std::string_view space = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
  if (!text.starts_with(expected)) {
    return false;
  }
  text.remove_prefix(expected.size());
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
  return true;
}

}  // namespace

bool may_write(const std::vector<std::string>& allowed, std::string_view log) {
  return allowed.empty() || std::ranges::find(allowed, log) != allowed.end();
}

std::string log_forbidden(std::string_view log) {
  return fmt::format("log: the token may not write to '{}'", log);
}

std::optional<std::string_view> token_of_line(std::string_view line) {
  if (!take(line, "{") || !take(line, "\"token\"") || !take(line, ":") || !line.starts_with('"')) {
    return std::nullopt;
  }
  line.remove_prefix(1);
  const std::size_t end = line.find_first_of("\"\\");
  if (end == std::string_view::npos || line[end] != '"') {
    return std::nullopt;
  }
  const std::string_view token = line.substr(0, end);
  line.remove_prefix(end + 1);
  return take(line, "}") && line.empty() ? std::optional(token) : std::nullopt;
}

}  // namespace docket::ingest
