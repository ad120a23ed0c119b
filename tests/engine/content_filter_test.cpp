#include "engine/content_filter.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "engine/limits.hpp"
#include "tests/engine/batches.hpp"

namespace docket {
namespace {

using testing::encode;
using testing::events_of;
using testing::receipt_time;

// Takes `x` and whatever is longer out of texts, and payloads that hold one.
ContentFilter filter_of(char x) {
  const auto replace = [x](std::string_view text, std::string& out, std::string_view instead) {
    if (text.find(x) == std::string_view::npos) {
      return false;
    }
    out = instead;
    return true;
  };
  return {[=](std::string_view text, std::string& out) { return replace(text, out, "{}"); },
          [=](std::string_view text, std::string& out) { return replace(text, out, "-"); }};
}

Result<AdmittedBatch> admit(const EncodedBatch& batch, char x) {
  return admit_filtered_batch(batch.bytes, {}, receipt_time, testing::looks_like_object,
                              filter_of(x));
}

Event plain() {
  Event event;
  event.ts = receipt_time;
  event.actor = {"user", "1", "Ada", "owner"};
  event.verb = "EDIT";
  event.target = {"List", "7", "News"};
  event.reason = "reason";
  event.session = "session";
  event.request = "request";
  event.payload = R"({"a":"b"})";
  return event;
}

TEST(ContentFilter, ABatchInWhichNothingIsFoundIsTakenOverByteForByte) {
  const EncodedBatch batch = encode({plain(), plain()});
  const auto admitted = admit(batch, '#');
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->batch.bytes, batch.bytes);
}

TEST(ContentFilter, EachTextIsLookedAtAndItsNeighboursStay) {
  const std::vector<std::function<std::string&(Event&)>> texts{
      [](Event& e) -> std::string& { return e.actor.name; },
      [](Event& e) -> std::string& { return e.actor.role; },
      [](Event& e) -> std::string& { return e.target.name; },
      [](Event& e) -> std::string& { return e.reason; },
      [](Event& e) -> std::string& { return e.session; },
      [](Event& e) -> std::string& { return e.request; },
      [](Event& e) -> std::string& { return e.payload; }};
  for (const auto& text : texts) {
    Event event = plain();
    text(event) = &text == &texts.back() ? R"({"#":1})" : "#1";
    Event expected = plain();
    text(expected) = &text == &texts.back() ? "{}" : "-";
    const auto admitted = admit(encode({plain(), event}), '#');
    ASSERT_TRUE(admitted);
    EXPECT_TRUE(admitted->rejected.empty());
    const auto stored = events_of(admitted->batch.bytes);
    ASSERT_EQ(stored.size(), 2U);
    EXPECT_TRUE(stored[0] == plain());
    EXPECT_TRUE(stored[1] == expected);
  }
}

TEST(ContentFilter, IdsTypesAndVerbsStay) {
  Event event = plain();
  event.actor.id = event.target.id = event.target.type = event.actor.kind = "#";
  const auto admitted = admit(encode({event}), '#');
  ASSERT_TRUE(admitted);
  EXPECT_TRUE(events_of(admitted->batch.bytes).at(0) == event);
}

TEST(ContentFilter, RowsBesideARejectedOneAreFilteredToo) {
  Event broken = plain();
  broken.ts = receipt_time + limits::future_ns_max + 1;
  broken.payload = R"({"#":1})";
  Event secret = plain();
  secret.payload = R"({"#":2})";
  const auto admitted = admit(encode({broken, secret, plain()}), '#');
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->rejected.size(), 1U);
  const auto stored = events_of(admitted->batch.bytes);
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(stored[0].payload, "{}");
  EXPECT_EQ(stored[1].payload, plain().payload);
}

}  // namespace
}  // namespace docket
