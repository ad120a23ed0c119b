#include "tools/api/token_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/api/given_file.hpp"

namespace docket::api {

namespace {

constexpr std::size_t token_file_bytes_max = 4096;

}  // namespace

Result<std::string> parse_token(std::string_view text, const std::string& source) {
  static constexpr std::string_view space = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
  text = text.substr(0, text.find_last_not_of(space) + 1);
  const bool is_visible = std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
  if (text.empty() || !is_visible) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: {}", source,
                            text.empty() ? "is empty" : "holds more than a token, or none"));
  }
  return std::string(text);
}

Result<std::string> read_token_file(const std::string& path) {
  DOCKET_ASSIGN(const std::string text, read_given_file(path, token_file_bytes_max));
  return parse_token(text, "--token-file " + path);
}

}  // namespace docket::api
