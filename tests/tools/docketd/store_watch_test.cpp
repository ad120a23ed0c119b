#include "tools/docketd/store_watch.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace docket::server {
namespace {

class StoreWatchTest : public ::testing::Test {
 protected:
  void listen() {
    watch_.send_events_to([this](Event event) {
      events_.push_back(event.verb + " " + event.target.id + " " + event.reason);
    });
  }

  index::Catalog catalog_{posix_disk(), {}};
  StoreWatch watch_{catalog_};
  std::vector<std::string> events_;
};

TEST_F(StoreWatchTest, NoticesOfTheOpeningAreKeptUntilThereIsALog) {
  watch_.notice("activity", "damage_quarantined", "bytes 1 to 2");
  watch_.notice("api", "torn_tail_cut", "bytes 3 to 4");
  EXPECT_TRUE(events_.empty());
  listen();
  EXPECT_EQ(events_, (std::vector<std::string>{"QUARANTINE activity damage_quarantined",
                                               "RECOVER api torn_tail_cut"}));
  watch_.notice("api", "commit_failed", "x");
  EXPECT_EQ(events_.size(), 3U);
}

TEST_F(StoreWatchTest, ARetirementWasRecordedBeforeItWasDone) {
  listen();
  watch_.notice("activity", "segment_retired", "3");
  EXPECT_TRUE(events_.empty());
}

TEST_F(StoreWatchTest, DamageThatAnswersMeetIsToldOnce) {
  listen();
  const std::vector<Gap> gaps{{"activity", Seq(1), Seq(2), "checksum"},
                              {"activity", Seq(5), Seq(9), "checksum"}};
  watch_.gaps_met(gaps);
  watch_.gaps_met(gaps);
  EXPECT_EQ(events_.size(), 2U);
  watch_.gaps_met({{"api", Seq(1), Seq(2), "checksum"}});
  EXPECT_EQ(events_.size(), 3U);
}

TEST_F(StoreWatchTest, FollowersSeeThatSomethingBecameVisible) {
  const std::uint64_t before = watch_.visible();
  watch_.events_visible("activity", Seq(1));
  EXPECT_NE(watch_.visible(), before);
}

}  // namespace
}  // namespace docket::server
