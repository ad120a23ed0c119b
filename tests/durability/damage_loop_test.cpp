// Every sector of a store is damaged, in every way there is: what can still be read is right, and
// what cannot is named; also when a call fails while the damage is found.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/log.hpp"
#include "index/catalog.hpp"
#include "tests/durability/workloads.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/support/damage.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::testing {
namespace {

using simulation::Ledger;

const std::string directory = "data";

// One in so many sectors, another each for every file and mode; all of them with
// DOCKET_DAMAGE_STRIDE=1.
std::uint64_t stride() {
  const char* const asked = std::getenv("DOCKET_DAMAGE_STRIDE");
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr std::uint64_t usual = 101;
#else
  constexpr std::uint64_t usual = 3;
#endif
  return asked == nullptr ? usual : std::strtoull(asked, nullptr, 10);
}

// Builds the index of what is sealed, as a server does.
class IndexBuilder final : public StoreObserver {
 public:
  explicit IndexBuilder(Disk& disk) : catalog_(disk, {}) {}
  void segment_sealed(const std::string& /*log*/,
                      const std::shared_ptr<const SegmentReader>& segment,
                      const std::string& /*directory*/) override {
    static_cast<void>(catalog_.build(segment));
  }
  void events_visible(const std::string& /*log*/, Seq /*last*/) override {}
  void notice(const std::string& /*log*/, const std::string& /*kind*/,
              const std::string& /*detail*/) override {}
  [[nodiscard]] index::Catalog& catalog() { return catalog_; }

 private:
  index::Catalog catalog_;
};

struct OpenStore {
  explicit OpenStore(Disk& disk) : builder(disk) {
    StoreOptions options;
    options.log.segment_rows = 150;
    options.cache_bytes = std::uint64_t{1} << 20;
    options.free_space_floor = 0;
    options.observer = &builder;
    store = Store::open(disk, directory, options);
  }

  IndexBuilder builder;
  Result<std::unique_ptr<Store>> store;
};

// A sound store, and who knows what is in it.
class DamageLoop : public ::testing::TestWithParam<std::size_t> {
 protected:
  DamageLoop() : ledger_([](const std::string& what) { ADD_FAILURE() << what; }) {
    const Workload& workload = workloads()[GetParam()];
    const OpenStore open(disk_);
    Store& store = **open.store;
    RandomEvents events(GetParam());
    std::mt19937_64 dice(GetParam());
    for (const Step step : workload.steps) {
      Log& log = *store.log(workload.witness.logs[dice() % workload.witness.logs.size()]).value();
      switch (step) {
        case Step::send:
          for (std::uint64_t n = 1 + dice() % workload.witness.batches_max; n != 0; --n) {
            send(log, events, 1 + dice() % workload.witness.rows_max);
          }
          break;
        case Step::seal:
          EXPECT_TRUE(log.seal());
          break;
        case Step::retire:
          retire(store);
          break;
        case Step::send_again:
          break;  // nothing is refused here
      }
    }
    EXPECT_TRUE(store.close());
  }

  void send(Log& log, RandomEvents& events, std::uint64_t rows) {
    BatchBuilder builder;
    std::vector<TargetView> related;
    std::vector<std::size_t> numbers;
    for (std::uint64_t row = 0; row < rows; ++row) {
      Event event = events.next();
      event.payload.resize(event.payload.size() > 2000 ? 0 : event.payload.size());
      numbers.push_back(ledger_.add(log.name(), "node", event));
      builder.add(view_of(event, related));
    }
    std::promise<Result<Receipt>> done;
    log.submit(builder.finish(), {"node", 1, ++batches_[log.name()]}, 1,
               [&done](Result<Receipt> result) { done.set_value(std::move(result)); });
    const auto receipt = done.get_future().get();
    ASSERT_TRUE(receipt) << receipt.error().describe();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      ledger_.stored(numbers[i], receipt->first_seq.value + i);
    }
  }

  void retire(Store& store) {
    const auto plans = store.plan_retirement(
        [](std::string_view) { return RetentionPolicy{.max_age = {}, .max_bytes = 1}; }, 0, 1);
    if (!plans.empty()) {
      ledger_.may_retire(plans[0]);
      EXPECT_TRUE(store.retire(plans[0]));
    }
  }

  // Opens the damaged store, looks at all of it, closes it.
  void look(SimDisk& disk, std::uint64_t seed) {
    OpenStore open(disk);
    ASSERT_TRUE(open.store) << open.store.error().describe();
    const auto snapshot = (*open.store)->snapshot();
    ASSERT_TRUE(snapshot) << snapshot.error().describe();
    const Ledger::Contents contents = ledger_.check(*snapshot, ledger_.mark());
    ledger_.check_answers(*snapshot, open.builder.catalog(), contents, seed, 2);
  }

  SimDisk disk_;
  Ledger ledger_;
  std::map<std::string, std::uint64_t> batches_;
};

TEST_P(DamageLoop, NoSectorTakesMoreThanItSays) {
  look(disk_, 0);  // nothing is damaged yet, and all is seen once
  ledger_.damage();
  const auto files = damageable_files(disk_, directory);
  std::mt19937_64 dice(GetParam());
  std::uint64_t done = 0;
  for (const std::string& path : files) {
    for (const DamageMode& mode : damage_modes) {
      const std::uint64_t sectors = damageable_sectors(disk_, path, mode);
      for (std::uint64_t sector = dice() % stride(); sector < sectors; sector += stride()) {
        const auto damaged = disk_.after_kill();
        SCOPED_TRACE(damage(*damaged, files, path, mode, sector, dice));
        // A call fails while the damage is found; what has been done until then does no harm.
        const auto interrupted = damaged->after_kill();
        interrupted->inject({.at = 1 + dice() % 80, .forever = true, .seed = dice()});
        {
          const OpenStore open(*interrupted);
        }
        look(*interrupted->after_power_loss(dice()), done);
        look(*damaged, done);
        look(*damaged, done);  // and what was learnt is kept
        ++done;
        if (HasFailure()) {
          return;
        }
      }
    }
  }
  RecordProperty("damaged", static_cast<int>(done));
  std::printf("%d places of %zu files damaged\n", static_cast<int>(done), files.size());
}

INSTANTIATE_TEST_SUITE_P(EachWorkload, DamageLoop,
                         ::testing::Range<std::size_t>(0, workloads().size()),
                         [](const auto& instance) { return workloads()[instance.param].name; });

}  // namespace
}  // namespace docket::testing
