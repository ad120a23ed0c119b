// Whichever file of a store is gone, or whichever log's whole directory: what was in it is named by
// a gap, what is left is right, and no seq that was acknowledged is given again.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/log.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::testing {
namespace {

const std::string directory = "data";

StoreOptions options_of(bool read_only) {
  StoreOptions options;
  options.free_space_floor = 0;
  options.read_only = read_only;
  return options;
}

// Two logs, each with two sealed segments and an active one.
class MissingLoop : public ::testing::TestWithParam<bool> {
 protected:
  MissingLoop() {
    const auto store = Store::open(disk_, directory, options_of(false)).value();
    for (const char* name : {"activity", "api"}) {
      Log& log = *store->log(name).value();
      for (int segment = 0; segment < 2; ++segment) {
        send(log);
        EXPECT_TRUE(log.seal());
      }
      send(log);
    }
    if (GetParam()) {
      EXPECT_TRUE(store->close());
      survivor_ = disk_.after_kill();
    } else {
      // Killed while the active segments are open; what follows them may be prepared or not.
      survivor_ = disk_.after_kill();
    }
  }

  Seq send(Log& log) {
    BatchBuilder builder;
    std::vector<TargetView> related;
    for (const Event& event : events_.take(7)) {
      builder.add(view_of(event, related));
    }
    std::promise<Result<Receipt>> done;
    log.submit(builder.finish(), {"node", 0, 0}, 1,
               [&done](Result<Receipt> result) { done.set_value(std::move(result)); });
    const auto receipt = done.get_future().get();
    EXPECT_TRUE(receipt) << receipt.error().describe();
    last_[log.name()] = std::max(last_[log.name()], receipt->first_seq + (receipt->rows - 1));
    return receipt->first_seq;
  }

  // Every acknowledged seq is in a segment or in a gap, and none is in both.
  void check(Disk& disk, bool read_only) {
    const auto store = Store::open(disk, directory, options_of(read_only));
    ASSERT_TRUE(store) << store.error().describe();
    const auto snapshot = (*store)->snapshot();
    ASSERT_TRUE(snapshot);
    for (const auto& [name, last] : last_) {
      const auto log = std::ranges::find(snapshot->logs, name, &LogSnapshot::log);
      ASSERT_NE(log, snapshot->logs.end()) << name << " is gone without a word";
      EXPECT_GE(log->last_seq, last);
      for (Seq seq(1); seq <= last; seq += 1) {
        const auto holds = [seq](const auto& segment) {
          return segment->info().first_seq <= seq && segment->info().last_seq >= seq;
        };
        const auto covers = [seq](const Gap& gap) {
          return gap.first_seq <= seq && gap.last_seq >= seq;
        };
        EXPECT_EQ(std::ranges::count_if(log->segments, holds) +
                      (std::ranges::any_of(log->gaps, covers) ? 1 : 0),
                  1)
            << name << ":" << seq.value;
      }
    }
  }

  // Looks at it with a reader, a server, another reader; then new events come.
  void look(SimDisk& disk) {
    check(disk, true);
    check(disk, false);
    check(disk, true);
    const std::map<std::string, Seq> acknowledged = last_;
    {
      const auto store = Store::open(disk, directory, options_of(false)).value();
      for (const auto& [name, last] : acknowledged) {
        EXPECT_GT(send(*store->log(name).value()), last) << name << ": a seq is given again";
      }
    }
    last_ = acknowledged;
    check(disk, true);
  }

  SimDisk disk_;
  std::unique_ptr<SimDisk> survivor_;
  RandomEvents events_{4};
  std::map<std::string, Seq> last_;
};

TEST_P(MissingLoop, FilesThatAreGoneAreMissed) {
  look(*survivor_->after_kill());
  for (const std::string& file : survivor_->files()) {
    SCOPED_TRACE(file + " is gone");
    if (file == directory + "/DOCKET") {
      continue;  // readers refuse what does not say that it is a store
    }
    const auto disk = survivor_->after_kill();
    ASSERT_TRUE(disk->unlink(file));
    look(*disk);
  }
  for (const bool with_hot : {false, true}) {
    SCOPED_TRACE(with_hot ? "manifests and hot file are gone" : "both manifests are gone");
    const auto disk = survivor_->after_kill();
    for (const std::string& file : disk->files()) {
      if (file.starts_with(directory + "/logs/api/") &&
          (file.find("/manifest.") != std::string::npos || (with_hot && file.ends_with(".hot")))) {
        ASSERT_TRUE(disk->unlink(file));
      }
    }
    look(*disk);
  }
  for (const std::string log : {"activity", "api"}) {
    SCOPED_TRACE(log + " is gone");
    const auto disk = survivor_->after_kill();
    for (const std::string& file : disk->files()) {
      if (file.starts_with(directory + "/logs/" + log + "/")) {
        ASSERT_TRUE(disk->unlink(file));
      }
    }
    look(*disk);
  }
}

// A server that is killed while it learns what is missing learns it again.
TEST_P(MissingLoop, WhatIsMissingIsFoundHoweverOftenTheStartFails) {
  for (const std::string file : {"hot", "next", "manifest.a", "manifest.b", ""}) {
    SCOPED_TRACE("what is gone ends with '" + file + "'");
    const auto damaged = survivor_->after_kill();
    for (const std::string& path : damaged->files()) {
      if (path.starts_with(directory + "/logs/activity/") && path.ends_with(file)) {
        ASSERT_TRUE(damaged->unlink(path));
      }
    }
    for (std::uint64_t n = 1;; ++n) {
      const auto disk = damaged->after_kill();
      disk->inject({.at = n, .forever = true, .seed = n});
      {
        const auto store = Store::open(*disk, directory, options_of(false));
      }
      const bool hit = disk->fault_hit();
      look(*disk->after_power_loss(n));
      if (!hit || HasFailure()) {
        break;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(StoppedOrKilled, MissingLoop, ::testing::Bool(), [](const auto& instance) {
  return instance.param ? std::string("Stopped") : std::string("Killed");
});

}  // namespace
}  // namespace docket::testing
