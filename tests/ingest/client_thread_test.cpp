#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
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

TEST_F(ClientThreadTest, EventsGatherSinceTheLastBatchUntilSomebodyWaitsForOne) {
  options_.linger_us = 3'600'000'000;
  std::mutex mutex;
  std::vector<std::uint32_t> batches;
  const auto client =
      Client::start(options_, [&](std::string_view, std::uint64_t, std::uint32_t rows, auto) {
        const std::scoped_lock lock(mutex);
        batches.push_back(rows);
      }).value();
  const auto answered = [&](std::size_t count) {
    return eventually([&] {
      const std::scoped_lock lock(mutex);
      return batches.size() == count;
    });
  };
  ASSERT_TRUE(client->emit("activity", event_of("1")));
  ASSERT_TRUE(answered(1)) << "the first goes at once";
  ASSERT_TRUE(client->emit("activity", event_of("2")));
  ASSERT_TRUE(client->emit("activity", event_of("3")));
  EXPECT_TRUE(client->emit_durable("activity", event_of("4")).value().get().ok());
  EXPECT_TRUE(client->emit_durable("activity", event_of("5")).value().get().ok());
  ASSERT_TRUE(client->emit("activity", event_of("6")));
  ASSERT_TRUE(client->emit("api", event_of("7")));
  ASSERT_TRUE(client->flush(10'000));
  ASSERT_TRUE(answered(5));
  std::sort(batches.begin() + 3, batches.end());
  EXPECT_EQ(batches, (std::vector<std::uint32_t>{1, 3, 1, 1, 1}));
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

TEST_F(ClientThreadTest, ADurableEventIsAFuture) {
  const auto client = Client::start(options_).value();
  EXPECT_EQ(client->emit_durable("activity", event_of("1")).value().get().seq, 1U);
  EXPECT_EQ(client->emit_durable("activity", event_of("2")).value().get().seq, 2U);
  EXPECT_EQ(client->emit_durable("docket", event_of("3")).error().code,
            ErrorCode::invalid_argument);
  store_.hold();
  auto unanswered = client->emit_durable("activity", event_of("4")).value();
  EXPECT_EQ(unanswered.wait_for(0s), std::future_status::timeout);
  store_.release();
  EXPECT_TRUE(unanswered.get().ok());
}

TEST_F(ClientThreadTest, AFutureIsBrokenByTheEndOfTheClient) {
  store_.hold();
  auto client = Client::start(options_).value();
  auto unanswered = client->emit_durable("activity", event_of("1")).value();
  client.reset();
  EXPECT_THROW(unanswered.get(), std::future_error);
  store_.release();
}

TEST_F(ClientThreadTest, OtherAddressesAreTriedInTurnUntilOneLeadsToTheServer) {
  Options several = options_;
  several.reconnect_ms_max = 5;
  several.port = testing::Listener().port();  // nobody is there any more
  several.others = {{"unix:/nowhere/at/all", 0}, {"127.0.0.1", options_.port}};
  const auto client = Client::start(several).value();
  ASSERT_TRUE(client->emit("activity", event_of("0")));
  ASSERT_TRUE(client->flush(10'000)) << client->last_error();
  // The server comes back at the first one.
  server_.reset();
  ingest::ServerOptions moved;
  moved.port = several.port;
  server_ = ingest::Server::start(store_, moved).value();
  ASSERT_TRUE(client->emit("activity", event_of("1")));
  ASSERT_TRUE(client->flush(10'000)) << client->last_error();
  EXPECT_EQ(store_.events("activity").size(), 2U);
  several.others = {{"127.0.0.1", 0}};
  EXPECT_EQ(Client::start(several).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace docket::client
