// Every single call to the disk fails, once or from then on for ever; then the power fails too, or
// the process is killed. No promise may break, whichever call it was, in a life or in a recovery.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <tuple>
#include <vector>

#include "tests/durability/witness.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::testing {
namespace {

constexpr std::uint64_t seed = 19;
const std::vector<Step> steps = {Step::send, Step::seal,   Step::send, Step::seal, Step::retire,
                                 Step::send, Step::retire, Step::send, Step::seal};

class FaultLoop : public ::testing::TestWithParam<std::tuple<bool, int>> {
 protected:
  [[nodiscard]] static Fault fault_at(std::uint64_t n) {
    const auto [forever, error_number] = GetParam();
    return {.at = n, .forever = forever, .error_number = error_number, .seed = n};
  }
  [[nodiscard]] static std::string place(std::uint64_t n) {
    return "I/O " + std::to_string(n) +
           (std::get<0>(GetParam()) ? " and all after it fail" : " fails");
  }
};

TEST_P(FaultLoop, NoFailingCallOfALifeBreaksAPromise) {
  bool hit = true;
  for (std::uint64_t n = 1; hit && !HasFailure(); ++n) {
    SCOPED_TRACE(place(n));
    SimDisk disk;
    Witness witness(seed);
    disk.inject(fault_at(n));
    witness.live(disk, steps);
    hit = disk.fault_hit();
    const auto survivor = n % 4 == 0 ? disk.after_kill() : disk.after_power_loss(n);
    witness.check_and_settle(*survivor);
  }
}

TEST_P(FaultLoop, NoFailingCallOfARecoveryBreaksAPromise) {
  // Lives that end at various places leave recoveries various work to do.
  for (const std::uint64_t end : {25U, 60U, 110U, 170U, 240U, 330U}) {
    SimDisk disk;
    Witness witness(seed);
    disk.inject({.at = end, .forever = true, .seed = end});
    witness.live(disk, steps);
    const auto survivor = disk.after_power_loss(end);
    bool hit = true;
    for (std::uint64_t n = 1; hit && !HasFailure(); ++n) {
      SCOPED_TRACE("a life ends at I/O " + std::to_string(end) + "; in the recovery " + place(n));
      const auto recovering = survivor->after_kill();
      Witness recovered = witness;
      recovering->inject(fault_at(n));
      recovered.live(*recovering, {});
      hit = recovering->fault_hit();
      recovered.check_and_settle(*recovering->after_power_loss(n));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OnceAndForEver, FaultLoop,
                         ::testing::Combine(::testing::Bool(), ::testing::Values(EIO, ENOSPC)),
                         [](const auto& instance) {
                           return std::string(std::get<0>(instance.param) ? "ForEver" : "Once") +
                                  (std::get<1>(instance.param) == EIO ? "Io" : "NoSpace");
                         });

TEST(FaultLoopItself, SeesBatchesAcknowledgedSealedAndRetired) {
  SimDisk disk;
  Witness witness(seed);
  witness.live(disk, steps);
  EXPECT_GT(witness.acknowledged(), 10U);
  EXPECT_GT(witness.retired(), 0U);
  EXPECT_GT(disk.io_count(), 200U);
  witness.check_and_settle(disk);
}

}  // namespace
}  // namespace docket::testing
