#include "tools/docket/csv_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "ingest/event_json.hpp"
#include "query/render.hpp"
#include "tests/query/line_readers.hpp"

namespace docket::cli {
namespace {

using ::testing::HasSubstr;

// "line:cell|cell" of each record, with the text given in pieces of `piece` bytes.
std::string records(std::string_view text, std::size_t piece = 1) {
  std::string out;
  CsvReader reader;
  const CsvReader::Sink sink = [&out](std::uint64_t line,
                                      const std::vector<std::string>& cells) -> Result<void> {
    out += std::to_string(line) + ":";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      out += (i == 0 ? "" : "|") + cells[i];
    }
    out += ";";
    return {};
  };
  for (std::size_t i = 0; i < text.size(); i += piece) {
    if (const auto done = reader.take(text.substr(i, piece), sink); !done) {
      return out + "error " + done.error().message;
    }
  }
  const auto done = reader.finish(sink);
  return done ? out : out + "error " + done.error().message;
}

TEST(CsvReader, FollowsRfc4180WhateverThePieces) {
  const std::string text = "a,b\r\n\"1,\"\"x\"\"\",\"two\r\nlines\"\r\n,\r\n\"\"\r\n\r\nlast,one";
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    EXPECT_EQ(records(text, piece), "1:a|b;2:1,\"x\"|two\r\nlines;4:|;5:;7:last|one;") << piece;
  }
}

TEST(CsvReader, LineEndsMayBeLfOrCrOrCrLf) {
  EXPECT_EQ(records("a\nb\rc\r\nd"), "1:a;2:b;3:c;4:d;");
}

TEST(CsvReader, StrayQuotesAndOpenEndsNameTheLine) {
  EXPECT_THAT(records("ok\nx\"y\n"), HasSubstr("1:ok;error line 2: a quote within"));
  EXPECT_THAT(records("\"x\"y\n"), HasSubstr("line 1: text behind"));
  EXPECT_THAT(records("a\n\"x\n\n"), HasSubstr("line 2: the file ends within quotes"));
}

TEST(CsvReader, ARecordIsBounded) {
  const std::string endless = "\"" + std::string(CsvReader::record_bytes_max + 1, 'x');
  EXPECT_THAT(records(endless, 4096), HasSubstr("line 1: the record has more than"));
}

TEST(CsvColumns, UnknownRepeatedAndMissingColumnsAreNamed) {
  EXPECT_THAT(CsvColumns::from_heading({"colour"}).error().message, HasSubstr("'colour'"));
  EXPECT_THAT(CsvColumns::from_heading({"verb", "verb"}).error().message, HasSubstr("verb"));
  EXPECT_THAT(CsvColumns::from_heading({"verb", "actor_kind", "actor_id"}).error().message,
              HasSubstr("target_type is missing"));
}

TEST(CsvColumns, WhatTheExportWritesIsTheSameEventAgain) {
  Event event;
  event.log = "campaign";
  event.seq = Seq(7);
  event.ts = 1'777'600'000'123'000'000;
  event.actor = {"api_token", "t,1", "Na\"me", "Röle"};
  event.verb = "IMPORT";
  event.target = {"List", "-9", "=cmd()"};
  event.related = {{"Contact", "1", ""}, {"Contact", "2", "a\nb"}};
  event.affected = 12;
  event.ip = parse_ip("10.1.2.3");
  event.outcome = Outcome::denied;
  event.reason = "+reason";
  event.session = "s";
  event.request = "r";
  event.payload = "{\"a\": \"line\", \"b\":[1,2]}";
  for (const bool raw : {false, true}) {
    std::string csv(query::csv_header());
    query::append_csv(csv, event, raw);
    CsvReader reader;
    std::optional<CsvColumns> columns;
    std::string json;
    const CsvReader::Sink sink = [&](std::uint64_t,
                                     const std::vector<std::string>& cells) -> Result<void> {
      if (!columns) {
        DOCKET_ASSIGN(columns, CsvColumns::from_heading(cells));
        return {};
      }
      DOCKET_ASSIGN(json, columns->to_json(cells, raw));
      return {};
    };
    ASSERT_TRUE(reader.take(csv, sink));
    ASSERT_TRUE(reader.finish(sink));
    ingest::EventDecoder decoder;
    const auto decoded = decoder.decode(json, EventRules{}, event.ts);
    ASSERT_TRUE(decoded) << decoded.error().message << "\n" << json;
    EXPECT_EQ(decoded->log, "campaign");
    std::vector<TargetView> related;
    const EventView expected = view_of(event, related);
    EXPECT_EQ(decoded->event.ts, expected.ts);
    EXPECT_EQ(decoded->event.actor.id, expected.actor.id);
    EXPECT_EQ(decoded->event.actor.name, expected.actor.name);
    EXPECT_EQ(decoded->event.actor.role, expected.actor.role);
    EXPECT_EQ(decoded->event.target, expected.target);
    EXPECT_TRUE(std::ranges::equal(decoded->event.related, expected.related));
    EXPECT_EQ(decoded->event.affected, 12U);
    EXPECT_EQ(decoded->event.ip, expected.ip);
    EXPECT_EQ(decoded->event.outcome, expected.outcome);
    EXPECT_EQ(decoded->event.reason, expected.reason);
    EXPECT_EQ(decoded->event.payload, expected.payload);
  }
}

TEST(CsvColumns, OneQuoteIsTakenOffWhereTheExportHasPutOne) {
  for (const std::string name : {"=1", "'=1", "''=1", "'", "''", "'a", "'a=1", "\t", "'\n=", "＝1",
                                 "'＝1", "a'=1", "it's", "-", "'-"}) {
    Event event;
    event.actor = {"user", "1", name, ""};
    event.verb = "EDIT";
    event.target = {"List", "1", ""};
    std::string csv(query::csv_header());
    query::append_csv(csv, event, false);
    const auto records = query::read_csv(csv);
    ASSERT_TRUE(records);
    const auto columns = CsvColumns::from_heading(records->at(0));
    ASSERT_TRUE(columns);
    const auto json = columns->to_json(records->at(1), false);
    ASSERT_TRUE(json) << json.error().message;
    ingest::EventDecoder decoder;
    const auto decoded = decoder.decode(*json, EventRules{}, 1);
    ASSERT_TRUE(decoded) << decoded.error().message << *json;
    EXPECT_EQ(decoded->event.actor.name, name);
  }
}

TEST(CsvColumns, ACellCannotSmuggleMembersIntoTheEvent) {
  const auto columns =
      CsvColumns::from_heading({"actor_kind", "actor_id", "verb", "target_type", "payload"});
  ASSERT_TRUE(columns);
  EXPECT_FALSE(columns->to_json({"u", "1", "V", "T", "{},\"reason\":\"x\""}, false));
  EXPECT_FALSE(columns->to_json({"u", "1", "V", "T", "{}}"}, false));
  EXPECT_FALSE(columns->to_json({"u", "1", "V", "T", "{\"a\":"}, false));
  EXPECT_FALSE(columns->to_json({"u", "\xff", "V", "T", ""}, false));
  EXPECT_FALSE(columns->to_json({"u", "1", "V"}, false));
  EXPECT_TRUE(columns->to_json({"u", "1", "V", "T", "{}"}, false));
}

}  // namespace
}  // namespace docket::cli
