#include "tools/load/ndjson_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "ingest/event_json.hpp"
#include "tools/load/generator.hpp"

namespace docket::load {
namespace {

constexpr Nanos end = 1'780'000'000'000'000'000;

TEST(NdjsonWriter, TheServersDecoderReadsBackEveryField) {
  const Generator generator({.seed = 3, .events = 5000, .end = end});
  GeneratedEvent generated;
  ingest::EventDecoder decoder;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    generator.make(i, generated);
    std::string line;
    append_ndjson(line, generated.log(), generated.event);
    ASSERT_EQ(line.back(), '\n');
    line.pop_back();
    const auto decoded = decoder.decode(line, EventRules{}, end);
    ASSERT_TRUE(decoded) << decoded.error().describe() << "\n" << line;
    const EventView& sent = generated.event;
    const EventView& got = decoded->event;
    EXPECT_EQ(decoded->log, generated.log());
    EXPECT_EQ(got.ts, sent.ts);
    EXPECT_EQ(got.actor.kind, sent.actor.kind);
    EXPECT_EQ(got.actor.id, sent.actor.id);
    EXPECT_EQ(got.actor.name, sent.actor.name);
    EXPECT_EQ(got.actor.role, sent.actor.role);
    EXPECT_EQ(got.verb, sent.verb);
    EXPECT_EQ(got.target, sent.target);
    EXPECT_TRUE(std::equal(got.related.begin(), got.related.end(), sent.related.begin(),
                           sent.related.end()));
    EXPECT_EQ(got.affected, sent.affected);
    EXPECT_EQ(got.ip, sent.ip);
    EXPECT_EQ(got.outcome, sent.outcome);
    EXPECT_EQ(got.reason, sent.reason);
    EXPECT_EQ(got.session, sent.session);
    EXPECT_EQ(got.request, sent.request);
    EXPECT_EQ(got.payload, sent.payload);
  }
}

TEST(NdjsonWriter, QuotesAndControlCharactersAreEscaped) {
  EventView event;
  event.actor = {"user", "1", "A \"B\" \\ C\n", ""};
  event.verb = "EDIT";
  event.target = {"List", "7", ""};
  std::string line;
  append_ndjson(line, "activity", event);
  EXPECT_EQ(line,
            "{\"ts\":\"1970-01-01T00:00:00Z\",\"actor\":{\"kind\":\"user\",\"id\":\"1\","
            "\"name\":\"A \\\"B\\\" \\\\ C\\u000a\"},\"verb\":\"EDIT\","
            "\"target\":{\"type\":\"List\",\"id\":\"7\"}}\n");
}

}  // namespace
}  // namespace docket::load
