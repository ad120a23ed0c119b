// Rows for people and programs: JSON objects, CSV, the field-level diff. Appends to `out`; the
// forms for hot loops allocate nothing once `out` has grown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/snapshot.hpp"

namespace docket::query {

// One JSON object on one line, no newline: seq, received, then the fields in the contract's order;
// absent optional fields are left out; the payload's bytes as they were sent; `node` last.
void append_json(std::string& out, const Event& event);
// A JSON string with its quotes; U+2028/9, control characters and bidi marks as \u escapes.
void append_json_string(std::string& out, std::string_view text);
// `"gaps":[{"log":…,"first_seq":…,"last_seq":…,"reason":…}…]`.
void append_json_gaps(std::string& out, const std::vector<Gap>& gaps);

// The header line of the contract, with CRLF.
[[nodiscard]] std::string_view csv_header();
// One RFC 4180 record with CRLF. Unless `raw`, a cell that a spreadsheet would run gets a leading
// '.
void append_csv(std::string& out, const Event& event, bool raw);

// Makes text safe for a terminal: control characters, escapes, U+2028/9 and bidi marks become
// visible \xNN or \u{NNNN} forms; invalid UTF-8 bytes too.
[[nodiscard]] std::string terminal_safe(std::string_view text);

// Columns that text takes on a terminal: two for wide East Asian characters and emoji, none for
// combining and other zero-width ones, one for all else. Meant for text made safe; bytes that are
// no UTF-8 count one each.
[[nodiscard]] std::size_t display_width(std::string_view text);
// Text of at most `columns` columns: as it is where it fits, else cut, with … at the end. Not
// padded.
[[nodiscard]] std::string fit_width(std::string_view text, std::size_t columns);

// One changed field of a payload's diff. `path` is dotted, with [n] for array places.
struct FieldChange {
  std::string path;
  std::string before;  // JSON text; empty: it was not there
  std::string after;   // JSON text; empty: it was removed
};
// From {"changes":[{"field","old","new"}…]} or {"before":{…},"after":{…}}; empty when the payload
// is neither.
[[nodiscard]] std::vector<FieldChange> payload_changes(std::string_view payload);

}  // namespace docket::query
