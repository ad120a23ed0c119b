// Every hostile text, in every field, through every renderer of rows.
#include "tests/query/hostile_corpus.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "query/parser.hpp"
#include "query/render.hpp"
#include "tests/query/line_readers.hpp"

namespace docket::query {
namespace {

namespace dom = simdjson::dom;

// The strings of an event that a sender chooses, in the order of the columns and keys below.
std::vector<std::string> texts_of(const Event& e) {
  return {e.actor.kind, e.actor.id,    e.actor.name, e.actor.role, e.verb,   e.target.type,
          e.target.id,  e.target.name, e.reason,     e.session,    e.request};
}

std::string json_targets(const std::vector<Target>& targets) {
  std::string json;
  Event event;
  event.related = targets;
  append_json_targets(json, ViewedEvent(event).view().related);
  return json;
}

// The same document, whatever stands between its tokens and however its strings are escaped.
void expect_same_json(std::string_view a, std::string_view b) {
  dom::parser parser_a;
  dom::parser parser_b;
  const dom::element read_a = parser_a.parse(simdjson::padded_string(a));
  const dom::element read_b = parser_b.parse(simdjson::padded_string(b));
  EXPECT_EQ(simdjson::minify(read_a), simdjson::minify(read_b));
}

class HostileCorpus : public ::testing::TestWithParam<HostileText> {
 protected:
  Event event_ = hostile_event(GetParam());
};

TEST_P(HostileCorpus, JsonIsALineThatHasTheValues) {
  std::string line;
  append_json(line, event_);
  EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
  Event bare = event_;
  bare.payload.clear();
  std::string without_payload;
  append_json(without_payload, bare);
  EXPECT_EQ(acting_in(without_payload), "");
  dom::parser parser;
  const dom::element read = parser.parse(simdjson::padded_string(line));
  const dom::element actor = read["actor"];
  const dom::element target = read["target"];
  const std::vector<std::string_view> values{actor["kind"],   actor["id"],    actor["name"],
                                             actor["role"],   read["verb"],   target["type"],
                                             target["id"],    target["name"], read["reason"],
                                             read["session"], read["request"]};
  for (const std::string_view value : values) {
    EXPECT_EQ(value, GetParam().text);
  }
  EXPECT_EQ(std::string_view(read["node"]), GetParam().text);
  EXPECT_EQ(std::string_view(read["related"].at(1)["name"]), GetParam().text);
  EXPECT_EQ(std::string_view(read["payload"]["changes"].at(0)["field"]), GetParam().text);
}

TEST_P(HostileCorpus, CsvHasSafeCellsThatReadBack) {
  for (const bool raw : {false, true}) {
    std::string text(csv_header());
    append_csv(text, event_, raw);
    const auto records = read_csv(text);
    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), 2U);
    const std::vector<std::string>& cells = records->at(1);
    ASSERT_EQ(cells.size(), 19U);
    const auto expected = [raw](const std::string& value) {
      const std::string visible = made_visible(value, "\t\r\n");
      return raw ? value : (needs_guard(visible) ? "'" : "") + visible;
    };
    const std::vector<std::string> values = texts_of(event_);
    constexpr std::size_t places[] = {3, 4, 5, 6, 7, 8, 9, 10, 13, 15, 16};
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(cells[places[i]], expected(values[i])) << "cell " << places[i];
    }
    EXPECT_EQ(cells[17], expected(json_targets(event_.related)));
    EXPECT_EQ(cells[18], expected(event_.payload));
    expect_same_json(cells[18], event_.payload);
    if (raw) {
      continue;
    }
    EXPECT_EQ(acting_in(text, "\t\r\n"), "");
    for (const std::string& cell : cells) {
      for (const std::string_view first :
           {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"}) {
        EXPECT_FALSE(cell.starts_with(first)) << cell;
      }
    }
  }
}

TEST_P(HostileCorpus, SyslogIsALineThatReadsBack) {
  std::string text;
  append_syslog(text, event_);
  EXPECT_EQ(acting_in(text, "\n"), "");
  const auto lines = read_lines(text);
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 1U);
  const auto line = read_syslog(lines->at(0));
  ASSERT_TRUE(line) << text;
  const std::vector<std::string> values = texts_of(event_);
  constexpr std::string_view names[] = {"actor.kind", "actor.id",    "actor.name", "actor.role",
                                        "verb",       "target.type", "target.id",  "target.name",
                                        "reason",     "session",     "request"};
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(value_of(line->parameters, names[i]), made_visible(values[i])) << names[i];
  }
  EXPECT_EQ(value_of(line->parameters, "node"), made_visible(event_.node));
  expect_same_json(value_of(line->parameters, "related").value(), json_targets(event_.related));
  expect_same_json(value_of(line->parameters, "payload").value(), event_.payload);
}

TEST_P(HostileCorpus, CefIsALineThatReadsBack) {
  std::string text;
  append_cef(text, event_);
  EXPECT_EQ(acting_in(text, "\n"), "");
  const auto lines = read_lines(text);
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 1U);
  const auto line = read_cef(lines->at(0));
  ASSERT_TRUE(line) << text;
  EXPECT_EQ(line->header[4], made_visible(event_.verb));
  const std::vector<std::string> values = texts_of(event_);
  constexpr std::string_view keys[] = {"cs1", "suid", "suser",  "spriv",       "act",        "cs2",
                                       "cs3", "cs4",  "reason", "flexString1", "flexString2"};
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(value_of(line->extension, keys[i]), made_visible(values[i], "\r\n")) << keys[i];
  }
  EXPECT_EQ(value_of(line->extension, "dvchost"), made_visible(event_.node, "\r\n"));
  expect_same_json(value_of(line->extension, "cs5").value(), json_targets(event_.related));
  expect_same_json(value_of(line->extension, "cs6").value(), event_.payload);
}

TEST_P(HostileCorpus, TheDiffIsShownSafely) {
  const auto changes = payload_changes(event_.payload);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].path, GetParam().text);
  EXPECT_EQ(acting_in(terminal_safe(changes[0].path)), "");
  EXPECT_EQ(acting_in(terminal_safe(changes[0].before)), "");
  EXPECT_EQ(acting_in(terminal_safe(changes[0].after)), "");
}

TEST_P(HostileCorpus, ARefusedQueryIsShownSafely) {
  for (const std::string& query : {GetParam().text + ":(", "verb:(" + GetParam().text,
                                   "(\"" + GetParam().text, GetParam().text + "\" OR OR"}) {
    const auto parsed = parse(query, ParseContext{});
    if (!parsed) {
      EXPECT_EQ(acting_in(parsed.error().message, "\n"), "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Texts, HostileCorpus, ::testing::ValuesIn(hostile_texts()),
                         [](const auto& named) {
                           std::string name = named.param.name;
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

TEST(HostileTexts, TheReadersFindWhatIsWrong) {
  EXPECT_EQ(acting_in("a\x1b"), "U+001B at 1");
  EXPECT_EQ(acting_in("é\u202e"), "U+202E at 2");
  EXPECT_NE(acting_in("\xff"), "");
  EXPECT_EQ(acting_in("a\n", "\n"), "");
  EXPECT_FALSE(read_syslog("<110>1 - - - - - [a b=\"]\"] \xEF\xBB\xBFx"));
  EXPECT_FALSE(read_syslog("<110>1 - - - - - - x"));
  EXPECT_FALSE(read_cef("CEF:0|a|b|c|d|e|1|a=b=c"));
  EXPECT_FALSE(read_cef("CEF:0|a|b|c|d|e|1|a=\\x"));
  EXPECT_FALSE(read_cef("CEF:0|a|b\\c|c|d|e|1|a=b"));
  EXPECT_FALSE(read_csv("a\"b\r\n"));
  EXPECT_FALSE(read_csv("a\nb\r\n"));
  EXPECT_FALSE(read_lines("a\nb"));
}

}  // namespace
}  // namespace docket::query
