// Rows for people and programs: JSON objects, CSV, syslog, CEF, the field-level diff. Appends to
// `out`; the forms for hot loops allocate nothing once `out` has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/snapshot.hpp"
#include "query/stored_view.hpp"

namespace docket::query {

// How a payload's line breaks, which can only be white space between its tokens, are written.
enum class PayloadForm : std::uint8_t {
  one_line,  // as blanks: for NDJSON and server-sent events, where a line is a record
  as_sent,   // as they are: byte for byte what was sent
};

// One JSON object, no newline behind it: seq, received (in nanoseconds since the Unix epoch), then
// the fields in the contract's order; absent optional fields are left out; the payload's bytes as
// they were sent but for `form`; `node` last. Control characters and bidi marks are escaped, other
// than within the payload.
void append_json(std::string& out, const StoredView& event,
                 PayloadForm form = PayloadForm::one_line);
// A JSON string with its quotes; U+2028/9, control characters (C1 and DEL included) and bidi marks
// as \u escapes; bytes that are no UTF-8 as U+FFFD.
void append_json_string(std::string& out, std::string_view text);
// `[{"type":…,"id":…,"name":…}…]`, absent ids and names left out.
void append_json_targets(std::string& out, std::span<const TargetView> targets);
// `"gaps":[{"log":…,"first_seq":…,"last_seq":…,"reason":…}…]`.
void append_json_gaps(std::string& out, const std::vector<Gap>& gaps);

// The header line of the contract, with CRLF.
[[nodiscard]] std::string_view csv_header();
// One RFC 4180 record with CRLF; absent fields are empty cells; related targets are one cell of
// JSON, as append_json_targets writes them. Unless `raw`, a cell that needs_guard() gets a leading
// ', and control characters (other than tab, CR and LF) and bidi marks become \uNNNN.
void append_csv(std::string& out, const StoredView& event, bool raw);
// One cell of another table, without what separates it: as safe as those above are unless `raw`.
void append_csv_cell(std::string& out, std::string_view text);
// Whether a spreadsheet would take the cell for a formula: = + - @, their full-width forms (which
// East Asian editions read alike), tab, CR or LF first.
[[nodiscard]] bool is_run_by_spreadsheets(std::string_view cell);
// Whether that holds for the cell, or for what stands behind the 's that it begins with: so whoever
// reads takes one off such a cell, and has what it was.
[[nodiscard]] bool needs_guard(std::string_view cell);

// One RFC 5424 line with LF, never cut however long. Facility 13 (log audit); severity 6 for a
// success, 5 for what was denied, 4 for a failure. Every field of the event is a parameter of the
// element docket@32473, under its name in a query (actor.kind), beside seq, received and ts; behind
// it stands a summary for people. Control characters and bidi marks become \uNNNN; line breaks and
// tabs within a payload, which can only stand between its tokens, become blanks.
void append_syslog(std::string& out, const StoredView& event);
// One line of ArcSight's Common Event Format with LF, never cut, as safe as syslog; a line break
// in a value other than the payload is CEF's \n or \r. The keys are listed in README.md.
void append_cef(std::string& out, const StoredView& event);

// The same of events that hold their strings themselves.
inline void append_json(std::string& out, const Event& event,
                        PayloadForm form = PayloadForm::one_line) {
  append_json(out, ViewedEvent(event).view(), form);
}
inline void append_csv(std::string& out, const Event& event, bool raw) {
  append_csv(out, ViewedEvent(event).view(), raw);
}
inline void append_syslog(std::string& out, const Event& event) {
  append_syslog(out, ViewedEvent(event).view());
}
inline void append_cef(std::string& out, const Event& event) {
  append_cef(out, ViewedEvent(event).view());
}

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
