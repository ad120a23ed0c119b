// Rows of named columns, written as a table that fits the terminal, as CSV or as NDJSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/time_zone.hpp"
#include "tools/docket/output.hpp"

namespace docket::cli {

struct Column {
  enum class Kind : std::uint8_t {
    text,
    count,  // a whole number; in a table with commas, to the right
    bytes,  // the same; in a table as KiB, MiB, …
    time,   // RFC 3339; in a table in the asked time zone; may be empty
    flag,   // true or false; in a table yes or no
  };
  std::string name;  // as in the API: lower case
  Kind kind = Kind::text;
  bool has_bar = false;   // on a terminal: a bar as long as the number is large
  bool is_whole = false;  // text that is typed again, such as an event's name: never cut
};

// Cells are kept as the API says them; how they look is decided when they are written.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell per column.
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  // With a heading; cells made safe for terminals, and cut where the terminal is too narrow. Where
  // even that is not enough, each row becomes a paragraph with one cell a line.
  [[nodiscard]] std::string text(const Terminal& terminal, const query::TimeZone& zone) const;
  [[nodiscard]] std::string csv() const;
  [[nodiscard]] std::string ndjson() const;

 private:
  using Line = std::vector<std::string>;

  // The heading and the rows as they look, uncut.
  [[nodiscard]] std::vector<Line> shown_lines(const query::TimeZone& zone) const;
  [[nodiscard]] static std::string paragraphs(const std::vector<Line>& lines, std::size_t columns);

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// How wide each column may be so that all, with two blanks between them, take at most `columns`:
// those that may shrink give way, the widest first, but keep at least 8.
[[nodiscard]] std::vector<std::size_t> fit_columns(std::vector<std::size_t> widths,
                                                   const std::vector<bool>& may_shrink,
                                                   std::optional<std::size_t> columns);

// A bar of eighths of blocks, at most `width` columns for `largest`.
[[nodiscard]] std::string bar(std::uint64_t value, std::uint64_t largest, std::size_t width);

// `2026-05-01 16:22:03` in the zone, with the offset behind it in an hour that comes twice:
// `2026-10-25 02:30:00+01:00`.
[[nodiscard]] std::string clock_text(Nanos time, const query::TimeZone& zone);

// The JSON text with every character that a terminal might act on as a \u escape, or a blank
// where it stands between tokens, which leaves its value as it is.
[[nodiscard]] std::string json_for_terminal(std::string_view json);

}  // namespace docket::cli
