#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "ingest/client.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::client {
namespace {

using namespace std::chrono_literals;
using testing::eventually;

class ClientThreadTest : public ::testing::Test {
 protected:
  ClientThreadTest() {
    ingest::ServerOptions server_options;
    server_options.port = 0;
    server_ = ingest::Server::start(store_, server_options).value();
    options_.port = server_->port();
    options_.node = "web-1";
  }
  // The id must outlive the view.
  static EventView event_of(std::string_view id) {
    EventView event;
    event.ts = 1'777'000'000'000'000'000;
    event.actor = {"user", id, "", ""};
    event.verb = "EDIT";
    event.target = {"List", "7", ""};
    return event;
  }

  testing::FakeStore store_;
  std::unique_ptr<ingest::Server> server_;
  Options options_;
};

TEST_F(ClientThreadTest, EventsGatherForLongerWhereAnswersTakeLong) {
  std::mutex mutex;
  std::vector<std::uint32_t> batches;
  const auto client =
      Client::start(options_, [&](std::string_view, std::uint64_t, std::uint32_t rows, auto) {
        const std::scoped_lock lock(mutex);
        batches.push_back(rows);
      }).value();
  const auto emit = [&] { ASSERT_TRUE(client->emit("activity", event_of("1"))); };
  std::vector<std::uint32_t> of_round;
  // The thread that emits may be held up for longer than any event waits, so not every time.
  for (int round = 0; round < 20 && of_round != std::vector<std::uint32_t>{1, 2}; ++round) {
    store_.hold();
    emit();
    std::this_thread::sleep_for(250ms);  // what the answer takes
    store_.release();
    ASSERT_TRUE(client->flush(10'000));
    batches.clear();
    store_.hold();
    emit();  // goes at once
    ASSERT_TRUE(store_.wait_for_queued(1));
    emit();
    std::this_thread::sleep_for(10ms);  // more than linger_us
    emit();
    std::this_thread::sleep_for(150ms);
    store_.release();
    ASSERT_TRUE(client->flush(10'000));
    const std::scoped_lock lock(mutex);
    of_round = std::exchange(batches, {});
  }
  EXPECT_EQ(of_round, (std::vector<std::uint32_t>{1, 2}));
}

TEST_F(ClientThreadTest, WhoeverWaitsForAFlushOrForRoomIsWoken) {
  options_.memory_bytes = 4096;
  store_.hold();
  const auto client = Client::start(options_).value();
  while (client->emit_waiting("activity", event_of("1"), 50)) {
  }
  std::atomic<int> done{0};
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] { done += client->flush(30'000) ? 1 : 0; });
    waiting.emplace_back(
        [&] { done += client->emit_waiting("activity", event_of("2"), 30'000) ? 1 : 0; });
  }
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(done, 0);
  store_.release();
  EXPECT_TRUE(eventually([&] { return done == 6; })) << "not before their time is up";
  for (std::thread& thread : waiting) {
    thread.join();
  }
}

}  // namespace
}  // namespace docket::client
