// In what an answer can be written: the values of -o.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace docket::cli {

enum class Format : std::uint8_t { table, json, ndjson, csv, syslog, cef };

// As typed behind -o.
[[nodiscard]] std::string_view to_string(Format format);
[[nodiscard]] std::optional<Format> find_format(std::string_view name);
// "table|json"
[[nodiscard]] std::string names_of(std::span<const Format> some);

}  // namespace docket::cli
