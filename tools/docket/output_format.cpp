#include "tools/docket/output_format.hpp"

#include <algorithm>
#include <array>

namespace docket::cli {

namespace {

struct FormatRow {
  Format format;
  std::string_view name;
};
constexpr std::array formats{
    FormatRow{Format::table, "table"},   FormatRow{Format::json, "json"},
    FormatRow{Format::ndjson, "ndjson"}, FormatRow{Format::csv, "csv"},
    FormatRow{Format::syslog, "syslog"}, FormatRow{Format::cef, "cef"},
};

}  // namespace

std::string_view to_string(Format format) {
  return std::ranges::find(formats, format, &FormatRow::format)->name;
}

std::optional<Format> find_format(std::string_view name) {
  const auto* const named = std::ranges::find(formats, name, &FormatRow::name);
  return named == formats.end() ? std::nullopt : std::optional(named->format);
}

std::string names_of(std::span<const Format> some) {
  std::string names;
  for (const Format format : some) {
    names += names.empty() ? "" : "|";
    names += to_string(format);
  }
  return names;
}

}  // namespace docket::cli
