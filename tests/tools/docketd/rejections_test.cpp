#include "tools/docketd/rejections.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tools/docketd/system_events.hpp"

namespace docket::server {
namespace {

struct Recorder {
  std::vector<Event> events;
  Rejections rejections{[this](Event event) { events.push_back(std::move(event)); },
                        rejected_event};
};

TEST(Rejections, TheFirstIsRecordedAtOnceWithSenderAddressAndReason) {
  Recorder recorder;
  recorder.rejections.observe("node-1", "[::1]:5000", "bad checksum", Rejections::window);
  ASSERT_EQ(recorder.events.size(), 1U);
  const Event& event = recorder.events[0];
  EXPECT_EQ(event.log, "docket");
  EXPECT_EQ(event.verb, "REJECT");
  EXPECT_EQ(event.actor.kind, "node");
  EXPECT_EQ(event.actor.id, "node-1");
  EXPECT_EQ(event.outcome, Outcome::denied);
  EXPECT_EQ(event.reason, "bad checksum");
  ASSERT_TRUE(event.ip);
  EXPECT_EQ(format_ip(*event.ip), "::1");
  EXPECT_EQ(event.affected, 1U);
}

TEST(Rejections, RepeatsWithinTheWindowBecomeOneEventWithTheirNumber) {
  Recorder recorder;
  for (Nanos i = 0; i < 100; ++i) {
    recorder.rejections.observe("n", "127.0.0.1:1", "r", Rejections::window + i);
  }
  EXPECT_EQ(recorder.events.size(), 1U);
  recorder.rejections.observe("n", "127.0.0.1:1", "r", 2 * Rejections::window);
  ASSERT_EQ(recorder.events.size(), 3U);
  EXPECT_EQ(recorder.events[1].affected, 99U);
  EXPECT_EQ(recorder.events[2].affected, 1U);
}

TEST(Rejections, FlushTellsWhatWasCounted) {
  Recorder recorder;
  for (Nanos i = 0; i < 3; ++i) {
    recorder.rejections.observe("n", "127.0.0.1:1", "r", Rejections::window);
  }
  recorder.rejections.flush();
  ASSERT_EQ(recorder.events.size(), 2U);
  EXPECT_EQ(recorder.events[1].affected, 2U);
  recorder.rejections.flush();
  EXPECT_EQ(recorder.events.size(), 2U);
}

TEST(Rejections, ManyDifferentSendersShareOneEntryAndNoneIsLost) {
  Recorder recorder;
  const std::size_t senders = Rejections::pairs_max + 500;
  for (std::size_t i = 0; i < senders; ++i) {
    recorder.rejections.observe("n" + std::to_string(i), "127.0.0.1:1", "r", Rejections::window);
  }
  recorder.rejections.flush();
  std::uint64_t told = 0;
  for (const Event& event : recorder.events) {
    told += event.affected;
  }
  EXPECT_EQ(told, senders);
  EXPECT_LE(recorder.events.size(), Rejections::pairs_max + 2);
}

TEST(Rejections, HostileTextsStayWithinTheRulesOfTheEvent) {
  Recorder recorder;
  recorder.rejections.observe(std::string(5000, 'n'), "somewhere", std::string(5000, '\xff'),
                              Rejections::window);
  ASSERT_EQ(recorder.events.size(), 1U);
  std::vector<TargetView> related;
  const auto checked =
      check_event(view_of(recorder.events[0], related), EventRules{}, recorder.events[0].ts, false);
  EXPECT_TRUE(checked) << checked.error().message;
}

}  // namespace
}  // namespace docket::server
