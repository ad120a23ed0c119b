#include "ingest/client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/timestamp.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/cutting_proxy.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/random_events.hpp"

namespace docket::client {
namespace {

using namespace std::chrono_literals;
using testing::CuttingProxy;
using testing::Direction;
using testing::eventually;
using testing::FakeStore;

// The id must outlive the view.
EventView event_of(std::string_view id) {
  EventView event;
  event.ts = 1'777'000'000'000'000'000;
  event.actor = {"user", id, "", ""};
  event.verb = "EDIT";
  event.target = {"List", "7", ""};
  return event;
}

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() { start_server({}); }

  void start_server(ingest::ServerOptions options) {
    options.port = port_;
    server_ = ingest::Server::start(store_, options).value();
    port_ = server_->port();
  }
  Options options() const {
    Options options;
    options.port = port_;
    options.node = "web-1";
    options.reconnect_ms_max = 5;
    return options;
  }
  // The ids of the actors of a log's events, in the order of their seqs.
  std::vector<std::string> ids(std::string_view log) const {
    std::vector<std::string> ids;
    for (const Event& event : store_.events(log)) {
      ids.push_back(event.actor.id);
    }
    return ids;
  }
  static std::vector<std::string> numbers(int count) {
    std::vector<std::string> numbers;
    for (int i = 0; i < count; ++i) {
      numbers.push_back(std::to_string(i));
    }
    return numbers;
  }

  FakeStore store_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ingest::Server> server_;
};

TEST_F(ClientTest, AnEventIsDeliveredWithItsSeq) {
  const auto client = Client::start(options()).value();
  std::atomic<std::uint64_t> seq{0};
  ASSERT_TRUE(client->emit("activity", event_of("1"), [&](const Delivery& d) { seq = d.seq; }));
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(seq, 1U);
  EXPECT_EQ(store_.events("activity")[0].node, "web-1");
  const Counters counters = client->counters();
  EXPECT_EQ(counters.emitted, 1U);
  EXPECT_EQ(counters.durable, 1U);
  EXPECT_EQ(counters.pending, 0U);
  EXPECT_EQ(client->last_error(), "");
}

TEST_F(ClientTest, ASingleEventGoesWithoutAFlush) {
  const auto client = Client::start(options()).value();
  ASSERT_TRUE(client->emit("activity", event_of("1")));
  EXPECT_TRUE(store_.wait_for_events("activity", 1));
  ASSERT_TRUE(client->emit("activity", event_of("2")));
  EXPECT_TRUE(store_.wait_for_events("activity", 2));
}

TEST_F(ClientTest, EveryFieldArrivesAsItWasEmitted) {
  const auto client = Client::start(options()).value();
  testing::RandomEvents random(11);
  std::vector<Event> sent = random.take(2000);
  std::vector<TargetView> scratch;
  for (const Event& event : sent) {
    const auto emitted = client->emit_waiting("activity", view_of(event, scratch), 10'000);
    ASSERT_TRUE(emitted) << emitted.error().message;
  }
  ASSERT_TRUE(client->flush(10'000));
  const auto stored = store_.events("activity");
  ASSERT_EQ(stored.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    sent[i].log = "activity";
    sent[i].seq = stored[i].seq;
    sent[i].received = stored[i].received;
    sent[i].node = "web-1";
    ASSERT_EQ(stored[i], sent[i]) << i;
  }
}

TEST_F(ClientTest, BrokenRulesAreRefusedAtOnceAndNamed) {
  const auto client = Client::start(options()).value();
  EventView event = event_of("");
  EXPECT_EQ(client->emit("activity", event).error().message, "actor.id: is required");
  event = event_of("1");
  event.payload = "[]";
  EXPECT_EQ(client->emit("activity", event).error().message, "payload: must be a JSON object");
  event.payload = {};
  EXPECT_EQ(client->emit("docket", event).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(client->emit("Bad", event).error().code, ErrorCode::invalid_argument);
  event.verb = "edit";
  EXPECT_TRUE(client->emit("activity", event));
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(store_.events("activity").at(0).verb, "EDIT");
}

TEST_F(ClientTest, AByteThatIsNotUtf8IsSeenAtEveryPlace) {
  const auto client = Client::start(options()).value();
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string id(size, 'x');
      id[at] = '\xff';
      EXPECT_FALSE(client->emit("activity", event_of(id))) << size << ' ' << at;
    }
    EXPECT_TRUE(client->emit("activity", event_of(std::string(size, 'x') + "\xc3\xa9")));
  }
}

TEST_F(ClientTest, ManyEventsOfSeveralThreadsAndLogsKeepEachThreadsOrder) {
  const auto client = Client::start(options()).value();
  constexpr int threads = 3;
  constexpr int events = 20'000;
  std::vector<std::thread> emitters;
  for (int t = 0; t < threads; ++t) {
    emitters.emplace_back([&, t] {
      for (int i = 0; i < events; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        ASSERT_TRUE(client->emit_waiting(i % 2 == 0 ? "activity" : "api", event_of(id), 10'000));
      }
    });
  }
  for (std::thread& thread : emitters) {
    thread.join();
  }
  ASSERT_TRUE(client->flush(20'000));
  for (const char* log : {"activity", "api"}) {
    std::map<std::string, int> last;
    const auto stored = ids(log);
    EXPECT_EQ(stored.size(), static_cast<std::size_t>(threads * events / 2));
    for (const std::string& id : stored) {
      const std::string thread = id.substr(0, 1);
      const int number = std::stoi(id.substr(2));
      const auto known = last.find(thread);
      ASSERT_TRUE(known == last.end() || known->second < number);
      last[thread] = number;
    }
  }
  EXPECT_EQ(client->counters().durable, static_cast<std::uint64_t>(threads * events));
}

TEST_F(ClientTest, BatchesAreToldToTheBatchHandler) {
  std::mutex mutex;
  std::uint64_t rows = 0;
  std::uint64_t next_seq = 1;
  const auto client = Client::start(options(), [&](std::string_view log, std::uint64_t first_seq,
                                                   std::uint32_t count, std::int64_t latency_ns) {
                        const std::scoped_lock lock(mutex);
                        EXPECT_EQ(log, "activity");
                        EXPECT_EQ(first_seq, next_seq);
                        EXPECT_GT(latency_ns, 0);
                        next_seq += count;
                        rows += count;
                      }).value();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(client->emit("activity", event_of("1")));
  }
  ASSERT_TRUE(client->flush(10'000));
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(rows, 1000U);
}

TEST_F(ClientTest, MemoryIsBoundedAndRoomIsWaitedFor) {
  Options small = options();
  small.memory_bytes = 4096;
  store_.hold();
  const auto client = Client::start(small).value();
  // Encoding makes room for a while; in the end there is none.
  int accepted = 0;
  while (client->emit_waiting("activity", event_of("1"), 50)) {
    ASSERT_LT(++accepted, 1000);
  }
  EXPECT_GT(accepted, 5);
  const auto refused = client->emit("activity", event_of("1"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::overloaded);
  EXPECT_GE(client->counters().refused, 2U);
  EXPECT_EQ(client->flush(10).error().code, ErrorCode::overloaded);
  store_.release();
  EXPECT_TRUE(client->emit_waiting("activity", event_of("1"), 10'000));
  EXPECT_TRUE(client->flush(10'000));
}

TEST_F(ClientTest, NoMoreBatchesThanTheWindowWaitForTheirAck) {
  Options many = options();
  many.batch_rows = 1;
  store_.hold();
  const auto client = Client::start(many).value();
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(client->emit("activity", event_of(std::to_string(i))));
  }
  ASSERT_TRUE(store_.wait_for_queued(limits::producer_receipts_max));
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(server_->stats().protocol_errors);
  store_.release();
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(ids("activity"), numbers(500));
}

TEST_F(ClientTest, EventsEmittedBeforeTheServerIsThereArriveLater) {
  server_.reset();
  const auto client = Client::start(options()).value();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client->emit("activity", event_of(std::to_string(i))));
  }
  EXPECT_TRUE(eventually([&] { return client->last_error().find("refused") != std::string::npos; }))
      << client->last_error();
  EXPECT_FALSE(client->flush(10));
  start_server({});
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(ids("activity"), numbers(100));
}

TEST_F(ClientTest, AServersRestartLosesAndDoublesNothing) {
  const auto client = Client::start(options()).value();
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(client->emit_waiting("activity", event_of(std::to_string(i)), 10'000));
    if (i % 500 == 0) {
      ASSERT_TRUE(client->flush(10'000));
    }
    if (i % 500 == 250) {
      server_->stop(i % 1000 == 250 ? 1000 : 0);
      server_.reset();
      start_server({});
    }
  }
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(ids("activity"), numbers(2000));
  EXPECT_GE(client->counters().reconnects, 1U);
}

// The connection is cut at every byte of the first conversation, in both directions.
TEST_F(ClientTest, ACutAtAnyByteInEitherDirectionStoresEverythingOnce) {
  CuttingProxy proxy(port_);
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    for (std::size_t cut = 0;; ++cut) {
      store_.lose_everything();
      proxy.cut_next_after(direction, cut);
      Options through = options();
      through.port = proxy.port();
      through.node = "cut";
      through.batch_rows = 2;
      std::map<std::uint64_t, int> delivered;
      std::mutex mutex;
      {
        const auto client = Client::start(through).value();
        for (int i = 0; i < 4; ++i) {
          ASSERT_TRUE(client->emit("activity", event_of(std::to_string(i)), [&](const Delivery& d) {
            const std::scoped_lock lock(mutex);
            EXPECT_TRUE(d.ok()) << d.error;
            ++delivered[d.seq];
          }));
        }
        const auto flushed = client->flush(10'000);
        ASSERT_TRUE(flushed) << flushed.error().message << " at byte " << cut;
      }
      ASSERT_EQ(ids("activity"), numbers(4)) << "cut at byte " << cut;
      ASSERT_EQ(delivered.size(), 4U);
      for (const auto& [seq, times] : delivered) {
        ASSERT_EQ(times, 1) << seq;
      }
      if (!proxy.has_cut()) {
        ASSERT_GT(cut, 50U);
        break;
      }
    }
  }
}

TEST_F(ClientTest, CutsDuringBulkLoseAndDoubleNothing) {
  CuttingProxy proxy(port_);
  Options through = options();
  through.port = proxy.port();
  through.batch_rows = 50;
  const auto client = Client::start(through).value();
  std::atomic<bool> done{false};
  std::thread cutter([&] {
    while (!done) {
      std::this_thread::sleep_for(20ms);
      proxy.cut_all();
    }
  });
  constexpr int events = 30'000;
  for (int i = 0; i < events; ++i) {
    ASSERT_TRUE(client->emit_waiting("activity", event_of(std::to_string(i)), 20'000));
    if (i % 100 == 0) {
      std::this_thread::sleep_for(1ms);
    }
  }
  done = true;
  cutter.join();
  ASSERT_TRUE(client->flush(20'000));
  EXPECT_EQ(ids("activity"), numbers(events));
  EXPECT_GT(client->counters().reconnects, 0U);
}

TEST_F(ClientTest, MomentaryRefusalsAreSentAgainInOrder) {
  Options one = options();
  one.batch_rows = 1;
  const auto client = Client::start(one).value();
  for (const ErrorCode code : {ErrorCode::overloaded, ErrorCode::no_space}) {
    store_.refuse_submissions(code, 3);
    store_.refuse_commits(code, 3);
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(client->emit("activity", event_of(std::to_string(i))));
    }
    ASSERT_TRUE(client->flush(10'000));
  }
  auto expected = numbers(20);
  const auto twice = numbers(20);
  expected.insert(expected.end(), twice.begin(), twice.end());
  EXPECT_EQ(ids("activity"), expected);
}

TEST_F(ClientTest, ALogThatIsOneTooManyFailsItsEventsOnly) {
  const auto client = Client::start(options()).value();
  ASSERT_TRUE(client->emit("activity", event_of("1")));
  ASSERT_TRUE(client->flush(10'000));
  store_.refuse_logs(ErrorCode::overloaded);
  std::atomic<int> failures{0};
  // The first may be answered before the others come, which are then refused at once.
  int taken = 0;
  for (int i = 0; i < 3; ++i) {
    taken += client->emit("another", event_of("1"), [&](const Delivery& d) { failures += !d.ok(); })
                 .has_value();
  }
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_GE(taken, 1);
  EXPECT_EQ(failures, taken);
  EXPECT_EQ(client->counters().rejected, static_cast<std::uint64_t>(taken));
  EXPECT_TRUE(eventually([&] {
    const auto emitted = client->emit("another", event_of("1"));
    return !emitted && emitted.error().code == ErrorCode::closed;
  }));
  ASSERT_TRUE(client->emit("activity", event_of("2")));
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(store_.events("activity").size(), 2U);
}

TEST_F(ClientTest, AServerWithANewDiskIsSentToInANewEpoch) {
  const auto client = Client::start(options()).value();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(client->emit("activity", event_of("before")));
    ASSERT_TRUE(client->emit("api", event_of("before")));
    ASSERT_TRUE(client->flush(10'000));
  }
  store_.lose_everything();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client->emit("activity", event_of(std::to_string(i))));
    ASSERT_TRUE(client->emit("api", event_of(std::to_string(i))));
  }
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(ids("activity"), numbers(100));
  EXPECT_EQ(ids("api"), numbers(100));
}

TEST_F(ClientTest, ANewEpochBeginsAlsoWhenTheConnectionEndsBeforeEverythingIsAnswered) {
  testing::Listener listener;
  Options to_listener = options();
  to_listener.port = listener.port();
  to_listener.batch_rows = 1;
  const auto client = Client::start(to_listener).value();
  std::uint64_t first_epoch = 0;
  {
    const auto server = listener.accept();
    ASSERT_TRUE(server);
    const auto hello = server->welcome_client();
    ASSERT_TRUE(hello);
    first_epoch = hello->epoch;
    ASSERT_TRUE(client->emit("activity", event_of("1")));
    EXPECT_EQ(server->batch_number(), 1U);
    server->send_ack("activity", 1, 1);
    ASSERT_TRUE(client->emit("activity", event_of("2")));
    ASSERT_TRUE(client->emit("activity", event_of("3")));
    EXPECT_EQ(server->batch_number(), 2U);
    EXPECT_EQ(server->batch_number(), 3U);
    ingest::ErrorFrame lost;
    lost.code = ingest::WireError::out_of_order;
    lost.retryable = true;
    lost.batch = 2;
    lost.expected = 1;
    lost.log = "activity";
    server->send_error(lost);
  }
  const auto server = listener.accept();
  ASSERT_TRUE(server);
  const auto hello = server->welcome_client();
  ASSERT_TRUE(hello);
  EXPECT_GT(hello->epoch, first_epoch);
  for (std::uint64_t batch = 1; batch <= 2; ++batch) {
    ASSERT_EQ(server->batch_number(), batch);
    server->send_ack("activity", batch, 1);
  }
  EXPECT_TRUE(client->flush(10'000));
}

TEST_F(ClientTest, InAFixedEpochALogThatIsGivenUpDoesNotHoldUpTheOthers) {
  Options fixed = options();
  fixed.epoch = 7;
  const auto client = Client::start(fixed).value();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(client->emit("activity", event_of("before")));
    ASSERT_TRUE(client->flush(10'000));
  }
  store_.lose_everything();
  std::atomic<int> failures{0};
  ASSERT_TRUE(
      client->emit("activity", event_of("after"), [&](const Delivery& d) { failures += !d.ok(); }));
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(failures, 1);
  ASSERT_TRUE(client->emit("api", event_of("0")));
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(ids("api"), numbers(1));
}

TEST_F(ClientTest, FaultsOfTheServersDiskGiveNothingUp) {
  const auto client = Client::start(options()).value();
  int events = 0;
  for (const ErrorCode code : {ErrorCode::io, ErrorCode::not_found, ErrorCode::exists,
                               ErrorCode::corrupt, ErrorCode::newer_format}) {
    store_.refuse_commits(code, 2);
    ASSERT_TRUE(client->emit("activity", event_of(std::to_string(events++))));
    ASSERT_TRUE(client->flush(10'000)) << to_string(code);
  }
  EXPECT_EQ(client->counters().rejected, 0U);
  EXPECT_EQ(ids("activity"), numbers(events));
}

TEST_F(ClientTest, AClockThatWasSetBackIsOvercome) {
  {
    Options future = options();
    future.epoch = static_cast<std::uint64_t>(INT64_MAX);
    const auto client = Client::start(future).value();
    ASSERT_TRUE(client->emit("activity", event_of("0")));
    ASSERT_TRUE(client->flush(10'000));
  }
  Options options_now = options();
  const auto client = Client::start(options_now).value();
  ASSERT_TRUE(client->emit("activity", event_of("1")));
  ASSERT_TRUE(client->flush(30'000));
  EXPECT_EQ(ids("activity"), numbers(2));
}

TEST_F(ClientTest, ALateBatchOfARunBeforeTheClockWasSetBackMakesNothingStoredTwice) {
  CuttingProxy proxy(port_);
  store_.hold();
  Options through = options();
  through.port = proxy.port();
  through.batch_rows = 1;
  const auto client = Client::start(through).value();
  std::atomic<int> delivered{0};
  const auto count = [&](const Delivery& d) { delivered += d.ok() && d.seq != 0 ? 1 : 0; };
  for (const char* id : {"0", "1"}) {
    ASSERT_TRUE(client->emit("activity", event_of(id), count));
  }
  ASSERT_TRUE(store_.wait_for_queued(2));
  // From here on the client has no way to the server, and will not be told of these two.
  testing::Listener nobody;
  proxy.set_server(nobody.port());
  proxy.cut_all();
  ASSERT_TRUE(nobody.accept());
  testing::Peer late(port_);
  ASSERT_TRUE(late.shake_hands("web-1", static_cast<std::uint64_t>(INT64_MAX)));
  late.send_batch("activity", 1, testing::body_of(1, 2));
  ASSERT_TRUE(store_.wait_for_queued(3));
  store_.release();
  EXPECT_TRUE(late.ack());
  proxy.set_server(port_);
  proxy.cut_all();
  ASSERT_TRUE(client->emit("activity", event_of("3"), count));
  ASSERT_TRUE(client->flush(30'000));
  EXPECT_EQ(ids("activity"), numbers(4));
  EXPECT_EQ(delivered, 3);
}

TEST_F(ClientTest, TheSameRunAgainInAFixedEpochStoresNothingTwice) {
  for (int run = 0; run < 2; ++run) {
    Options fixed = options();
    fixed.epoch = 7;
    fixed.batch_rows = 100;
    const auto client = Client::start(fixed).value();
    for (int i = 0; i < 1050; ++i) {
      ASSERT_TRUE(client->emit("activity", event_of(std::to_string(i))));
      if (i % 37 == 0) {
        std::this_thread::sleep_for(1ms);  // would make other batches, were they cut by time
      }
    }
    ASSERT_TRUE(client->flush(10'000));
    EXPECT_EQ(client->counters().durable, 1050U);
    EXPECT_EQ(client->counters().known, run == 0 ? 0U : 1050U);
  }
  EXPECT_EQ(ids("activity"), numbers(1050));
}

// Were it kept out by emit(), a run on another day would make other batches.
TEST_F(ClientTest, InAFixedEpochATimeToComeIsRejectedByTheServerAndItsNeighboursAreNot) {
  Options fixed = options();
  fixed.epoch = 7;
  for (int run = 0; run < 2; ++run) {
    const auto client = Client::start(fixed).value();
    std::string error;
    for (int i = 0; i < 3; ++i) {
      const std::string id = std::to_string(i);
      EventView event = event_of(id);
      event.ts = i == 1 ? now_ns() + 2 * limits::future_ns_max : 1;
      ASSERT_TRUE(client->emit("activity", event,
                               [&error](const Delivery& delivery) { error += delivery.error; }));
    }
    ASSERT_TRUE(client->flush(10'000));
    EXPECT_EQ(error, "ts: is more than 24 h in the future");
    EXPECT_EQ(client->counters().durable, 2U);
    EXPECT_EQ(client->counters().rejected, 1U);
    EXPECT_EQ(client->counters().known, run == 0 ? 0U : 2U);
  }
  EXPECT_EQ(ids("activity"), (std::vector<std::string>{"0", "2"}));
}

TEST_F(ClientTest, BadOptionsAreErrors) {
  Options bad = options();
  bad.node = "";
  EXPECT_EQ(Client::start(bad).error().code, ErrorCode::invalid_argument);
  bad = options();
  bad.node = "idempotency:0123";
  EXPECT_EQ(Client::start(bad).error().code, ErrorCode::invalid_argument);
  bad = options();
  bad.batch_rows = 0;
  EXPECT_EQ(Client::start(bad).error().code, ErrorCode::invalid_argument);
  bad.batch_rows = 8193;
  EXPECT_EQ(Client::start(bad).error().code, ErrorCode::invalid_argument);
  bad = options();
  bad.redaction.patterns = {"vat"};
  EXPECT_TRUE(Client::start(bad).error().message.starts_with("redaction.patterns: 'vat' is none"));
  bad = options();
  bad.port = 0;
  EXPECT_EQ(Client::start(bad).error().code, ErrorCode::invalid_argument);
}

TEST_F(ClientTest, AClientMayGoAtAnyMoment) {
  for (int i = 0; i < 30; ++i) {
    if (i == 10) {
      store_.hold();
    }
    if (i == 20) {
      server_->stop(0);
    }
    const auto client = Client::start(options()).value();
    ASSERT_TRUE(client->emit("activity", event_of("1")));
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 5));
  }
  store_.release();
}

}  // namespace
}  // namespace docket::client
