#include <gtest/gtest.h>

#include <string>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "query/utf8.hpp"

namespace docket::query {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string json(const Event& event, PayloadForm form = PayloadForm::one_line) {
  std::string out;
  append_json(out, event, form);
  return out;
}

Event full_event() {
  Event event;
  event.log = "activity";
  event.seq = Seq(1'048'577);
  event.received = parse_rfc3339("2026-05-01T14:22:03.5Z").value();
  event.node = "mta-1";
  event.ts = parse_rfc3339("2026-05-01T14:22:03.000000001Z").value();
  event.actor = {"user", "17", "Ana \"Lima\"", "owner"};
  event.verb = "EDIT";
  event.target = {"Broadcast", "9", "Welcome series"};
  event.related = {{"List", "5", "Newsletter"}, {"Segment", "", ""}, {"Contact", "3", ""}};
  event.affected = 19;
  event.ip = parse_ip("2001:db8::1");
  event.outcome = Outcome::denied;
  event.reason = "rate_limited";
  event.session = "s-1";
  event.request = "r-1";
  event.payload = R"({ "changes" : [] })";
  return event;
}

TEST(RenderJson, FieldsStandInTheContractsOrder) {
  EXPECT_EQ(json(full_event()),
            R"({"seq":1048577,"received":1777645323500000000,"log":"activity",)"
            R"("ts":"2026-05-01T14:22:03.000000001Z",)"
            R"("actor":{"kind":"user","id":"17","name":"Ana \"Lima\"","role":"owner"},)"
            R"("verb":"EDIT","target":{"type":"Broadcast","id":"9","name":"Welcome series"},)"
            R"("related":[{"type":"List","id":"5","name":"Newsletter"},{"type":"Segment"},)"
            R"({"type":"Contact","id":"3"}],"affected":19,"ip":"2001:db8::1","outcome":"denied",)"
            R"("reason":"rate_limited","session":"s-1","request":"r-1",)"
            R"("payload":{ "changes" : [] },"node":"mta-1"})");
}

TEST(RenderJson, AbsentFieldsAreLeftOut) {
  Event event;
  event.log = "api";
  event.seq = Seq(1);
  event.actor = {"system", "cron", "", ""};
  event.verb = "SEND";
  event.target = {"Domain", "", ""};
  EXPECT_EQ(json(event),
            R"({"seq":1,"received":0,"log":"api","ts":"1970-01-01T00:00:00Z",)"
            R"("actor":{"kind":"system","id":"cron"},"verb":"SEND","target":{"type":"Domain"},)"
            R"("affected":1,"outcome":"success"})");
}

TEST(RenderJson, ThePayloadIsByteForByteButForLineBreaksWhereALineIsARecord) {
  Event event = full_event();
  event.payload = "{\r\n\t\"a\" : 1.10,\n\"b\":\"\\n\xe2\x80\xae\" }";
  const std::string one_line = json(event);
  EXPECT_NE(one_line.find("{  \t\"a\" : 1.10, \"b\":\"\\n\xe2\x80\xae\" }"), std::string::npos);
  EXPECT_EQ(one_line.find_first_of("\r\n"), std::string::npos);
  EXPECT_NE(json(event, PayloadForm::as_sent).find(event.payload), std::string::npos);
}

TEST(RenderJson, ItAppendsAndTheLargestNumbersFit) {
  Event event = full_event();
  event.seq = Seq(UINT64_MAX);
  event.affected = UINT64_MAX;
  std::string out = "before";
  append_json(out, event);
  EXPECT_TRUE(out.starts_with("before{\"seq\":18446744073709551615,"));
  EXPECT_NE(out.find("\"affected\":18446744073709551615,"), std::string::npos);
}

// Strings of an event are written otherwise than those alone.
TEST(RenderJson, StringsOfAnEventAreWrittenLikeAnyOther) {
  const auto expect_as_alone = [](const std::string& text) {
    Event event;
    event.log = "api";
    event.actor = {text, "1", "", ""};
    event.target = {"List", text, text};
    const std::string out = json(event);
    const std::string alone = json_string(text);
    EXPECT_NE(out.find(R"("actor":{"kind":)" + alone + R"(,"id":"1"})"), std::string::npos) << text;
    const std::string more = text.empty() ? "" : R"(,"id":)" + alone + R"(,"name":)" + alone;
    EXPECT_NE(out.find(R"("target":{"type":"List")" + more + R"(},"affected":)"), std::string::npos)
        << text;
  };
  for (std::size_t size = 0; size <= 40; ++size) {
    expect_as_alone(std::string(size, 'x'));
    for (std::size_t place = 0; place < size; ++place) {
      for (const char byte : {'"', '\\', '\n', '\x1F', '\x7F', '\x80', '\xFF', ' ', '~'}) {
        std::string text(size, 'x');
        text[place] = byte;
        expect_as_alone(text);
      }
    }
  }
  for (const std::size_t size : {255U, 1023U, 1024U, 1025U, 4000U, 9000U}) {
    expect_as_alone(std::string(size, 'x'));
    expect_as_alone(std::string(size - 1, 'x') + '"');
  }
}

TEST(RenderJson, AnEventOfTheLongestStringsIsWhole) {
  Event event = full_event();
  const std::string longest(255, 'x');
  event.actor = {longest, longest, longest, longest};
  event.related.assign(256, {longest, longest, longest});
  event.reason = longest;
  const std::string out = json(event);
  std::string targets;
  append_json_targets(targets, std::vector<TargetView>(256, {longest, longest, longest}));
  EXPECT_NE(out.find(R"("related":)" + targets + R"(,"affected":19,"ip":"2001:db8::1")"),
            std::string::npos);
  EXPECT_EQ(targets.size(), 256 * (3 * 255 + 29) + 257U);
  EXPECT_TRUE(out.ends_with(R"("payload":{ "changes" : [] },"node":"mta-1"})"));
}

TEST(RenderJsonString, QuotesBackslashesAndControlsAreEscaped) {
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("plain text, longer than eight"), "\"plain text, longer than eight\"");
  EXPECT_EQ(json_string("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_string("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(json_string(std::string_view("\0\x1b\x1f", 3)), R"("\u0000\u001b\u001f")");
  EXPECT_EQ(json_string("\x7f\u0080\u009f\u00a0"), "\"\\u007f\\u0080\\u009f\u00a0\"");
}

TEST(RenderJsonString, SeparatorsAndMarksOfDirectionAreEscaped) {
  EXPECT_EQ(json_string("\u2027\u2028\u2029\u202a\u202e\u202f"),
            "\"\u2027\\u2028\\u2029\\u202a\\u202e\u202f\"");
  EXPECT_EQ(json_string("\u061c\u200d\u200e\u200f"), "\"\\u061c\u200d\\u200e\\u200f\"");
  EXPECT_EQ(json_string("\u2065\u2066\u2069\u206a"), "\"\u2065\\u2066\\u2069\u206a\"");
}

TEST(RenderJsonString, OtherScriptsAreKeptAndBrokenUtf8IsReplaced) {
  EXPECT_EQ(json_string("Zoë 顧客 🎉"), "\"Zoë 顧客 🎉\"");
  EXPECT_EQ(json_string("a\xffz"), "\"a\\ufffdz\"");
  EXPECT_EQ(json_string("\xe2\x80"), "\"\\ufffd\\ufffd\"");
}

TEST(RenderJsonString, EverySpecialByteIsFoundAtEveryPlace) {
  for (std::size_t size = 1; size <= 24; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 128; ++byte) {
        std::string text(size, 'x');
        text[place] = static_cast<char>(byte);
        const std::string out = json_string(text);
        const bool special = byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F;
        ASSERT_EQ(out.size() > size + 2, special) << byte << " at " << place << " of " << size;
      }
    }
  }
}

TEST(RenderJsonGaps, GapsAreAMember) {
  std::string out;
  append_json_gaps(out, {});
  EXPECT_EQ(out, "\"gaps\":[]");
  out.clear();
  append_json_gaps(out,
                   {{"api", Seq(5), Seq(9), "checksum \"x\""}, {"api", Seq(11), Seq(11), "y"}});
  EXPECT_EQ(out, R"("gaps":[{"log":"api","first_seq":5,"last_seq":9,"reason":"checksum \"x\""},)"
                 R"({"log":"api","first_seq":11,"last_seq":11,"reason":"y"}])");
}

}  // namespace
}  // namespace docket::query
