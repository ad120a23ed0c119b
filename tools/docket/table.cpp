#include "tools/docket/table.hpp"

#include <algorithm>
#include <array>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tools/api/units.hpp"

namespace docket::cli {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t column_min = 8;
constexpr std::size_t bar_columns = 30;
constexpr std::string_view bold = "\033[1m";
constexpr std::string_view plain = "\033[0m";

std::uint64_t number_of(std::string_view text) {
  return api::parse_number<std::uint64_t>(text).value_or(0);
}

bool is_number(Column::Kind kind) {
  return kind == Column::Kind::count || kind == Column::Kind::bytes;
}

std::string shown(const Column& column, const std::string& cell, const query::TimeZone& zone) {
  switch (column.kind) {
    case Column::Kind::count:
      return cell.empty() ? "" : api::readable_count(number_of(cell));
    case Column::Kind::bytes:
      return cell.empty() ? "" : api::readable_bytes(number_of(cell));
    case Column::Kind::flag:
      return cell == "true" ? "yes" : "no";
    case Column::Kind::time: {
      const auto time = parse_rfc3339(cell);
      return time ? clock_text(*time, zone) : query::terminal_safe(cell);
    }
    case Column::Kind::text:
      break;
  }
  return query::terminal_safe(cell);
}

std::string heading(const Column& column, const query::TimeZone& zone) {
  std::string text;
  for (const char c : column.name) {
    text += c == '_' ? ' ' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return column.kind == Column::Kind::time ? text + " (" + zone.name() + ")" : text;
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<Table::Line> Table::shown_lines(const query::TimeZone& zone) const {
  std::vector<Line> lines(1);
  for (const Column& column : columns_) {
    lines[0].push_back(heading(column, zone));
  }
  for (const auto& row : rows_) {
    Line& line = lines.emplace_back();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      line.push_back(shown(columns_[i], row[i], zone));
    }
  }
  return lines;
}

std::string Table::paragraphs(const std::vector<Line>& lines, std::size_t columns) {
  std::size_t label_width = 0;
  for (const std::string& label : lines[0]) {
    label_width = std::max(label_width, query::display_width(label));
  }
  std::string out;
  for (std::size_t l = 1; l < lines.size(); ++l) {
    out += l == 1 ? "" : "\n";
    for (std::size_t i = 0; i < lines[l].size(); ++i) {
      const std::string padding(label_width + gap - query::display_width(lines[0][i]), ' ');
      std::string line = query::fit_width(lines[0][i] + padding + lines[l][i], columns);
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + '\n';
    }
  }
  return out;
}

std::string Table::text(const Terminal& terminal, const query::TimeZone& zone) const {
  const std::vector<Line> lines = shown_lines(zone);
  std::vector<std::size_t> widths;
  std::vector<bool> may_shrink;
  std::uint64_t largest = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(0);
    for (const Line& line : lines) {
      widths[i] = std::max(widths[i], query::display_width(line[i]));
    }
    for (const auto& row : rows_) {
      largest = columns_[i].has_bar ? std::max(largest, number_of(row[i])) : largest;
    }
    may_shrink.push_back(columns_[i].kind == Column::Kind::text && !columns_[i].is_whole);
  }
  const bool bars = terminal.is_terminal && largest > 0;
  const std::size_t reserved = bars ? bar_columns / 2 + gap : 0;
  std::optional<std::size_t> room = terminal.columns;
  if (room) {
    room = *room > reserved ? *room - reserved : 1;
  }
  widths = fit_columns(std::move(widths), may_shrink, room);
  std::size_t used = 0;
  for (const std::size_t width : widths) {
    used += width + gap;
  }
  if (room && used - gap > *room) {
    return paragraphs(lines, *terminal.columns);
  }
  const std::size_t bar_width =
      terminal.columns ? std::min(bar_columns, *terminal.columns - used) : bar_columns;

  std::string out;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string cell = query::fit_width(lines[l][i], widths[i]);
      const std::string padding(widths[i] - std::min(widths[i], query::display_width(cell)), ' ');
      line += i == 0 ? "" : std::string(gap, ' ');
      line += is_number(columns_[i].kind) ? padding + cell : cell + padding;
    }
    for (std::size_t i = 0; bars && l > 0 && i < columns_.size(); ++i) {
      if (columns_[i].has_bar) {
        line += std::string(gap, ' ') + bar(number_of(rows_[l - 1][i]), largest, bar_width);
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (l == 0 && terminal.colour) {
      line.insert(0, bold).append(plain);
    }
    out += line + '\n';
  }
  return out;
}

std::string Table::csv() const {
  std::string out;
  const auto append = [&out](std::size_t i, std::string_view cell) {
    out += i == 0 ? "" : ",";
    query::append_csv_cell(out, cell);
  };
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    append(i, columns_[i].name);
  }
  out += "\r\n";
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      append(i, row[i]);
    }
    out += "\r\n";
  }
  return out;
}

std::string Table::ndjson() const {
  std::string out;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Column::Kind kind = columns_[i].kind;
      out += i == 0 ? "{" : ",";
      query::append_json_string(out, columns_[i].name);
      out += ':';
      if (row[i].empty() && kind != Column::Kind::text) {
        out += "null";
      } else if (is_number(kind) || kind == Column::Kind::flag) {
        out += row[i];
      } else {
        query::append_json_string(out, row[i]);
      }
    }
    out += "}\n";
  }
  return out;
}

std::vector<std::size_t> fit_columns(std::vector<std::size_t> widths,
                                     const std::vector<bool>& may_shrink,
                                     std::optional<std::size_t> columns) {
  if (!columns || widths.empty()) {
    return widths;
  }
  std::size_t total = (widths.size() - 1) * gap;
  for (const std::size_t width : widths) {
    total += width;
  }
  while (total > *columns) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (may_shrink[i] && widths[i] > column_min &&
          (widest == widths.size() || widths[i] > widths[widest])) {
        widest = i;
      }
    }
    if (widest == widths.size()) {
      break;
    }
    --widths[widest];
    --total;
  }
  return widths;
}

std::string bar(std::uint64_t value, std::uint64_t largest, std::size_t width) {
  static constexpr std::array<std::string_view, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (largest == 0 || value == 0) {
    return "";
  }
  const double share = static_cast<double>(value) / static_cast<double>(largest);
  const auto units =
      std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(width * 8)));
  std::string text;
  for (std::size_t i = 0; i < units / 8; ++i) {
    text += "█";
  }
  return text + std::string(eighths[units % 8]);
}

namespace {

// Whether clocks show the same at another instant: in the hour that comes twice, once with each
// offset. Offsets change days apart.
bool comes_twice(Nanos time, const query::TimeZone& zone) {
  constexpr Nanos second = 1'000'000'000;
  constexpr Nanos day = 86'400 * second;
  if (time < INT64_MIN + 2 * day || time > INT64_MAX - 2 * day) {
    return false;
  }
  const int offset = zone.offset_at(time);
  for (const Nanos near : {time - day, time + day}) {
    const int other = zone.offset_at(near);
    if (other != offset && zone.offset_at(time + (offset - other) * second) == other) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string clock_text(Nanos time, const query::TimeZone& zone) {
  constexpr std::size_t offset_bytes = 6;
  const std::string exact = zone.format(time);
  std::string text = exact.substr(0, 19);
  if (text.size() > 10) {
    text[10] = ' ';
  }
  if (comes_twice(time, zone)) {
    text += exact.substr(exact.size() - std::min(exact.size(), offset_bytes));
  }
  return text;
}

std::string json_for_terminal(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size();) {
    const auto lead = static_cast<unsigned char>(json[i]);
    std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    length = std::min(length, json.size() - i);
    const std::string_view character = json.substr(i, length);
    // Line breaks and tabs stand between tokens; every other such character stands in a string. A
    // carriage return would let what follows hide what stands before it on the line.
    const bool is_layout = character == "\n" || character == "\t";
    if (character == "\r") {
      out += ' ';
    } else if (is_layout || (lead >= 0x20 && lead < 0x7f) ||
               query::terminal_safe(character) == character) {
      out += character;
    } else {
      std::string quoted;
      query::append_json_string(quoted, character);
      out += std::string_view(quoted).substr(1, quoted.size() - 2);
    }
    i += length;
  }
  return out;
}

}  // namespace docket::cli
