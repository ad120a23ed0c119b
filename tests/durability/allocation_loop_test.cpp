// Every single allocation of a store fails once. No promise may break, whichever it was, in a life
// or in a recovery; and the store goes on.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/out_of_memory.hpp"
#include "engine/writable_log.hpp"
#include "tests/durability/allocation_faults.hpp"
#include "tests/durability/exposed_store.hpp"
#include "tests/durability/witness.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::testing {
namespace {

constexpr std::uint64_t seed = 23;
// The second sending again is for those whom the first one's failure has hit.
const std::vector<Step> steps = {Step::send,   Step::send,      Step::seal, Step::send,
                                 Step::retire, Step::send,      Step::seal, Step::send_again,
                                 Step::retire, Step::send_again};

// Allocations of a life on `disk` when none fails.
std::uint64_t allocations_of_life(Disk& disk, Witness& witness, const std::vector<Step>& life) {
  fail_allocation(0);
  witness.live(disk, life, open_exposed_store);
  return allocations_seen();
}

TEST(AllocationLoop, NoFailingAllocationOfALifeBreaksAPromise) {
  const Exempt exempt;
  std::uint64_t all = 0;
  {
    SimDisk disk;
    Witness witness(seed);
    all = allocations_of_life(*exempt_disk(disk), witness, steps);
    ASSERT_GT(witness.acknowledged(), 10U);
    ASSERT_GT(witness.retired(), 0U);
  }
  std::uint64_t hit = 0;
  for (const std::uint64_t n : failing_allocations(all, 1200)) {
    SCOPED_TRACE("allocation " + std::to_string(n) + " of about " + std::to_string(all));
    const std::int64_t alive = allocations_alive();
    {
      SimDisk disk;
      Witness witness(seed);
      fail_allocation(n);
      witness.live(*exempt_disk(disk), steps, open_exposed_store);
      const bool opened = witness.acknowledged() != 0;
      hit += allocation_has_failed() ? 1 : 0;
      EXPECT_TRUE(!opened || witness.refused() == 0) << "the log has not gone on";
      const auto survivor = n % 2 == 0 ? disk.after_kill() : disk.after_power_loss(n);
      witness.check_and_settle(*survivor);
    }
    EXPECT_LE(allocations_alive(), alive) << "memory is lost";
    if (HasFailure()) {
      break;
    }
  }
  EXPECT_GT(hit, 0U);
}

TEST(AllocationLoop, NoFailingAllocationOfARecoveryBreaksAPromise) {
  const Exempt exempt;
  // Lives that end at various places leave recoveries various work to do.
  for (const std::uint64_t end : {60U, 110U, 170U, 330U}) {
    SimDisk disk;
    Witness witness(seed);
    disk.inject({.at = end, .forever = true, .seed = end});
    witness.live(disk, {Step::send, Step::seal, Step::send, Step::seal, Step::retire, Step::send,
                        Step::retire, Step::send, Step::seal});
    const auto survivor = disk.after_power_loss(end);
    std::uint64_t all = 0;
    {
      const auto recovering = survivor->after_kill();
      Witness recovered = witness;
      all = allocations_of_life(*exempt_disk(*recovering), recovered, {});
    }
    for (const std::uint64_t n : failing_allocations(all, 150)) {
      SCOPED_TRACE("a life ends at I/O " + std::to_string(end) + "; in the recovery allocation " +
                   std::to_string(n) + " of about " + std::to_string(all));
      const std::int64_t alive = allocations_alive();
      {
        const auto recovering = survivor->after_kill();
        Witness recovered = witness;
        fail_allocation(n);
        recovered.live(*exempt_disk(*recovering), {}, open_exposed_store);
        static_cast<void>(allocation_has_failed());
        // On the same disk: whoever holds its lock still keeps the next one out.
        recovered.check_and_settle(n % 2 == 0 ? *recovering : *recovering->after_power_loss(n));
      }
      EXPECT_LE(allocations_alive(), alive) << "memory is lost";
      if (HasFailure()) {
        return;
      }
    }
  }
}

// A log with many small blocks, and what it must show.
class SmallBlocks {
 public:
  SmallBlocks() {
    while (expected_.size() < 100) {
      store_one();
    }
  }
  void store_one() {
    const Seq seq = store_events(*log_, plain_events(1));
    const auto stored = as_stored(plain_events(1), seq);
    expected_.insert(expected_.end(), stored.begin(), stored.end());
  }
  // A merge in which the n-th allocation fails. Whether it has come to that.
  bool merge(std::uint64_t n) {
    static_cast<void>(log_->snapshot());  // asks for the merge
    fail_allocation(n);
    static_cast<void>(within_memory([this]() -> Result<void> {
      const Exposed exposed;
      log_->merge_small_blocks();
      return {};
    }));
    return allocation_has_failed();
  }
  [[nodiscard]] std::size_t blocks() const {
    return log_->snapshot().segments.at(0)->blocks()->size();
  }
  [[nodiscard]] bool is_whole() const { return read_all(log_->snapshot()) == expected_; }

 private:
  SimDisk sim_;
  std::unique_ptr<Disk> disk_ = exempt_disk(sim_);
  SectionCache cache_{std::uint64_t{1} << 20};
  std::unique_ptr<WritableLog> log_ =
      WritableLog::open({.disk = disk_.get(),
                         .cache = &cache_,
                         .wake_maintenance = [] {},
                         .remember = [](const ListedLog&) { return Result<void>(); }},
                        "activity", "log", {}, nullptr)
          .value();
  std::vector<Event> expected_;
};

// What one merge of small blocks leaves off half way a later one takes up, and a commit in between
// finds the room it has reserved.
TEST(AllocationLoop, NoFailingAllocationOfAMergeChangesWhatIsRead) {
  const Exempt exempt;
  SmallBlocks counted;
  ASSERT_FALSE(counted.merge(0));
  ASSERT_LT(counted.blocks(), 10U);
  const std::uint64_t all = allocations_seen();
  SmallBlocks log;
  for (const std::uint64_t n : failing_allocations(all, 100)) {
    ASSERT_TRUE(log.merge(n)) << "allocation " << n << " of about " << all;
    ASSERT_TRUE(log.is_whole()) << "allocation " << n << " of about " << all;
  }
  log.store_one();
  EXPECT_FALSE(log.merge(0));
  EXPECT_LT(log.blocks(), 10U);
  log.store_one();
  EXPECT_TRUE(log.is_whole());
}

}  // namespace
}  // namespace docket::testing
