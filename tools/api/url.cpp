#include "tools/api/url.hpp"

#include <algorithm>
#include <cstdint>

#include "engine/event.hpp"
#include "tools/api/units.hpp"

namespace docket::api {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return fail(ErrorCode::invalid_argument,
                    "URL: '%' must be followed by two hexadecimal digits");
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  if (!is_utf8(out)) {
    return fail(ErrorCode::invalid_argument, "URL: must be valid UTF-8 once decoded");
  }
  return out;
}

}  // namespace

std::optional<std::string_view> Parameters::find(std::string_view name) const {
  const auto found = std::ranges::find(items_, name, [](const auto& item) { return item.first; });
  if (found == items_.end()) {
    return std::nullopt;
  }
  return found->second;
}

std::string_view Parameters::value(std::string_view name) const {
  return find(name).value_or(std::string_view());
}

void Parameters::set(std::string_view name, std::string_view value) {
  const auto found = std::ranges::find(items_, name, [](const auto& item) { return item.first; });
  if (found != items_.end()) {
    found->second = value;
  } else {
    items_.emplace_back(name, value);
  }
}

Result<void> Parameters::expect_only(std::initializer_list<std::string_view> known) const {
  for (const auto& [name, value] : items_) {
    if (std::ranges::find(known, std::string_view(name)) != known.end()) {
      continue;
    }
    std::string message = "parameter '" + name + "' is not known here";
    const char* separator = "; known: ";
    for (const std::string_view candidate : known) {
      message += separator;
      message += candidate;
      separator = ", ";
    }
    return fail(ErrorCode::invalid_argument, std::move(message));
  }
  return {};
}

Result<bool> Parameters::flag(std::string_view name) const {
  const auto text = find(name);
  if (!text || *text == "0" || *text == "false") {
    return false;
  }
  if (*text == "1" || *text == "true") {
    return true;
  }
  return fail(ErrorCode::invalid_argument, std::string(name) + ": must be 0 or 1");
}

Result<std::optional<std::uint64_t>> Parameters::number(std::string_view name, std::uint64_t first,
                                                        std::uint64_t last) const {
  const auto text = find(name);
  if (!text) {
    return std::nullopt;
  }
  const auto value = parse_number<std::uint64_t>(*text);
  if (!value || *value < first || *value > last) {
    return fail(ErrorCode::invalid_argument, std::string(name) + ": must be a whole number from " +
                                                 std::to_string(first) + " to " +
                                                 std::to_string(last));
  }
  return value;
}

std::string Parameters::encode() const {
  std::string out;
  for (const auto& [name, value] : items_) {
    if (!out.empty()) {
      out += '&';
    }
    out += percent_encode(name);
    out += '=';
    out += percent_encode(value);
  }
  return out;
}

Result<RequestTarget> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') {
    return fail(ErrorCode::invalid_argument, "URL: the request target must start with '/'");
  }
  const std::size_t question = target.find('?');
  RequestTarget result;
  DOCKET_ASSIGN(result.path, percent_decode(target.substr(0, question), false));
  if (std::ranges::any_of(
          result.path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    return fail(ErrorCode::invalid_argument, "URL: control characters are not allowed in a path");
  }
  std::string_view rest =
      question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    if (item.empty()) {
      continue;
    }
    const std::size_t equals = item.find('=');
    DOCKET_ASSIGN(const std::string name, percent_decode(item.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      DOCKET_ASSIGN(value, percent_decode(item.substr(equals + 1), true));
    }
    if (result.parameters.find(name)) {
      return fail(ErrorCode::invalid_argument, "parameter '" + name + "' is given twice");
    }
    result.parameters.set(name, value);
  }
  return result;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                            (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

}  // namespace docket::api
