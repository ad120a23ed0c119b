// What seeds have found, each as a small course of its own: a seed means something else as soon as
// the engine makes one call more.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "engine/log.hpp"
#include "engine/segment_reader.hpp"
#include "engine/timestamp.hpp"
#include "ingest/client.hpp"
#include "ingest/server.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/network.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::simulation {
namespace {

EncodedBatch some_batch() {
  docket::testing::RandomEvents events(1);
  BatchBuilder builder;
  std::vector<TargetView> related;
  const Event event = events.next();
  builder.add(view_of(event, related));
  return builder.finish();
}

Result<Receipt> store(Log& log, std::uint64_t batch) {
  std::promise<Result<Receipt>> done;
  log.submit(some_batch(), {"node", 1, batch}, now_ns(),
             [&done](Result<Receipt> result) { done.set_value(std::move(result)); });
  return done.get_future().get();
}

// The mark that was due for the group before kept the committer awake for good.
TEST(FoundBySeeds, ALogThatHasFailedWhileAMarkWasDueStaysQuiet) {
  docket::testing::SimDisk disk;
  Machine machine(1);
  machine.run([&] {
    StoreOptions options;
    options.free_space_floor = 0;
    auto store_of_node = Store::open(disk, "data", options).value();
    Log& log = *store_of_node->log("activity").value();
    ASSERT_TRUE(store(log, 1));
    machine.sleep(second / 10);  // the next segment is prepared; the mark is not due yet
    disk.inject({.at = 1, .kinds = docket::testing::Io::sync});
    ASSERT_FALSE(store(log, 2));
    const std::uint64_t before = machine.turns();
    machine.sleep(60 * second);
    EXPECT_LT(machine.turns() - before, 100U);
    store_of_node.reset();
  });
}

std::unique_ptr<client::Client> start_client() {
  client::Options options;
  options.port = 7470;
  options.node = "node";
  return client::Client::start(options).value();
}

// Emits an event and lets it go.
void emit(client::Client& client, const std::string& reason) {
  EventView event;
  event.ts = now_ns();
  event.actor = {"user", "17", "", ""};
  event.verb = "EDIT";
  event.target = {"List", "5", ""};
  event.reason = reason;
  EXPECT_TRUE(client.emit("activity", event));
  static_cast<void>(client.flush(50));
}

std::vector<std::string> reasons_of(const LogSnapshot& log) {
  std::vector<std::string> reasons;
  Event event;
  for (const auto& segment : log.segments) {
    EventReader reader(*segment);
    for (std::uint32_t row = 0; row < segment->info().rows; ++row) {
      EXPECT_TRUE(reader.read(row, event));
      reasons.push_back(event.reason);
    }
  }
  return reasons;
}

// What a killed sender had sent arrived behind the first batch of its next run, whose clock had
// been set back. When the acknowledgement of this one was lost, it was stored again in a third
// epoch.
TEST(FoundBySeeds, ALateBatchOfARunBeforeTheClockWasSetBackMakesNothingStoredTwice) {
  const Weather slow{.latency_max = second};
  std::size_t hits = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    docket::testing::SimDisk disk;
    Machine machine(seed);
    Network network(machine);
    machine.run([&] {
      machine.set_host(network.add_host());
      StoreOptions options;
      options.free_space_floor = 0;
      const auto store_of_node = Store::open(disk, "data", options).value();
      ingest::ServerOptions ingest;
      ingest.port = 7470;
      ingest.threads = 1;
      const auto server = ingest::Server::start(*store_of_node, ingest).value();
      machine.set_host(0);
      network.set_weather(slow);
      auto killed = start_client();
      machine.sleep(10 * second);
      emit(*killed, "before");
      killed.reset();
      machine.jump_wall_clock(-60 * second);
      network.set_weather({.doomed_in_100 = 100, .doomed_bytes_max = 700});
      const auto client = start_client();
      emit(*client, "after");
      network.set_weather(slow);
      EXPECT_TRUE(client->flush(3'600'000)) << client->last_error();
      machine.sleep(10 * second);
      const auto reasons = reasons_of(store_of_node->log("activity").value()->snapshot());
      EXPECT_EQ(std::count(reasons.begin(), reasons.end(), "after"), 1) << "seed " << seed;
      EXPECT_LE(std::count(reasons.begin(), reasons.end(), "before"), 1) << "seed " << seed;
      const bool came_late = reasons.size() > 1 && reasons[0] == "after";
      hits += came_late && client->counters().resent != 0 ? 1 : 0;
      server->stop(1000);
    });
  }
  EXPECT_GT(hits, 0U) << "this test cannot tell";
}

}  // namespace
}  // namespace docket::simulation
