#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "engine/timestamp.hpp"
#include "query/csv_row.hpp"
#include "query/render.hpp"
#include "tests/query/line_readers.hpp"

namespace docket::query {
namespace {

Event event() {
  Event e;
  e.log = "activity";
  e.seq = Seq(7);
  e.ts = parse_rfc3339("2026-05-01T14:22:03.25Z").value();
  e.actor = {"user", "17", "Ana Lima", "owner"};
  e.verb = "EDIT";
  e.target = {"Broadcast", "9", "Welcome series"};
  e.affected = 3;
  e.outcome = Outcome::failure;
  return e;
}

std::string csv(const Event& e, bool raw = false) {
  std::string out;
  append_csv(out, e, raw);
  return out;
}

// The cell under a column's name.
std::string cell(const Event& e, std::string_view column, bool raw = false) {
  const auto read = read_csv(std::string(csv_header()) + csv(e, raw));
  EXPECT_TRUE(read);
  const auto records = read.value_or(std::vector<std::vector<std::string>>(2));
  EXPECT_EQ(records.size(), 2U);
  EXPECT_EQ(records.at(0).size(), records.at(1).size());
  const auto it = std::find(records[0].begin(), records[0].end(), column);
  return it == records[0].end() ? "no such column"
                                : records[1].at(static_cast<std::size_t>(it - records[0].begin()));
}

std::string named(std::string name, bool raw = false) {
  Event e = event();
  e.target.name = std::move(name);
  return cell(e, "target_name", raw);
}

TEST(RenderCsv, TheHeaderIsTheContracts) {
  EXPECT_EQ(csv_header(),
            "timestamp,log,seq,actor_kind,actor_id,actor_name,actor_role,verb,target_type,"
            "target_id,target_name,ip,outcome,reason,affected,session,request,related,payload\r\n");
}

TEST(RenderCsv, ARecordHasOneCellForEachColumn) {
  EXPECT_EQ(csv(event()),
            "2026-05-01T14:22:03.25Z,activity,7,user,17,Ana Lima,owner,EDIT,Broadcast,9,"
            "Welcome series,,failure,,3,,,,\r\n");
  Event e = event();
  e.ip = parse_ip("2001:DB8::1");
  e.reason = "rate_limited";
  e.session = "s";
  e.request = "r";
  EXPECT_EQ(cell(e, "ip"), "2001:db8::1");
  EXPECT_EQ(cell(e, "reason"), "rate_limited");
  EXPECT_EQ(cell(e, "session"), "s");
  EXPECT_EQ(cell(e, "request"), "r");
  EXPECT_EQ(cell(e, "affected"), "3");
}

TEST(RenderCsv, CommasQuotesAndLineBreaksAreQuoted) {
  EXPECT_EQ(named("Smith, John"), "Smith, John");
  EXPECT_EQ(named("say \"hi\""), "say \"hi\"");
  EXPECT_EQ(named("\""), "\"");
  EXPECT_EQ(named("a\r\nb\nc\rd"), "a\r\nb\nc\rd");
  EXPECT_EQ(named("größe, 顧客"), "größe, 顧客");
  Event e = event();
  e.target.name = "a,b";
  EXPECT_NE(csv(e).find(",\"a,b\","), std::string::npos);
  e.target.name = "ab cd";
  EXPECT_NE(csv(e).find(",ab cd,"), std::string::npos);
}

TEST(RenderCsv, WhatASpreadsheetWouldRunGetsAQuote) {
  for (const std::string first : {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"}) {
    EXPECT_EQ(named(first + "1+1"), "'" + first + "1+1");
    EXPECT_EQ(named(first + "1+1", true), first + "1+1");
    EXPECT_EQ(named(first), "'" + first);
    EXPECT_EQ(named("a" + first), "a" + first);
  }
  // Else nobody could tell them from those above.
  EXPECT_EQ(named("'=1"), "''=1");
  EXPECT_EQ(named("''+"), "'''+");
  for (const char* plain : {"'", "''", "'a", "'a=1", "a'=1"}) {
    EXPECT_EQ(named(plain), plain);
  }
  EXPECT_EQ(named("、1"), "、1");  // the same first two bytes as a full-width sign's
  EXPECT_EQ(named("=\"x\",1"), "'=\"x\",1");
  EXPECT_EQ(named(""), "");
}

TEST(RenderCsv, EveryCellOfTextIsDefused) {
  Event e = event();
  e.actor = {"=k", "=i", "=n", "=r"};
  e.verb = "=V";
  e.target = {"=t", "=u", "=w"};
  e.reason = "=a";
  e.session = "=b";
  e.request = "=c";
  for (const std::string_view column :
       {"actor_kind", "actor_id", "actor_name", "actor_role", "verb", "target_type", "target_id",
        "target_name", "reason", "session", "request"}) {
    EXPECT_TRUE(cell(e, column).starts_with("'=")) << column;
    EXPECT_TRUE(cell(e, column, true).starts_with("=")) << column;
  }
}

TEST(RenderCsv, ControlCharactersAndMarksOfDirectionAreEscapedUnlessRaw) {
  EXPECT_EQ(named("a\x1b[2J\x7f"), "a\\u001b[2J\\u007f");
  EXPECT_EQ(named("\u202eabc,\u2066"), "\\u202eabc,\\u2066");
  EXPECT_EQ(named("\u0085\u2028"), "\\u0085\\u2028");
  EXPECT_EQ(named("a\x1b\u202e", true), "a\x1b\u202e");
  EXPECT_EQ(named("tab\tkept"), "tab\tkept");
}

TEST(RenderCsv, ACellOfAnotherTableIsAsSafe) {
  std::string out = "a,";
  append_csv_cell(out, "=1,\x1b\u202e");
  EXPECT_EQ(out, "a,\"'=1,\\u001b\\u202e\"");
}

TEST(RenderCsv, RelatedTargetsAreOneCellOfJson) {
  Event e = event();
  e.related = {{"List", "5", "News, \"daily\""}, {"Contact", "3", ""}};
  EXPECT_EQ(cell(e, "related"),
            R"([{"type":"List","id":"5","name":"News, \"daily\""},{"type":"Contact","id":"3"}])");
}

TEST(RenderCsv, ThePayloadIsByteForByteBehindTheQuotes) {
  Event e = event();
  e.payload = "{\"a\": \"b\\\"c\",\r\n \"d\": [1,2]}";
  EXPECT_EQ(cell(e, "payload"), e.payload);
  EXPECT_EQ(cell(e, "payload", true), e.payload);
  e.payload = "{\"a\":\"\u202e\"}";
  EXPECT_EQ(cell(e, "payload"), R"({"a":"\u202e"})");
  EXPECT_EQ(cell(e, "payload", true), e.payload);
}

TEST(RenderCsv, RecordsFollowOneAnother) {
  std::string out(csv_header());
  Event e = event();
  e.target.name = "=a,\"b\"\n";
  for (int i = 0; i < 3; ++i) {
    append_csv(out, e, false);
  }
  const auto records = read_csv(out).value_or(std::vector<std::vector<std::string>>());
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[1], records[2]);
  EXPECT_EQ(records[2], records[3]);
  EXPECT_EQ(records[1].at(10), "'=a,\"b\"\n");
}

// The row as its cells one by one: a row is put together by other means where the processor has
// them, cells that need something done to them are not.
std::string by_cells(const StoredView& e, bool raw) {
  std::string out = format_rfc3339(e.ts);
  const std::string seq = std::to_string(e.seq.value);
  const auto add = [&](std::string_view text) {
    out += ',';
    append_csv_cell(out, text, raw);
  };
  for (const std::string_view text :
       {e.log, std::string_view(seq), e.actor.kind, e.actor.id, e.actor.name, e.actor.role, e.verb,
        e.target.type, e.target.id, e.target.name}) {
    add(text);
  }
  add(e.ip ? format_ip(*e.ip) : std::string());
  for (const std::string_view text : {to_string(e.outcome), e.reason}) {
    add(text);
  }
  add(std::to_string(e.affected));
  for (const std::string_view text : {e.session, e.request}) {
    add(text);
  }
  std::string related;
  if (!e.related.empty()) {
    append_json_targets(related, e.related);
  }
  add(related);
  add(e.payload);
  return out + "\r\n";
}

TEST(RenderCsv, ARowIsItsCellsWhateverTheyHold) {
  std::mt19937_64 random(23);
  const std::vector<std::string> specials = {
      ",",    "\"",    "\"\"", "\r\n",   "\t",     "=",      "-",       "@",  "'",
      "\x7f", "\x1b[", "é",    "Â",      "\u0085", "\u2028", "\u202e",  "ßØ", "＝1",
      "日本", "\xc2",  "\xff", "\u061c", "\u200e", "\u2066", "\\u0041", "{}", std::string(1, '\0')};
  const auto text = [&] {
    // Around the number of bytes that are looked at together, and around what is put together.
    static constexpr std::size_t sizes[] = {0,  1,  5,   12,  31,  32,  33,   63,   64,
                                            65, 96, 127, 128, 129, 700, 2047, 2048, 5000};
    std::string made;
    const std::size_t size = sizes[random() % (random() % 4 == 0 ? std::size(sizes) : 9)];
    const std::size_t odds = std::size_t{1} << random() % 12;
    while (made.size() < size) {
      made += random() % odds == 0 ? specials[random() % specials.size()] : std::string("a");
    }
    return made;
  };
  for (int round = 0; round < 4000; ++round) {
    Event e;
    e.ts = static_cast<Nanos>(random() % 4'000'000'000'000'000'000);
    e.seq = Seq(random() >> random() % 64);
    e.affected = random() >> random() % 64;
    e.log = text();
    e.actor = {text(), text(), text(), text()};
    e.verb = text();
    e.target = {text(), text(), text()};
    e.reason = text();
    e.session = text();
    e.request = text();
    e.payload = text();
    e.related.assign(random() % 8 == 0 ? 3 : 0, {text(), text(), text()});
    if (random() % 2 == 0) {
      IpAddress address{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
      const std::size_t begin = random() % 4 == 0 ? 0 : 12;
      for (std::size_t i = begin; i < 16; ++i) {
        address.bytes[i] = static_cast<std::uint8_t>(random() >> random() % 8);
      }
      e.ip = address;
    }
    const ViewedEvent viewed(e);
    for (const bool raw : {false, true}) {
      std::string out = "before";
      append_csv(out, viewed.view(), raw);
      ASSERT_EQ(out, "before" + by_cells(viewed.view(), raw)) << round;
    }
  }
}

}  // namespace
}  // namespace docket::query
