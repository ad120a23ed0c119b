#include "tools/docket/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ingest/event_json.hpp"
#include "query/render.hpp"

namespace docket::cli {

namespace {

// The contract's columns in its order, and where each stands in the JSON object.
struct ColumnRow {
  std::string_view name;
  std::string_view object;  // "" : a member of the event itself
  std::string_view member;  // "" : not sent
  bool is_json = false;     // the cell is JSON, not text
};

constexpr std::array columns{
    ColumnRow{"timestamp", "", "ts"},
    ColumnRow{"log", "", "log"},
    ColumnRow{"seq", "", ""},
    ColumnRow{"actor_kind", "actor", "kind"},
    ColumnRow{"actor_id", "actor", "id"},
    ColumnRow{"actor_name", "actor", "name"},
    ColumnRow{"actor_role", "actor", "role"},
    ColumnRow{"verb", "", "verb"},
    ColumnRow{"target_type", "target", "type"},
    ColumnRow{"target_id", "target", "id"},
    ColumnRow{"target_name", "target", "name"},
    ColumnRow{"ip", "", "ip"},
    ColumnRow{"outcome", "", "outcome"},
    ColumnRow{"reason", "", "reason"},
    ColumnRow{"affected", "", "affected", true},
    ColumnRow{"session", "", "session"},
    ColumnRow{"request", "", "request"},
    ColumnRow{"related", "", "related", true},
    ColumnRow{"payload", "", "payload", true},
};

// One JSON value of any kind. It is valid both as a member and as an element: several members are
// no elements, and several elements no member.
bool is_json_value(std::string_view text) {
  return ingest::is_json_object(fmt::format("{{\"a\":{}}}", text)) &&
         ingest::is_json_object(fmt::format("{{\"a\":[{}]}}", text));
}

std::string_view without_guard(std::string_view cell) {
  return cell.starts_with('\'') && query::needs_guard(cell) ? cell.substr(1) : cell;
}

}  // namespace

Result<void> CsvReader::take(std::string_view piece, const Sink& sink) {
  for (const char c : piece) {
    DOCKET_TRY(step(c, sink));
  }
  return {};
}

Result<void> CsvReader::step(char c, const Sink& sink) {
  if (++record_bytes_ > record_bytes_max) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("line {}: the record has more than {} bytes", record_line_, record_bytes_max));
  }
  if (state_ == State::after_cr) {
    state_ = State::cell_start;
    if (c == '\n') {
      ++line_;
      record_line_ = line_;
      return {};
    }
    ++line_;  // a lone CR ended the line
    record_line_ = line_;
  }
  if (state_ == State::quoted) {
    line_ += c == '\n' ? 1 : 0;
    if (c == '"') {
      state_ = State::quote_in_quoted;
    } else {
      cell_ += c;
    }
    return {};
  }
  if (c == '"') {
    if (state_ == State::plain) {
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("line {}: a quote within a cell that does not start with one", line_));
    }
    cell_ += state_ == State::quote_in_quoted ? "\"" : "";
    state_ = State::quoted;
    return {};
  }
  if (c == ',') {
    end_cell();
    return {};
  }
  if (c == '\r' || c == '\n') {
    DOCKET_TRY(end_record(sink));
    if (c == '\r') {
      state_ = State::after_cr;
    } else {
      ++line_;
      record_line_ = line_;
    }
    return {};
  }
  if (state_ == State::quote_in_quoted) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("line {}: text behind the closing quote of a cell", line_));
  }
  state_ = State::plain;
  cell_ += c;
  return {};
}

void CsvReader::end_cell() {
  cells_.push_back(std::move(cell_));
  cell_.clear();
  state_ = State::cell_start;
}

Result<void> CsvReader::end_record(const Sink& sink) {
  const bool is_blank = cells_.empty() && cell_.empty() && state_ == State::cell_start;
  record_bytes_ = 0;
  if (is_blank) {
    return {};
  }
  end_cell();
  const std::vector<std::string> cells = std::move(cells_);
  cells_.clear();
  return sink(record_line_, cells);
}

Result<void> CsvReader::finish(const Sink& sink) {
  if (state_ == State::quoted) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("line {}: the file ends within quotes", record_line_));
  }
  return state_ == State::after_cr ? Result<void>() : end_record(sink);
}

Result<CsvColumns> CsvColumns::from_heading(const std::vector<std::string>& cells) {
  CsvColumns result;
  for (const std::string& cell : cells) {
    const auto found = std::ranges::find(columns, std::string_view(cell), &ColumnRow::name);
    const auto place = static_cast<std::size_t>(found - columns.begin());
    if (found == columns.end()) {
      return fail(ErrorCode::invalid_argument, fmt::format("there is no column '{}'", cell));
    }
    if (std::ranges::find(result.order_, place) != result.order_.end()) {
      return fail(ErrorCode::invalid_argument, fmt::format("column {} stands twice", cell));
    }
    result.order_.push_back(place);
  }
  for (const std::string_view required : {"actor_kind", "actor_id", "verb", "target_type"}) {
    if (std::ranges::find(cells, required) == cells.end()) {
      return fail(ErrorCode::invalid_argument, fmt::format("column {} is missing", required));
    }
  }
  return result;
}

Result<std::string> CsvColumns::to_json(const std::vector<std::string>& cells, bool raw) const {
  if (cells.size() != order_.size()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{} cells where the heading has {}", cells.size(), order_.size()));
  }
  std::array<std::string_view, columns.size()> values{};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    values[order_[i]] = raw ? std::string_view(cells[i]) : without_guard(cells[i]);
  }
  std::string json = "{";
  std::string_view open;  // the object that is being written
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ColumnRow& column = columns[i];
    if (values[i].empty() || column.member.empty()) {
      continue;
    }
    if (!is_utf8(values[i])) {
      return fail(ErrorCode::invalid_argument, fmt::format("{}: must be valid UTF-8", column.name));
    }
    if (column.is_json && !is_json_value(values[i])) {
      return fail(ErrorCode::invalid_argument, fmt::format("{}: must be JSON", column.name));
    }
    if (open != column.object) {
      json += open.empty() ? "" : "}";
      open = column.object;
      if (!open.empty()) {
        fmt::format_to(std::back_inserter(json), "{}\"{}\":{{", json.size() > 1 ? "," : "", open);
      }
    }
    json += json.back() == '{' ? "" : ",";
    fmt::format_to(std::back_inserter(json), "\"{}\":", column.member);
    if (column.is_json) {
      json += values[i];
    } else {
      query::append_json_string(json, values[i]);
    }
  }
  return json + (open.empty() ? "}" : "}}");
}

}  // namespace docket::cli
