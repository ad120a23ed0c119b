// What seeds have found, each as a small course of its own: a seed means something else as soon as
// the engine makes one call more.
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "engine/log.hpp"
#include "engine/timestamp.hpp"
#include "tests/simulation/machine.hpp"
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
    disk.inject({.at = 1, .kinds = docket::testing::Io::sync});
    ASSERT_FALSE(store(log, 2));
    const std::uint64_t before = machine.turns();
    machine.sleep(60 * second);
    EXPECT_LT(machine.turns() - before, 100U);
    store_of_node.reset();
  });
}

}  // namespace
}  // namespace docket::simulation
