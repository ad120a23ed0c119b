// The client with a spool: what an end of its process leaves for the next one.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

#include "ingest/client_runner.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/cutting_proxy.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::client {
namespace {

using testing::CuttingProxy;
using testing::Direction;
using testing::eventually;
using testing::FakeStore;
using testing::SimDisk;
using testing::TemporaryDirectory;

EventView event_of(std::string_view id) {
  EventView event;
  event.ts = 1'777'000'000'000'000'000;
  event.actor = {"user", id, "", ""};
  event.verb = "EDIT";
  event.target = {"List", "7", ""};
  return event;
}

class SpoolingClient : public ::testing::Test {
 protected:
  SpoolingClient() { start_server(); }

  void start_server() {
    ingest::ServerOptions options;
    options.port = port_;
    server_ = ingest::Server::start(store_, options).value();
    port_ = server_->port();
  }
  Options options() const {
    Options options;
    options.port = port_;
    options.node = "web-1";
    options.reconnect_ms_max = 5;
    options.spool.directory = directory_ / "spool";
    return options;
  }
  static void emit(Client& client, int from, int to, std::string_view log = "activity") {
    for (int i = from; i < to; ++i) {
      const auto emitted = client.emit(log, event_of(std::to_string(i)));
      ASSERT_TRUE(emitted) << emitted.error().message;
    }
  }
  std::vector<std::string> ids(std::string_view log = "activity") const {
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

  TemporaryDirectory directory_;
  FakeStore store_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ingest::Server> server_;
};

TEST_F(SpoolingClient, TheNextOneSendsWhatThisOneCouldNot) {
  server_.reset();
  for (int life = 0; life < 3; ++life) {
    const auto client = Client::start(options()).value();
    EXPECT_EQ(client->counters().recovered, static_cast<std::uint64_t>(life) * 10);
    emit(*client, life * 10, life * 10 + 10);
    EXPECT_EQ(client->counters().pending, static_cast<std::uint64_t>(life + 1) * 10);
  }
  start_server();
  const auto client = Client::start(options()).value();
  emit(*client, 30, 40);
  const auto flushed = client->flush(10'000);
  ASSERT_TRUE(flushed) << flushed.error().message;
  EXPECT_EQ(ids(), numbers(40));
  const Counters counters = client->counters();
  EXPECT_EQ(counters.recovered, 30U);
  EXPECT_EQ(counters.emitted, 10U);
  EXPECT_EQ(counters.durable, 40U);
  EXPECT_EQ(counters.known, 0U);
  EXPECT_EQ(counters.lost, 0U);
}

TEST_F(SpoolingClient, WithoutASpoolSecretsAreTakenOutBeforeAnythingIsSent) {
  Options redacting = options();
  redacting.spool.directory.clear();
  redacting.redaction = {{"password"}, {"card"}};
  const auto client = Client::start(redacting).value();
  const auto event = [](std::string_view payload) {
    EventView made = event_of("4111111111111111");  // what an event is found by stays
    made.reason = "paid with 4111111111111111";
    made.payload = payload;
    return made;
  };
  ASSERT_TRUE(client->emit("activity", event(R"({"Pass-Word":"hunter2","n":1})")));
  ASSERT_TRUE(client->emit_waiting("activity", event(R"({"a":[5555555555554444]})"), 10'000));
  ASSERT_TRUE(client->emit_durable("activity", event(R"({"n":1})")));
  ASSERT_TRUE(client->flush(10'000));
  const auto stored = store_.events("activity");
  ASSERT_EQ(stored.size(), 3U);
  EXPECT_EQ(stored[0].payload, R"({"Pass-Word":"[redacted]","n":1})");
  EXPECT_EQ(stored[1].payload, R"({"a":["[redacted]"]})");
  EXPECT_EQ(stored[2].payload, R"({"n":1})");
  for (const Event& one : stored) {
    EXPECT_EQ(one.reason, "paid with [redacted]");
    EXPECT_EQ(one.actor.id, "4111111111111111");
  }
}

TEST_F(SpoolingClient, NoFileOfItHoldsWhatIsTakenOut) {
  server_.reset();
  Options redacting = options();
  redacting.redaction = {{"password"}, {}};
  {
    const auto client = Client::start(redacting).value();
    EventView event = event_of("1");
    event.payload = R"({"password":"hunter2-swordfish","kept":"as-it-is"})";
    ASSERT_TRUE(client->emit("activity", event));
    ASSERT_TRUE(client->emit_marked("activity", event, "m"));
  }
  std::string held;
  for (const auto& file : std::filesystem::directory_iterator(options().spool.directory)) {
    std::ifstream in(file.path(), std::ios::binary);
    held.append(std::istreambuf_iterator<char>(in), {});
  }
  EXPECT_NE(held.find("as-it-is"), std::string::npos);
  EXPECT_EQ(held.find("swordfish"), std::string::npos);
  start_server();
  const auto next = Client::start(options()).value();
  ASSERT_TRUE(next->flush(10'000));
  const auto stored = store_.events("activity");
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(stored[1].payload, R"({"password":"[redacted]","kept":"as-it-is"})");
}

TEST_F(SpoolingClient, WhatTheServerHasAlreadyIsRecognised) {
  Options small = options();
  small.batch_rows = 3;
  store_.hold();
  {
    const auto client = Client::start(small).value();
    emit(*client, 0, 10);
    ASSERT_TRUE(store_.wait_for_queued(3));
  }
  store_.release();
  ASSERT_TRUE(store_.wait_for_events("activity", 9));
  small.batch_rows = 4;  // what was sent keeps its size
  const auto client = Client::start(small).value();
  emit(*client, 10, 20);
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(ids(), numbers(20));
  EXPECT_GE(client->counters().known, 9U);
}

TEST_F(SpoolingClient, AnEndAtAnyByteOfTheConversationLosesAndDoublesNothing) {
  CuttingProxy proxy(port_);
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    for (std::size_t cut = 0;; cut += 3) {
      store_.lose_everything();
      std::filesystem::remove_all(directory_ / "spool");
      proxy.cut_next_after(direction, cut);
      Options through = options();
      through.port = proxy.port();
      through.batch_rows = 2;
      through.reconnect_ms_max = 10'000;  // the first connection is all it has
      {
        const auto client = Client::start(through).value();
        emit(*client, 0, 4);
        const bool is_over =
            eventually([&] { return proxy.has_cut() || client->counters().pending == 0; });
        ASSERT_TRUE(is_over);
      }
      const bool has_cut = proxy.has_cut();
      {
        const auto client = Client::start(options()).value();
        emit(*client, 4, 6);
        ASSERT_TRUE(client->flush(10'000)) << client->last_error();
      }
      ASSERT_EQ(ids(), numbers(6)) << "cut at byte " << cut;
      if (!has_cut) {
        ASSERT_GT(cut, 50U);
        break;
      }
    }
  }
}

TEST_F(SpoolingClient, TakesMoreThanItsMemoryHoldsAndSendsItInOrder) {
  server_.reset();
  Options small = options();
  small.memory_bytes = 20'000;
  small.batch_rows = 50;
  const auto client = Client::start(small).value();
  std::mutex mutex;
  std::vector<std::uint64_t> seqs;
  for (int i = 0; i < 3000; ++i) {
    DeliveryHandler handler;
    if (i % 100 == 7) {
      handler = [&](const Delivery& delivery) {
        const std::scoped_lock lock(mutex);
        EXPECT_TRUE(delivery.ok()) << delivery.error;
        seqs.push_back(delivery.seq);
      };
    }
    const auto emitted = client->emit("activity", event_of(std::to_string(i)), std::move(handler));
    ASSERT_TRUE(emitted) << emitted.error().message;
  }
  start_server();
  for (int i = 3000; i < 4000; ++i) {  // while the rest is on its way
    ASSERT_TRUE(client->emit("activity", event_of(std::to_string(i))));
    ASSERT_TRUE(client->emit("api", event_of(std::to_string(i - 3000))));
  }
  ASSERT_TRUE(client->flush(30'000)) << client->last_error();
  EXPECT_EQ(ids(), numbers(4000));
  EXPECT_EQ(ids("api"), numbers(1000));
  ASSERT_EQ(seqs.size(), 30U);
  for (std::size_t i = 0; i < seqs.size(); ++i) {
    EXPECT_EQ(seqs[i], i * 100 + 8);
  }
  EXPECT_EQ(client->counters().lost, 0U);
}

TEST_F(SpoolingClient, WhatGathersInMemoryGoesBeforeWhatIsOnTheDiskAlone) {
  Options slow = options();
  slow.memory_bytes = 100'000;
  slow.linger_us = 10'000'000;
  const std::string payload = "{\"a\":\"" + std::string(60'000, 'x') + "\"}";
  EventView large = event_of("large");
  large.payload = payload;
  for (int round = 0; round < 20; ++round) {
    store_.lose_everything();
    std::filesystem::remove_all(directory_ / "spool");
    const auto client = Client::start(slow).value();
    store_.hold();
    emit(*client, 0, 1);
    ASSERT_TRUE(store_.wait_for_queued(1));
    emit(*client, 1, 5);  // they linger
    ASSERT_TRUE(client->emit("api", large));
    ASSERT_TRUE(client->emit("api", large));  // more than fits
    emit(*client, 5, 9);
    store_.release();
    ASSERT_TRUE(client->flush(10'000)) << client->last_error();
    ASSERT_EQ(ids(), numbers(9)) << round;
  }
}

TEST_F(SpoolingClient, AFullSpoolRefusesAndWaitsForRoom) {
  server_.reset();
  Options small = options();
  small.spool.bytes = std::uint64_t{4} << 20;
  const auto client = Client::start(small).value();
  const std::string payload = "{\"a\":\"" + std::string(60'000, 'x') + "\"}";
  int count = 0;
  for (;; ++count) {
    const std::string id = std::to_string(count);
    EventView event = event_of(id);
    event.payload = payload;
    if (const auto emitted = client->emit("activity", event); !emitted) {
      EXPECT_EQ(emitted.error().code, ErrorCode::overloaded);
      break;
    }
  }
  EXPECT_EQ(client->counters().refused, 1U);
  start_server();
  for (int i = count; i < count + 100; ++i) {
    const std::string id = std::to_string(i);
    EventView event = event_of(id);
    event.payload = payload;
    ASSERT_TRUE(client->emit_waiting("activity", event, 20'000));
  }
  ASSERT_TRUE(client->flush(20'000));
  EXPECT_EQ(ids(), numbers(count + 100));
}

TEST_F(SpoolingClient, AServerThatLostEverythingGetsANewEpochThatIsKept) {
  {
    const auto client = Client::start(options()).value();
    emit(*client, 0, 5, "api");
    emit(*client, 0, 5);
    ASSERT_TRUE(client->flush(10'000));
  }
  store_.lose_everything();
  {
    const auto client = Client::start(options()).value();
    emit(*client, 0, 7);
    ASSERT_TRUE(client->flush(10'000)) << client->last_error();
    EXPECT_EQ(ids(), numbers(7));
    store_.hold();
    emit(*client, 7, 9);
    ASSERT_TRUE(store_.wait_for_queued(1));
  }
  store_.release();
  const auto client = Client::start(options()).value();
  emit(*client, 0, 3, "api");
  ASSERT_TRUE(client->flush(10'000)) << client->last_error();
  EXPECT_EQ(ids(), numbers(9));
  EXPECT_EQ(ids("api"), numbers(3));
}

TEST_F(SpoolingClient, NumbersThatAPowerCutTookBackAreNotUsedAgain) {
  const std::string spool = directory_ / "spool";
  const std::string before = directory_ / "before";
  Options one = options();
  one.batch_rows = 1;
  {
    const auto client = Client::start(one).value();
    emit(*client, 0, 1);
    ASSERT_TRUE(client->flush(10'000));
  }
  std::filesystem::copy(spool, before);
  {
    const auto client = Client::start(one).value();
    emit(*client, 1, 5);
    ASSERT_TRUE(client->flush(10'000));
  }
  // What was not yet on the disk has gone with the power.
  std::filesystem::remove_all(spool);
  std::filesystem::rename(before, spool);
  SpoolOwner owner;
  owner.node = one.node;
  owner.boot = current_boot() ^ 2;
  auto opened = Spool::open(posix_disk(), one.spool, owner);
  ASSERT_TRUE(opened) << opened.error().message;
  RunningClient client(one, {}, posix_disk(), std::move(*opened));
  emit(client, 5, 8);
  ASSERT_TRUE(client.flush(10'000)) << client.last_error();
  EXPECT_EQ(ids(), numbers(8));
}

TEST_F(SpoolingClient, ASyncedOneHasItsBatchesOnTheDiskBeforeTheyAreSent) {
  Options synced = options();
  synced.spool.sync = true;
  SpoolOwner owner;
  owner.node = synced.node;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    store_.lose_everything();
    SimDisk disk;
    std::unique_ptr<SimDisk> survivor;
    store_.hold();
    {
      Options one = synced;
      one.batch_rows = 1;
      RunningClient client(one, {}, disk, Spool::open(disk, one.spool, owner).value());
      emit(client, 0, 2);
      ASSERT_TRUE(store_.wait_for_queued(2));
      survivor = disk.after_power_loss(seed);
    }
    store_.release();
    ASSERT_TRUE(store_.wait_for_events("activity", 2));
    auto spool = Spool::open(*survivor, synced.spool, owner);
    ASSERT_TRUE(spool) << spool.error().message;
    RunningClient client(synced, {}, *survivor, std::move(*spool));
    emit(client, 2, 4);
    ASSERT_TRUE(client.flush(10'000)) << client.last_error();
    ASSERT_EQ(ids(), numbers(4)) << seed;
  }
}

TEST_F(SpoolingClient, EventsOfALogThatTheServerRefusesAreNotSentForEver) {
  store_.refuse_logs(ErrorCode::invalid_argument);
  {
    const auto client = Client::start(options()).value();
    std::atomic<int> failures{0};
    ASSERT_TRUE(
        client->emit("api", event_of("1"), [&](const Delivery& d) { failures += !d.ok(); }));
    ASSERT_TRUE(client->flush(10'000));
    EXPECT_EQ(failures, 1);
  }
  const auto client = Client::start(options()).value();
  EXPECT_EQ(client->counters().recovered, 0U);
}

TEST_F(SpoolingClient, DamageIsCountedAndItsNeighboursArrive) {
  server_.reset();
  {
    const auto client = Client::start(options()).value();
    emit(*client, 0, 10);
  }
  const std::string path = spool_file_path(directory_ / "spool", 1);
  auto bytes = read_file(posix_disk(), path, 1 << 20).value();
  bytes[bytes.size() / 2] ^= std::byte{1};
  ASSERT_TRUE(replace_file(posix_disk(), path, bytes));
  start_server();
  {
    const auto client = Client::start(options()).value();
    ASSERT_TRUE(client->flush(10'000));
    EXPECT_EQ(ids().size(), 9U);
    EXPECT_EQ(client->counters().recovered, 10U);
    EXPECT_EQ(client->counters().lost, 1U);
    EXPECT_EQ(client->counters().durable, 9U);
  }
  // It is kept for people to look at.
  ASSERT_TRUE(Client::start(options()));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists(path + ".damaged"));
}

TEST_F(SpoolingClient, AMarkIsThatOfTheLastEventThatWasTaken) {
  {
    const auto client = Client::start(options()).value();
    EXPECT_EQ(client->mark(), "");
    ASSERT_TRUE(client->emit_marked("activity", event_of("0"), "up to 0"));
    EXPECT_FALSE(client->emit_marked("docket", event_of("1"), "not taken"));
    EXPECT_FALSE(client->emit_marked("activity", event_of("1"), ""));
    EXPECT_FALSE(client->emit_marked("activity", event_of("1"), std::string(256, 'x')));
    EXPECT_EQ(client->mark(), "up to 0");
  }
  const auto client = Client::start(options()).value();
  EXPECT_EQ(client->mark(), "up to 0");
  ASSERT_TRUE(client->emit_marked("activity", event_of("1"), std::string(255, 'x')));
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(ids(), numbers(2));
  Options without = options();
  without.spool.directory.clear();
  without.node = "web-2";
  const auto plain = Client::start(without).value();
  EXPECT_FALSE(plain->emit_marked("activity", event_of("2"), "mark"));
  EXPECT_EQ(plain->mark(), "");
}

TEST_F(SpoolingClient, OptionsThatDoNotGoTogetherAreRefused) {
  Options fixed = options();
  fixed.epoch = 1;
  EXPECT_EQ(Client::start(fixed).error().code, ErrorCode::invalid_argument);
  Options tiny = options();
  tiny.spool.bytes = 1000;
  EXPECT_EQ(Client::start(tiny).error().code, ErrorCode::invalid_argument);
  const auto client = Client::start(options()).value();
  EXPECT_EQ(Client::start(options()).error().code, ErrorCode::busy);
}

TEST_F(SpoolingClient, EachFailingCallOfItsDiskLosesAndDoublesNothing) {
  Options small = options();
  small.batch_rows = 2;
  for (const bool forever : {false, true}) {
    for (std::uint64_t n = 1;; ++n) {
      store_.lose_everything();
      SimDisk disk;
      disk.inject({.at = n, .forever = forever, .seed = n});
      SpoolOwner owner;
      owner.node = small.node;
      std::vector<std::string> kept;
      std::vector<std::string> unknown;
      if (auto spool = Spool::open(disk, small.spool, owner)) {
        RunningClient client(small, {}, disk, std::move(*spool));
        for (int i = 0; i < 6; ++i) {
          const std::string id = std::to_string(i);
          const auto emitted = client.emit("activity", event_of(id), {});
          if (emitted) {
            kept.push_back(id);
          } else if (emitted.error().code == ErrorCode::unknown_outcome) {
            unknown.push_back(id);
          }
        }
        static_cast<void>(client.flush(forever ? 20 : 10'000));
      }
      const auto survivor = disk.after_kill();
      auto spool = Spool::open(*survivor, small.spool, owner);
      ASSERT_TRUE(spool) << n << ": " << spool.error().message;
      RunningClient client(small, {}, *survivor, std::move(*spool));
      ASSERT_TRUE(client.flush(10'000)) << n << ": " << client.last_error();
      if (!unknown.empty() && ids().size() > kept.size()) {
        kept.push_back(unknown.front());  // nothing more was taken after it
      }
      ASSERT_EQ(ids(), kept) << "call " << n << (forever ? " and all behind it" : "");
      if (!disk.fault_hit()) {
        break;
      }
    }
  }
}

}  // namespace
}  // namespace docket::client
