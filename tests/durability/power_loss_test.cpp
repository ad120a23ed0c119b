// Random lives that end with the power or with a kill at a random call, several in a row.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "tests/durability/witness.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::testing {
namespace {

constexpr std::uint64_t courses_per_share = 40;
constexpr int lives = 4;

// A share of the seeds; shares can run side by side.
class PowerLoss : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(PowerLoss, NoPromiseBreaksInLivesCutShortAtRandom) {
  std::uint64_t acknowledged = 0;
  std::uint64_t retired = 0;
  const std::uint64_t first_seed = GetParam() * courses_per_share;
  for (std::uint64_t seed = first_seed; seed < first_seed + courses_per_share; ++seed) {
    std::mt19937_64 random(seed);
    Witness witness(seed);
    auto disk = std::make_unique<SimDisk>();
    for (int life = 0; life < lives; ++life) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", life " + std::to_string(life));
      // Nothing reaches the disk after the power is gone. Early ends are the more instructive.
      disk->inject({.at = 1 + random() % (random() % 600 + 1), .forever = true, .seed = random()});
      witness.live(*disk, witness.random_steps(12));
      const std::uint64_t loss = random();
      disk = random() % 4 == 0 ? disk->after_kill() : disk->after_power_loss(loss);
      // Half of the lives follow one another unchecked, as they do in the field.
      if (life == lives - 1 || random() % 2 == 0) {
        witness.check_and_settle(*disk);
      }
      if (HasFailure()) {
        return;
      }
    }
    acknowledged += witness.acknowledged();
    retired += witness.retired();
  }
  EXPECT_GT(acknowledged, courses_per_share * 10);
  // How many depends on how far sealing, on its own thread, got before each end.
  EXPECT_GT(retired, 0U);
}

INSTANTIATE_TEST_SUITE_P(Share, PowerLoss, ::testing::Range<std::uint64_t>(0, 8));

TEST(FullDisk, ThatIsFreedServesAgainAndHasKeptEverything) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Witness witness(seed);
    SimDisk disk;
    witness.live(disk, witness.random_steps(6));
    disk.set_capacity((std::uint64_t{100} << 10) + random() % (std::uint64_t{600} << 10));
    witness.live(disk, witness.random_steps(20));
    disk.set_capacity(std::uint64_t{1} << 40);
    witness.check_and_settle(*disk.after_power_loss(seed));
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace docket::testing
