#include "query/event_writing.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "query/render.hpp"
#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

// Several batches for each of the workers.
class EventWritingTest : public ::testing::Test {
 protected:
  EventWritingTest() : store_(9) {
    store_.add("activity", 60'000, true);
    store_.add("campaign", 20'000, true);
    store_.add("activity", 3'000, false);
  }

  static void write(std::string& text, const StoredView& event) { append_json(text, event); }

  std::string one_by_one(const Query& query) {
    std::string text;
    EXPECT_TRUE(store_.searcher().for_each(query, Order::oldest_first, [&](const Event& event) {
      append_json(text, event);
      return true;
    }));
    return text;
  }

  MixedStore store_;
};

TEST_F(EventWritingTest, TheTextIsThatOfTheEventsInTheirOrder) {
  for (const std::string text : {"", "verb:DELETE", "log:campaign", "seq:60001..70000"}) {
    const Query query = parsed(text);
    std::string written;
    std::uint64_t events = 0;
    ASSERT_TRUE(store_.searcher().write_all(query, Order::oldest_first, write,
                                            [&](std::string_view part, std::uint64_t count) {
                                              written += part;
                                              events += count;
                                              return true;
                                            }));
    EXPECT_TRUE(written == one_by_one(query)) << text;
    EXPECT_EQ(events, store_.searcher().count(query)->count) << text;
  }
}

TEST_F(EventWritingTest, NothingIsGivenToASinkThatWantsNoMore) {
  std::size_t calls = 0;
  ASSERT_TRUE(store_.searcher().write_all(parsed(""), Order::oldest_first, write,
                                          [&](std::string_view, std::uint64_t) {
                                            ++calls;
                                            return calls < 2;
                                          }));
  EXPECT_EQ(calls, 2U);
}

TEST_F(EventWritingTest, ACancelledOneEndsWithAnError) {
  std::atomic<bool> cancel = false;
  WorkerPool workers(1);
  Searcher searcher(store_.snapshot(), store_.catalog(), &cancel, &workers);
  std::size_t events = 0;
  const auto done = searcher.write_all(parsed(""), Order::oldest_first, write,
                                       [&](std::string_view, std::uint64_t count) {
                                         events += count;
                                         cancel = true;
                                         return true;
                                       });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::cancelled);
  EXPECT_LT(events, 83'000U);
}

TEST_F(EventWritingTest, WhatCannotBeReadIsAGapAndTheRestIsWritten) {
  store_.segments("activity")[0]->damage_column(1, RowColumn::verb);
  std::uint64_t events = 0;
  Searcher searcher = store_.searcher();
  const auto gaps = searcher.write_all(parsed(""), Order::oldest_first, write,
                                       [&](std::string_view, std::uint64_t count) {
                                         events += count;
                                         return true;
                                       });
  ASSERT_TRUE(gaps);
  ASSERT_EQ(gaps->size(), 1U);
  EXPECT_EQ(gaps->front().first_seq, Seq(8193));
  EXPECT_EQ(gaps->front().last_seq, Seq(16384));
  EXPECT_EQ(events, 83'000U - 8192U);
  EXPECT_EQ(searcher.counters().events_decoded, events);
}

TEST(EventWriting, LargePayloadsAreNotGatheredBeyondABound) {
  std::vector<Event> events(2000);
  for (Event& event : events) {
    event.actor = {"user", "7", "", ""};
    event.verb = "EDIT";
    event.target = {"List", "5", ""};
    event.payload = "{\"n\":\"" + std::string(std::size_t{64} << 10, 'x') + "\"}";
  }
  MixedStore store(1);
  store.add("activity", events, true);
  // Those that have been written when the first is given away.
  std::atomic<std::size_t> written = 0;
  std::size_t before_the_first = 0;
  ASSERT_TRUE(store.searcher().write_all(
      parsed(""), Order::oldest_first,
      [&](std::string& text, const StoredView&) {
        ++written;
        text += "x";
      },
      [&](std::string_view, std::uint64_t) {
        before_the_first = written;
        return false;
      }));
  // Two batches of 6 MiB are read at a time, and as many written.
  EXPECT_LE(before_the_first, 2U * 96U);
}

TEST_F(EventWritingTest, WhatAWriterThrowsIsThrown) {
  const auto throwing = [](std::string&, const StoredView&) { throw std::runtime_error("full"); };
  EXPECT_THROW(static_cast<void>(store_.searcher().write_all(
                   parsed(""), Order::oldest_first, throwing,
                   [](std::string_view, std::uint64_t) { return true; })),
               std::runtime_error);
}

}  // namespace
}  // namespace docket::query::testing
