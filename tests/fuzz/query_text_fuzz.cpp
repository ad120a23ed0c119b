// Arbitrary text as a query. The first byte picks the time zone, the rest is the text.
//
// Invariants:
//   Q1  parse() returns; it neither crashes nor reads outside of the text.
//   Q2  A query within its bounds: its printed form parses, in another zone and at another time, to
//       the same expression, the same time bounds and the same names_log, and prints the same.
//       (Times that are written out can make it longer than a query may be.)
//   Q3  A refusal is invalid_argument, with three lines without control characters but for the two
//       line feeds, whose caret stands within the shown text's columns or one behind, and an offset
//       within the text, or at the size limit.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "engine/assert.hpp"
#include "query/parser.hpp"
#include "query/render.hpp"

namespace {

using docket::query::ParseContext;
using docket::query::Query;
using docket::query::TimeZone;

void check_query(const Query& query, std::string_view text) {
  DOCKET_ASSERT(query.where != nullptr);
  DOCKET_ASSERT(query.text == text);
  const std::string printed = print(*query.where);
  if (printed.size() > docket::query::query_bytes_max) {
    return;
  }
  const auto again = docket::query::parse(printed, ParseContext{});
  DOCKET_ASSERT(again.has_value());
  DOCKET_ASSERT(*again->where == *query.where);
  DOCKET_ASSERT(again->since == query.since);
  DOCKET_ASSERT(again->until == query.until);
  DOCKET_ASSERT(again->names_log == query.names_log);
  DOCKET_ASSERT(print(*again->where) == printed);
}

void check_error(const docket::Error& error, std::string_view text) {
  DOCKET_ASSERT(error.code == docket::ErrorCode::invalid_argument);
  DOCKET_ASSERT(error.offset <= text.size());
  const std::string_view message = error.message;
  const std::size_t first_end = message.find('\n');
  const std::size_t second_end = message.rfind('\n');
  DOCKET_ASSERT(first_end != std::string_view::npos);
  DOCKET_ASSERT(second_end > first_end);
  const std::string_view expectation = message.substr(0, first_end);
  const std::string_view shown = message.substr(first_end + 1, second_end - first_end - 1);
  const std::string_view caret = message.substr(second_end + 1);
  DOCKET_ASSERT(docket::query::terminal_safe(expectation) == expectation);
  DOCKET_ASSERT(docket::query::terminal_safe(shown) == shown);
  DOCKET_ASSERT(caret.find_first_not_of(' ') == caret.size() - 1);
  DOCKET_ASSERT(caret.back() == '^');
  DOCKET_ASSERT(caret.size() - 1 <= docket::query::display_width(shown));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TimeZone zones[] = {
      TimeZone::utc(),
      TimeZone::find("Europe/Berlin").value_or(TimeZone::utc()),
      TimeZone::find("America/Sao_Paulo").value_or(TimeZone::utc()),
      TimeZone::find("-11:45").value_or(TimeZone::utc()),
  };
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  // 2026-03-29T15:00:00Z, the day that clocks go forward in Berlin.
  const ParseContext context{1'774'796'400'000'000'000, zones[data[0] % std::size(zones)]};
  const auto query = docket::query::parse(text, context);
  if (query.has_value()) {
    check_query(*query, text);
  } else {
    check_error(query.error(), text);
  }
  return 0;
}
