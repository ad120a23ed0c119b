#include <gtest/gtest.h>

#include <algorithm>

#include "engine/batch.hpp"
#include "engine/body.hpp"
#include "engine/limits.hpp"
#include "tests/engine/batches.hpp"
#include "tests/support/random_events.hpp"

namespace docket {
namespace {

using testing::encode;
using testing::events_of;

TEST(BatchBuilder, RoundTripKeepsEveryFieldOfEveryEvent) {
  testing::RandomEvents random(1);
  for (const std::size_t count : {1, 2, 3, 100, 3000}) {
    const auto events = random.take(count);
    const EncodedBatch batch = encode(events);
    EXPECT_EQ(batch.rows, count);
    EXPECT_EQ(events_of(batch.bytes), events);
    const auto [least, most] = std::minmax_element(
        events.begin(), events.end(), [](const Event& a, const Event& b) { return a.ts < b.ts; });
    EXPECT_EQ(batch.ts_min, least->ts);
    EXPECT_EQ(batch.ts_max, most->ts);
  }
}

TEST(BatchBuilder, ExtremesOfEveryNumberSurvive) {
  std::vector<Event> events(4, testing::plain_event(1));
  events[0].ts = INT64_MIN;
  events[1].ts = INT64_MAX;
  events[2].ts = 0;
  events[0].affected = UINT64_MAX;
  events[1].affected = 0;
  events[2].ip = IpAddress{};  // :: is an address, not an absent one
  events[3].ip = parse_ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  const EncodedBatch batch = encode(events);
  EXPECT_EQ(events_of(batch.bytes), events);
  EXPECT_EQ(batch.ts_min, INT64_MIN);
  EXPECT_EQ(batch.ts_max, INT64_MAX);
}

TEST(BatchBuilder, TimesOfCoarseResolutionTakeLessRoom) {
  auto events = testing::plain_events(1000);
  std::size_t fine = 0;
  std::size_t coarse = 0;
  for (Event& event : events) {
    event.ts = 1'777'000'000'000'000'000 + (event.ts % 1'000'000'007) * 1'000'000'000;
  }
  coarse = encode(events).bytes.size();
  EXPECT_EQ(events_of(encode(events).bytes), events);
  events[500].ts += 1;
  fine = encode(events).bytes.size();
  EXPECT_EQ(events_of(encode(events).bytes), events);
  EXPECT_LT(coarse + 1000 * 29 / 8, fine) << "a common power of ten is not taken out";
}

TEST(BatchBuilder, NothingAddedIsABatchWithoutRows) {
  BatchBuilder builder;
  const EncodedBatch batch = builder.finish();
  EXPECT_EQ(batch.rows, 0U);
  EXPECT_EQ(batch.ts_min, 0);
  EXPECT_EQ(batch.ts_max, 0);
  EXPECT_TRUE(events_of(batch.bytes).empty());
}

TEST(BatchBuilder, FinishLeavesNothingBehind) {
  const auto first = testing::plain_events(300);
  const auto second = testing::plain_events(7, 1000);
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (const Event& event : first) {
    builder.add(view_of(event, related));
  }
  static_cast<void>(builder.finish());
  EXPECT_EQ(builder.rows(), 0U);
  EXPECT_EQ(builder.raw_bytes(), 0U);
  for (const Event& event : second) {
    builder.add(view_of(event, related));
  }
  EXPECT_EQ(builder.finish().bytes, encode(second).bytes);
}

TEST(BatchBuilder, StringsAreCopied) {
  BatchBuilder builder;
  {
    Event event = testing::plain_event(4);
    std::vector<TargetView> related;
    builder.add(view_of(event, related));
    event = testing::plain_event(5);
    std::fill(related.begin(), related.end(), TargetView{});
  }
  EXPECT_EQ(events_of(builder.finish().bytes), testing::plain_events(1, 4));
}

TEST(BatchBuilder, EachDistinctStringIsHeldOnce) {
  BatchBuilder builder;
  std::vector<TargetView> related;
  const Event event = testing::plain_event(4);
  builder.add(view_of(event, related));
  const std::size_t once = builder.raw_bytes();
  EXPECT_GT(once, 0U);
  for (int i = 0; i < 100; ++i) {
    builder.add(view_of(event, related));
  }
  EXPECT_EQ(builder.raw_bytes(), once);
}

// Adds events until the builder is full.
template <typename Make>
EncodedBatch fill(const Make& make) {
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (std::uint64_t n = 0; !builder.full(); ++n) {
    builder.add(view_of(make(n), related));
  }
  return builder.finish();
}

void expect_admitted(const EncodedBatch& batch) {
  const auto admitted = admit_batch(batch.bytes, {limits::payload_bytes_max}, testing::receipt_time,
                                    testing::looks_like_object);
  ASSERT_TRUE(admitted) << admitted.error().message;
  EXPECT_TRUE(admitted->rejected.empty());
  EXPECT_EQ(admitted->batch.rows, batch.rows);
}

TEST(BatchBuilder, IsFullAtTheRowLimit) {
  const auto batch = fill([](std::uint64_t n) { return testing::plain_event(n); });
  EXPECT_EQ(batch.rows, limits::block_rows_max);
  expect_admitted(batch);
}

TEST(BatchBuilder, FullOfTheLargestPayloadsIsStillOneBlock) {
  const auto batch = fill([](std::uint64_t n) {
    Event event = testing::plain_event(n);
    event.payload = "{" + std::string(limits::payload_bytes_max - 2, 'x') + "}";
    return event;
  });
  EXPECT_GE(batch.rows, 4U);
  expect_admitted(batch);
}

TEST(BatchBuilder, FullOfTheLargestEventsIsStillOneBlock) {
  const auto batch = fill([](std::uint64_t n) {
    Event event = testing::plain_event(n);
    for (std::size_t i = 0; i < limits::related_max; ++i) {
      std::string name = std::to_string(n * 1000 + i);
      name.resize(limits::name_bytes_max, 'x');
      event.related.push_back({name, name, name});
    }
    event.related.resize(limits::related_max);
    return event;
  });
  EXPECT_GE(batch.rows, 10U);
  expect_admitted(batch);
}

TEST(BatchBuilder, FullOfRelatedTargetsIsStillOneBlock) {
  // The same few targets over and over take hardly a byte of strings.
  const auto batch = fill([](std::uint64_t n) {
    Event event = testing::plain_event(n);
    event.related.assign(limits::related_max, {"List", std::to_string(n % 3), ""});
    return event;
  });
  EXPECT_GT(batch.rows, 3000U);
  expect_admitted(batch);
}

TEST(BatchBuilderDeathTest, AddingToAFullOneIsOurBug) {
  BatchBuilder builder;
  std::vector<TargetView> related;
  const Event event = testing::plain_event(1);
  while (!builder.full()) {
    builder.add(view_of(event, related));
  }
  EXPECT_DEATH(builder.add(view_of(event, related)), "full");
}

}  // namespace
}  // namespace docket
