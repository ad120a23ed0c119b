// Every hostile text, in every field, through everything that the inspector shows.
#include "tools/docket/event_output.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>

#include "query/parser.hpp"
#include "query/render.hpp"
#include "tests/query/hostile_corpus.hpp"
#include "tests/query/line_readers.hpp"
#include "tools/api/answer.hpp"
#include "tools/docket/answer_reader.hpp"

namespace docket::cli {
namespace {

using query::acting_in;
using query::hostile_event;
using query::hostile_texts;
using query::HostileText;

// Plain ones into a pipe, and a narrow terminal without colours, whose codes would be ours.
std::vector<Terminal> terminals() {
  std::vector<Terminal> all(2);
  all[1].is_terminal = true;
  all[1].columns = 60;
  return all;
}

std::ptrdiff_t lines_in(std::string_view text) {
  return std::ranges::count(text, '\n');
}

TEST(EventOutput, ATableOfHostileEventsHasALineForEach) {
  std::vector<Event> events;
  for (const HostileText& hostile : hostile_texts()) {
    events.push_back(hostile_event(hostile));
  }
  const std::string text = events_table(events).text(Terminal{}, query::TimeZone::utc());
  EXPECT_EQ(acting_in(text, "\n"), "");
  EXPECT_EQ(lines_in(text), static_cast<std::ptrdiff_t>(events.size()) + 1);
}

TEST(EventOutput, HostileEventsAreShownSafely) {
  for (const HostileText& hostile : hostile_texts()) {
    const Event event = hostile_event(hostile);
    for (const Terminal& terminal : terminals()) {
      const query::TimeZone zone = query::TimeZone::utc();
      const std::string line = event_line(event, terminal, zone);
      EXPECT_EQ(acting_in(line, "\n"), "") << hostile.name;
      EXPECT_EQ(lines_in(line), 1) << hostile.name;
      EXPECT_EQ(acting_in(events_table({event}).text(terminal, zone), "\n"), "") << hostile.name;
      EXPECT_EQ(acting_in(event_in_full(event, terminal, zone), "\n\t"), "") << hostile.name;
    }
  }
}

TEST(EventOutput, ADocumentOfEventsIsAnAnswerToASearch) {
  EXPECT_EQ(EventDocument().end("", {}), R"({"events":[],"next":null,"gaps":[]})");
  std::vector<Event> events;
  EventDocument document;
  std::string text;
  for (const HostileText& hostile : hostile_texts()) {
    events.push_back(hostile_event(hostile));
    text += document.add(events.back());
  }
  const std::vector<Gap> gaps{{"activity", Seq(1), Seq(2), "torn"}};
  text += document.end("a\"b", gaps);
  const auto page = read_page(text);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->events, events);
  EXPECT_EQ(page->next, "a\"b");
  EXPECT_EQ(read_gaps(text).value(), gaps);
}

TEST(EventOutput, JsonOnATerminalIsSafeAndTheSameDocument) {
  for (const HostileText& hostile : hostile_texts()) {
    std::string json;
    query::append_json(json, hostile_event(hostile), query::PayloadForm::as_sent);
    const std::string shown = json_for_terminal(json);
    EXPECT_EQ(acting_in(shown, "\n\t"), "") << hostile.name;
    simdjson::dom::parser parser;
    simdjson::dom::parser parser_of_shown;
    const simdjson::dom::element sent = parser.parse(simdjson::padded_string(json));
    const simdjson::dom::element read = parser_of_shown.parse(simdjson::padded_string(shown));
    EXPECT_EQ(simdjson::minify(sent), simdjson::minify(read)) << hostile.name;
  }
}

TEST(EventOutput, HostileValuesOfFacetsAreSafeInEveryFormat) {
  Table table({{"target"}, {"count", Column::Kind::count, true}});
  for (const HostileText& hostile : hostile_texts()) {
    table.add({hostile.text, "3"});
  }
  const auto rows = static_cast<std::ptrdiff_t>(hostile_texts().size());
  for (const Terminal& terminal : terminals()) {
    const std::string text = table.text(terminal, query::TimeZone::utc());
    EXPECT_EQ(acting_in(text, "\n"), "");
    EXPECT_EQ(lines_in(text), rows + 1);
  }
  const std::string ndjson = table.ndjson();
  EXPECT_EQ(acting_in(ndjson, "\n"), "");
  EXPECT_EQ(lines_in(ndjson), rows);
  const std::string csv = table.csv();
  EXPECT_EQ(acting_in(csv, "\r\n\t"), "");
  const auto records = query::read_csv(csv);
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), hostile_texts().size() + 1);
  for (std::size_t i = 0; i < hostile_texts().size(); ++i) {
    const std::string visible = query::made_visible(hostile_texts()[i].text, "\t\r\n");
    const bool guarded = query::needs_guard(visible);
    EXPECT_EQ(records->at(i + 1).at(0), (guarded ? "'" : "") + visible);
  }
}

TEST(EventOutput, AProblemDocumentIsSafeWhateverTheQueryWas) {
  for (const HostileText& hostile : hostile_texts()) {
    const auto parsed = query::parse("verb:(\"" + hostile.text, query::ParseContext{});
    ASSERT_FALSE(parsed) << hostile.name;
    const std::string body = api::problem(parsed.error()).body;
    EXPECT_EQ(acting_in(body), "") << hostile.name;
    simdjson::dom::parser parser;
    EXPECT_EQ(parser.parse(simdjson::padded_string(body)).error(), simdjson::SUCCESS);
    const std::string other = api::problem(404, hostile.text, hostile.text, hostile.text).body;
    EXPECT_EQ(acting_in(other), "") << hostile.name;
    EXPECT_EQ(parser.parse(simdjson::padded_string(other)).error(), simdjson::SUCCESS);
  }
}

}  // namespace
}  // namespace docket::cli
