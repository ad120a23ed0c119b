// Every single call to the disk fails, once or from then on for ever; then the power fails too, or
// the process is killed. No promise may break, whichever call it was, in a life or in a recovery,
// and whatever the store was busy with.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <tuple>
#include <vector>

#include "tests/durability/witness.hpp"
#include "tests/durability/workloads.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::testing {
namespace {

constexpr std::uint64_t seed = 19;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t stride = 19;  // they are slow, and look for something else
#else
constexpr std::uint64_t stride = 1;
#endif

class FaultLoop : public ::testing::TestWithParam<std::tuple<std::size_t, bool, int>> {
 protected:
  [[nodiscard]] static Fault fault_at(std::uint64_t n) {
    const auto [workload, forever, error_number] = GetParam();
    return {.at = n, .forever = forever, .error_number = error_number, .seed = n};
  }
  [[nodiscard]] static std::string place(std::uint64_t n) {
    return "I/O " + std::to_string(n) +
           (std::get<1>(GetParam()) ? " and all after it fail" : " fails");
  }
  [[nodiscard]] static const Workload& workload() { return workloads()[std::get<0>(GetParam())]; }
};

TEST_P(FaultLoop, NoFailingCallOfALifeBreaksAPromise) {
  bool hit = true;
  for (std::uint64_t n = 1; hit && !HasFailure(); n += stride) {
    SCOPED_TRACE(place(n));
    SimDisk disk;
    Witness witness(seed, workload().witness);
    disk.inject(fault_at(n));
    witness.live(disk, workload().steps);
    hit = disk.fault_hit();
    const auto survivor = n % 4 == 0 ? disk.after_kill() : disk.after_power_loss(n);
    witness.check_and_settle(*survivor);
  }
}

TEST_P(FaultLoop, NoFailingCallOfARecoveryBreaksAPromise) {
  // Lives that end at various places leave recoveries various work to do.
  for (const std::uint64_t end : {25U, 60U, 110U, 170U, 240U, 330U}) {
    SimDisk disk;
    Witness witness(seed, workload().witness);
    disk.inject({.at = end, .forever = true, .seed = end});
    witness.live(disk, workload().steps);
    const auto survivor = disk.after_power_loss(end);
    bool hit = true;
    for (std::uint64_t n = 1; hit && !HasFailure(); n += stride) {
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

INSTANTIATE_TEST_SUITE_P(EachWorkload, FaultLoop,
                         ::testing::Combine(::testing::Range<std::size_t>(0, workloads().size()),
                                            ::testing::Bool(), ::testing::Values(EIO, ENOSPC)),
                         [](const auto& instance) {
                           return std::string(workloads()[std::get<0>(instance.param)].name) +
                                  (std::get<1>(instance.param) ? "ForEver" : "Once") +
                                  (std::get<2>(instance.param) == EIO ? "Io" : "NoSpace");
                         });

TEST(FaultLoopItself, SeesBatchesAcknowledgedSealedAndRetired) {
  for (const Workload& workload : workloads()) {
    SCOPED_TRACE(workload.name);
    SimDisk disk;
    Witness witness(seed, workload.witness);
    witness.live(disk, workload.steps);
    EXPECT_GT(witness.acknowledged(), 8U);
    EXPECT_GT(disk.io_count(), 80U);
    const bool retires =
        std::count(workload.steps.begin(), workload.steps.end(), Step::retire) != 0;
    EXPECT_EQ(witness.retired() != 0, retires);
    witness.check_and_settle(disk);
  }
}

}  // namespace
}  // namespace docket::testing
