#include "tools/docket/table.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/timestamp.hpp"

namespace docket::cli {
namespace {

using Kind = Column::Kind;

Table sample() {
  Table table({{"name"}, {"count", Kind::count}, {"size", Kind::bytes}, {"when", Kind::time}});
  table.add({"alpha", "1048577", "1536", "2026-05-01T12:00:00.5Z"});
  table.add({"b", "0", "", ""});
  return table;
}

TEST(Table, NumbersStandToTheRightAndTimesInTheZoneThatTheHeadingNames) {
  EXPECT_EQ(sample().text(Terminal{}, query::TimeZone::find("Europe/Berlin").value()),
            "NAME       COUNT      SIZE  WHEN (Europe/Berlin)\n"
            "alpha  1,048,577  1.50 KiB  2026-05-01 14:00:00\n"
            "b              0\n");
}

TEST(Table, TheHourThatComesTwiceTellsWhichOneItIs) {
  const auto clock = [](const char* time, const char* zone) {
    return clock_text(parse_rfc3339(time).value(), query::TimeZone::find(zone).value());
  };
  EXPECT_EQ(clock("2026-10-24T23:59:59Z", "Europe/Berlin"), "2026-10-25 01:59:59");
  EXPECT_EQ(clock("2026-10-25T00:00:00Z", "Europe/Berlin"), "2026-10-25 02:00:00+02:00");
  EXPECT_EQ(clock("2026-10-25T00:30:00.5Z", "Europe/Berlin"), "2026-10-25 02:30:00+02:00");
  EXPECT_EQ(clock("2026-10-25T01:30:00Z", "Europe/Berlin"), "2026-10-25 02:30:00+01:00");
  EXPECT_EQ(clock("2026-10-25T02:00:00Z", "Europe/Berlin"), "2026-10-25 03:00:00");
  // The hour that is left out in spring is no other's.
  EXPECT_EQ(clock("2026-03-29T00:30:00Z", "Europe/Berlin"), "2026-03-29 01:30:00");
  EXPECT_EQ(clock("2026-03-29T01:30:00Z", "Europe/Berlin"), "2026-03-29 03:30:00");
  EXPECT_EQ(clock("2026-04-04T14:45:00Z", "Australia/Lord_Howe"), "2026-04-05 01:45:00+11:00");
  EXPECT_EQ(clock("2026-10-25T01:30:00Z", "UTC"), "2026-10-25 01:30:00");
  EXPECT_EQ(clock("2026-10-25T01:30:00Z", "+05:30"), "2026-10-25 07:00:00");
}

TEST(Table, WithoutATerminalNothingIsCutAndNothingColoured) {
  Table table({{"a"}, {"b"}});
  table.add({std::string(500, 'x'), "y"});
  const std::string text = table.text(Terminal{}, query::TimeZone::utc());
  EXPECT_NE(text.find(std::string(500, 'x') + "  y\n"), std::string::npos);
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST(Table, OnATerminalNoLineIsWiderThanIt) {
  Terminal terminal;
  terminal.is_terminal = true;
  terminal.columns = 40;
  Table table({{"a"}, {"b"}, {"n", Kind::count}});
  table.add({std::string(100, 'x'), std::string(60, 'y'), "12345"});
  const std::string text = table.text(terminal, query::TimeZone::utc());
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    std::size_t columns = 0;
    for (std::size_t i = begin; i < end; ++i) {
      columns += (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 ? 1 : 0;
    }
    EXPECT_LE(columns, 40U) << text;
    begin = end + 1;
  }
  EXPECT_NE(text.find("12,345"), std::string::npos);
}

TEST(Table, WhatCannotBeCutToFitBecomesParagraphs) {
  Terminal terminal;
  terminal.is_terminal = true;
  terminal.columns = 24;
  Table table({{"event", Kind::text, false, true}, {"when", Kind::time}});
  table.add({"activity:1048577", "2026-05-01T12:00:00Z"});
  table.add({"api:2", ""});
  EXPECT_EQ(table.text(terminal, query::TimeZone::utc()),
            "EVENT       activity:10…\n"
            "WHEN (UTC)  2026-05-01 …\n"
            "\n"
            "EVENT       api:2\n"
            "WHEN (UTC)\n");
  terminal.columns = 40;
  EXPECT_EQ(table.text(terminal, query::TimeZone::utc()),
            "EVENT             WHEN (UTC)\n"
            "activity:1048577  2026-05-01 12:00:00\n"
            "api:2\n");
}

TEST(Table, WhatATerminalWouldActOnIsEscaped) {
  Table table({{"a"}});
  table.add({"x\033[31m\r\n\xe2\x80\xae"});
  const std::string text = table.text(Terminal{}, query::TimeZone::utc());
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Table, CsvKeepsRawValuesAndDefusesFormulas) {
  Table table({{"a"}, {"n", Kind::count}});
  table.add({"=1+1", "1048577"});
  table.add({"a \"b\", c", "0"});
  EXPECT_EQ(table.csv(), "a,n\r\n'=1+1,1048577\r\n\"a \"\"b\"\", c\",0\r\n");
  Table hostile({{"a"}});
  hostile.add({"a\x1b[2J\u202e"});
  EXPECT_EQ(hostile.csv(), "a\r\na\\u001b[2J\\u202e\r\n");
}

TEST(Table, NdjsonHasNumbersAsNumbersAndNullForWhatIsAbsent) {
  EXPECT_EQ(sample().ndjson(),
            R"({"name":"alpha","count":1048577,"size":1536,"when":"2026-05-01T12:00:00.5Z"})"
            "\n"
            R"({"name":"b","count":0,"size":null,"when":null})"
            "\n");
}

TEST(FitColumns, TheWidestGiveWayFirstAndKeepAMinimum) {
  const std::vector<bool> all{true, true, true};
  EXPECT_EQ(fit_columns({10, 20, 30}, all, std::nullopt), (std::vector<std::size_t>{10, 20, 30}));
  EXPECT_EQ(fit_columns({10, 20, 30}, all, 64), (std::vector<std::size_t>{10, 20, 30}));
  EXPECT_EQ(fit_columns({10, 20, 30}, all, 54), (std::vector<std::size_t>{10, 20, 20}));
  EXPECT_EQ(fit_columns({10, 20, 30}, all, 44), (std::vector<std::size_t>{10, 15, 15}));
  EXPECT_EQ(fit_columns({10, 20, 30}, {true, true, false}, 44),
            (std::vector<std::size_t>{8, 8, 30}));
  EXPECT_EQ(fit_columns({}, {}, 10), (std::vector<std::size_t>{}));
}

TEST(Bar, IsAsLongAsItsShareAndNeverNothingForSomething) {
  EXPECT_EQ(bar(0, 10, 4), "");
  EXPECT_EQ(bar(10, 10, 4), "████");
  EXPECT_EQ(bar(5, 10, 4), "██");
  EXPECT_EQ(bar(1, 1'000'000, 4), "▏");
  EXPECT_EQ(bar(3, 0, 4), "");
}

TEST(JsonForTerminal, EscapesInsideStringsOnlyAndKeepsTheValue) {
  EXPECT_EQ(json_for_terminal("{\n\t\"a\": \"\xc2\x9b"
                              "31m\xe2\x80\xae\x7f\"}"),
            "{\n\t\"a\": \"\\u009b31m\\u202e\\u007f\"}");
  EXPECT_EQ(json_for_terminal("{\"ä\":\"日本\\n\"}"), "{\"ä\":\"日本\\n\"}");
}

}  // namespace
}  // namespace docket::cli
