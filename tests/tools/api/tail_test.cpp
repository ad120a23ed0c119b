#include "tools/api/tail.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "tests/tools/api/store_fixture.hpp"

namespace docket::api {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

class TailTest : public StoreFixture {
 protected:
  // Names of the events that polls give until there is nothing more.
  static std::string drain(Tail& tail) {
    std::string names;
    for (bool more = true; more;) {
      const auto polled = tail.poll(
          nullptr,
          [&](const Event& event) {
            names += names.empty() ? "" : " ";
            names += event.log + ":" + std::to_string(event.seq.value);
          },
          [](const Gap& gap) { ADD_FAILURE() << gap.reason; });
      EXPECT_TRUE(polled);
      more = polled.value_or(false);
    }
    return names;
  }
};

TEST_F(TailTest, TheNewestComeFirstInOrderOfTimeThenEachNewOneOnce) {
  add("activity", {event(1), event(2), event(3)});
  auto tail = Tail::open(*service_, {{"n", "2"}}, "");
  ASSERT_TRUE(tail);
  EXPECT_EQ(drain(*tail), "activity:2 activity:3");
  EXPECT_EQ(drain(*tail), "");
  add("activity", {event(4)});
  add("api", {event(5)});
  EXPECT_EQ(drain(*tail), "activity:4 api:1");
  EXPECT_EQ(drain(*tail), "");
}

TEST_F(TailTest, OnlyMatchingEventsAreGivenAndTheSystemsLogOnlyWhenNamed) {
  auto tail = Tail::open(*service_, {{"q", "verb:DELETE"}}, "");
  auto all = Tail::open(*service_, {{"q", "log:*"}}, "");
  ASSERT_TRUE(tail && all);
  EXPECT_EQ(drain(*tail), "");
  EXPECT_EQ(drain(*all), "");
  add("activity", {event(1), event(2, "DELETE"), event(3)});
  add("docket", {event(4, "DELETE")});
  EXPECT_EQ(drain(*tail), "activity:2");
  EXPECT_EQ(drain(*all), "activity:1 activity:2 activity:3 docket:1");
}

TEST_F(TailTest, ALateEventOfThePastIsGivenToo) {
  add("activity", {event(100)});
  auto tail = Tail::open(*service_, {{"n", "0"}}, "");
  ASSERT_TRUE(tail);
  EXPECT_EQ(drain(*tail), "");
  add("activity", {event(1)});
  EXPECT_EQ(drain(*tail), "activity:2");
}

TEST_F(TailTest, APositionGoesOnWhereItWasTaken) {
  add("activity", {event(1), event(2)});
  auto first = Tail::open(*service_, {}, "");
  ASSERT_TRUE(first);
  EXPECT_EQ(drain(*first), "activity:1 activity:2");
  const std::string position = first->position();
  add("activity", {event(3)});
  add("campaign", {event(4)});
  auto second = Tail::open(*service_, {}, position);
  ASSERT_TRUE(second);
  EXPECT_EQ(drain(*second), "activity:3 campaign:1");
  for (const char* damaged : {"x", "activity", "activity:", "activity:x", ":1", "activity:1,,",
                              "activity:99999999999999999999"}) {
    EXPECT_FALSE(Tail::open(*service_, {}, damaged)) << damaged;
  }
}

TEST_F(TailTest, ItBeginsBehindAnyEventAndLogsThatAreNotNamedFromTheirFirst) {
  add("activity", {event(1), event(2), event(3)});
  add("api", {event(4)});
  auto tail = Tail::open(*service_, {{"after", "activity:2"}, {"n", "0"}}, "");
  ASSERT_TRUE(tail);
  EXPECT_EQ(drain(*tail), "activity:3 api:1");
  auto reconnected = Tail::open(*service_, {{"after", "activity:2"}}, tail->position());
  ASSERT_TRUE(reconnected);
  EXPECT_EQ(drain(*reconnected), "");
  EXPECT_FALSE(Tail::open(*service_, {{"after", ""}}, ""));
  EXPECT_EQ(Tail::open(*service_, {{"after", "x"}}, "").error().message,
            "after: must be LOG:SEQ, or several with commas between");
}

TEST_F(TailTest, APositionBeyondTheEndIsOfAnotherStore) {
  add("activity", {event(1), event(2)});
  for (const char* beyond : {"activity:3", "activity:2,api:1"}) {
    for (const bool reconnects : {false, true}) {
      const auto tail = reconnects ? Tail::open(*service_, {}, beyond)
                                   : Tail::open(*service_, {{"after", beyond}}, "");
      ASSERT_FALSE(tail) << beyond;
      EXPECT_EQ(tail.error().code, ErrorCode::invalid_argument);
      EXPECT_THAT(tail.error().message, EndsWith("this is another store, or an older copy"));
      EXPECT_THAT(tail.error().message, StartsWith(reconnects ? "Last-Event-ID: " : "after: "));
    }
  }
  EXPECT_TRUE(Tail::open(*service_, {}, "activity:2,api:0"));
  // A log that is not asked for is not spoken of.
  EXPECT_TRUE(Tail::open(*service_, {}, "activity:2,docket:1"));
  EXPECT_FALSE(Tail::open(*service_, {{"q", "log:*"}}, "activity:2,docket:1"));
}

TEST_F(TailTest, OfAnEmptyStoreThePositionIsItsBeginning) {
  auto tail = Tail::open(*service_, {{"n", "0"}}, "");
  ASSERT_TRUE(tail);
  EXPECT_EQ(tail->position(), "");
  EXPECT_EQ(drain(*tail), "");
  add("activity", {event(1)});
  add("api", {event(2)});
  auto second = Tail::open(*service_, {{"n", "0"}}, tail->position());
  ASSERT_TRUE(second);
  EXPECT_EQ(drain(*second), "activity:1 api:1");
}

TEST_F(TailTest, WhatCannotBeReadIsToldWhereItShouldHaveCome) {
  add("activity", {event(1), event(2)});
  ASSERT_TRUE(store_->find_log("activity")->seal());
  add("activity", {event(3)});
  ASSERT_TRUE(store_->close());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    if (entry.path().extension() == ".seg") {
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(130);
      file << std::string(300, '\xff');
      ASSERT_TRUE(file.good());
    }
  }
  StoreOptions options;
  options.read_only = true;
  const auto damaged = Store::open(posix_disk(), directory_.path(), options).value();
  index::Catalog catalog(posix_disk(), {.read_only = true});
  const Service service(*damaged, catalog, {});
  for (const std::string after : {"activity:0", "activity:2"}) {
    auto tail = Tail::open(service, {{"after", after}}, "");
    ASSERT_TRUE(tail);
    std::string names, gaps;
    ASSERT_TRUE(tail->poll(
        nullptr, [&](const Event& event) { names += std::to_string(event.seq.value); },
        [&](const Gap& gap) {
          gaps += std::to_string(gap.first_seq.value) + "-" + std::to_string(gap.last_seq.value);
        }));
    EXPECT_EQ(names, "3") << after;
    EXPECT_EQ(gaps, after == "activity:0" ? "1-2" : "") << after;
  }
}

TEST_F(TailTest, ManyAndLargeEventsComeInPortionsNoneTwice) {
  std::vector<Event> events;
  for (int i = 0; i < 100; ++i) {
    events.push_back(event(i));
    // In an order of time that is not the order of seq.
    events.back().ts -= Nanos{i % 7} * 10'000'000'000;
    events.back().payload = "{\"a\":\"" + std::string(30'000, 'x') + "\"}";
  }
  auto tail = Tail::open(*service_, {}, "");
  ASSERT_TRUE(tail);
  EXPECT_EQ(drain(*tail), "");
  add("activity", events);
  std::multiset<std::uint64_t> seen;
  std::size_t portions = 0;
  for (bool more = true; more; ++portions) {
    std::size_t bytes = 0;
    more = tail->poll(
                   nullptr,
                   [&](const Event& event) {
                     seen.insert(event.seq.value);
                     bytes += event.payload.size();
                   },
                   [](const Gap&) {})
               .value();
    EXPECT_LE(bytes, std::size_t{1} << 20);
  }
  EXPECT_GT(portions, 2U);
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_EQ(std::set<std::uint64_t>(seen.begin(), seen.end()).size(), 100U);
}

TEST_F(TailTest, AcrossSealingEveryEventComesOnce) {
  auto tail = Tail::open(*service_, {}, "");
  ASSERT_TRUE(tail);
  EXPECT_EQ(drain(*tail), "");
  add("activity", {event(1), event(2)});
  ASSERT_TRUE(store_->find_log("activity")->seal());
  add("activity", {event(3)});
  EXPECT_EQ(drain(*tail), "activity:1 activity:2 activity:3");
}

}  // namespace
}  // namespace docket::api
