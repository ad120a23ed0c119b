#include "ingest/client_spool.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "ingest/client_spool_reader.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::client {
namespace {

using testing::Io;
using testing::SimDisk;

const std::string directory = "spool";

SpoolOptions options() {
  SpoolOptions options;
  options.directory = directory;
  options.bytes = std::uint64_t{4} << 20;
  return options;
}

SpoolOwner owner() {
  SpoolOwner owner;
  owner.node = "web-1";
  owner.new_epoch = 1000;
  owner.boot = 7;
  return owner;
}

std::unique_ptr<Spool> open(Disk& disk) {
  auto spool = Spool::open(disk, options(), owner());
  EXPECT_TRUE(spool) << spool.error().message;
  return std::move(*spool);
}

EventView event_of(std::string_view id, std::string_view payload = {}) {
  EventView event;
  event.ts = 1'777'000'000'000'000'000;
  event.actor = {"user", id, "", ""};
  event.verb = "EDIT";
  event.target = {"List", "7", ""};
  event.payload = payload;
  return event;
}

// What is to be sent, as a client finds it: ids of the events that are not settled, by log and by
// batch number; 0 for those in none yet.
using Found = std::map<std::string, std::map<std::uint64_t, std::vector<std::string>>>;

Found found_in(Disk& disk, const Spool& spool) {
  Found found;
  SpoolReader reader(disk, spool.directory());
  reader.seek(spool.begin());
  std::vector<TargetView> related;
  for (;;) {
    const auto record = reader.next(spool.files());
    EXPECT_TRUE(record) << record.error().message;
    if (!record || !*record) {
      return found;
    }
    const SpoolLog& log = spool.logs().at((*record)->log);
    if ((*record)->value < log.settled) {
      continue;
    }
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < log.ends.size() && number == 0; ++i) {
      number = (*record)->value < log.ends[i] ? log.settled_number + 1 + i : 0;
    }
    const auto event = parse_spool_event((*record)->body, related);
    EXPECT_TRUE(event);
    found[log.name][number].emplace_back(event->actor.id);
  }
}

std::map<std::uint64_t, std::vector<std::string>> batches_in(Disk& disk, const Spool& spool) {
  return found_in(disk, spool)["activity"];
}

using Ids = std::vector<std::string>;

TEST(Spool, WhatIsNotSettledIsFoundAgainInItsBatches) {
  SimDisk disk;
  auto spool = open(disk);
  EXPECT_EQ(spool->epoch(), 1000U);
  const auto activity = spool->index_of("activity").value();
  const auto campaign = spool->index_of("campaign").value();
  for (const char* id : {"1", "2", "3", "4", "5"}) {
    ASSERT_TRUE(spool->append(activity, event_of(id)));
  }
  ASSERT_TRUE(spool->append(campaign, event_of("c")));
  ASSERT_TRUE(spool->note_batch(activity, 1, 2));
  ASSERT_TRUE(spool->note_batch(activity, 2, 4));
  spool->settle(activity, 1, 2);
  for (int i = 0; i < 3; ++i) {  // killed again and again
    spool.reset();
    spool = open(disk);
    EXPECT_EQ(spool->epoch(), 1000U);
    EXPECT_EQ(spool->index_of("activity").value(), activity);
    const Found found = found_in(disk, *spool);
    const Found expected = {{"activity", {{2, {"3", "4"}}, {0, {"5"}}}},
                            {"campaign", {{0, {"c"}}}}};
    EXPECT_EQ(found, expected);
    EXPECT_EQ(spool->logs()[activity].next_number, 3U);
  }
}

TEST(Spool, AFileGoesWhenAllOfItIsSettledAndItsNumbersStay) {
  SimDisk disk;
  auto spool = open(disk);
  const auto log = spool->index_of("activity").value();
  const std::string payload = "{\"a\":\"" + std::string(60'000, 'x') + "\"}";
  std::uint64_t number = 0;
  for (int i = 0; i < 200; ++i) {  // 12 MB through 4 MiB
    ASSERT_TRUE(spool->append(log, event_of(std::to_string(i), payload))) << i;
    ++number;
    ASSERT_TRUE(spool->note_batch(log, number, number));
    spool->settle(log, number, number);
  }
  EXPECT_LE(spool->files().size(), 2U);
  spool.reset();
  spool = open(disk);
  EXPECT_EQ(spool->files().size(), 1U);
  EXPECT_EQ(spool->logs()[log].next_number, 201U);
  EXPECT_EQ(spool->logs()[log].settled_number, 200U);
  EXPECT_TRUE(found_in(disk, *spool).empty());
}

TEST(Spool, AFullOneRefusesEventsUntilSomeAreSettled) {
  SimDisk disk;
  auto spool = open(disk);
  const auto log = spool->index_of("activity").value();
  const std::string payload = "{\"a\":\"" + std::string(60'000, 'x') + "\"}";
  std::uint64_t count = 0;
  for (;; ++count) {
    const auto appended = spool->append(log, event_of(std::to_string(count), payload));
    if (!appended) {
      EXPECT_EQ(appended.error().code, ErrorCode::overloaded);
      break;
    }
  }
  EXPECT_GT(count, 60U);
  ASSERT_TRUE(spool->note_batch(log, 1, count / 2));
  spool->settle(log, 1, count / 2);
  EXPECT_TRUE(spool->append(log, event_of("more", payload)));
  spool.reset();
  EXPECT_EQ(found_in(disk, *open(disk))["activity"][0].size(), count - count / 2 + 1);
}

TEST(Spool, OnAFullDiskBatchesCanStillBeNotedAndSettled) {
  SimDisk disk;
  disk.set_capacity(std::uint64_t{1} << 20);
  auto spool = open(disk);
  const auto log = spool->index_of("activity").value();
  const std::string payload = "{\"a\":\"" + std::string(1000, 'x') + "\"}";
  std::uint64_t count = 0;
  for (;; ++count) {
    const auto appended = spool->append(log, event_of(std::to_string(count), payload));
    if (!appended) {
      EXPECT_EQ(appended.error().code, ErrorCode::no_space);
      break;
    }
  }
  // To the last byte: not even a note would fit.
  while (spool->append(log, event_of(std::to_string(count)))) {
    ++count;
  }
  for (std::uint64_t number = 1; number <= count; ++number) {
    ASSERT_TRUE(spool->note_batch(log, number, number)) << number << " of " << count;
    spool->settle(log, number, number);
  }
  EXPECT_TRUE(spool->append(log, event_of("more"))) << "there is room again";
  spool.reset();
  spool = open(disk);
  EXPECT_EQ(spool->logs()[log].settled_number, count);
  EXPECT_EQ(found_in(disk, *spool)["activity"][0], Ids{"more"});
}

TEST(Spool, ANewEpochNumbersWhatIsNotSettledFromOne) {
  SimDisk disk;
  auto spool = open(disk);
  const auto log = spool->index_of("activity").value();
  for (const char* id : {"1", "2", "3", "4"}) {
    ASSERT_TRUE(spool->append(log, event_of(id)));
  }
  ASSERT_TRUE(spool->note_batch(log, 1, 1));
  ASSERT_TRUE(spool->note_batch(log, 2, 2));
  ASSERT_TRUE(spool->note_batch(log, 3, 3));
  spool->settle(log, 1, 1);
  ASSERT_TRUE(spool->note_epoch(2000));
  EXPECT_EQ(spool->logs()[log].next_number, 3U);
  ASSERT_TRUE(spool->note_batch(log, 3, 4));
  spool.reset();
  spool = open(disk);
  EXPECT_EQ(spool->epoch(), 2000U);
  const Found expected = {{"activity", {{1, {"2"}}, {2, {"3"}}, {3, {"4"}}}}};
  EXPECT_EQ(found_in(disk, *spool), expected);
}

TEST(Spool, TheLastMarkStandsOverEveryFile) {
  SimDisk disk;
  auto spool = open(disk);
  const auto log = spool->index_of("activity").value();
  EXPECT_EQ(spool->mark(), "");
  ASSERT_TRUE(spool->append(log, event_of("1"), "one"));
  EventView event = event_of("2");
  event.ip = parse_ip("192.0.2.1");
  ASSERT_TRUE(spool->append(log, event, "two"));
  ASSERT_TRUE(spool->append(log, event_of("3")));
  EXPECT_EQ(spool->mark(), "two");
  const auto refused = [&] {
    disk.inject({.at = 1, .kinds = Io::write, .error_number = ENOSPC});
    return spool->append(log, event_of("4"), "four").has_value();
  };
  EXPECT_FALSE(refused());
  EXPECT_EQ(spool->mark(), "two");
  EXPECT_EQ(batches_in(disk, *spool)[0], (Ids{"1", "2", "3"}));
  ASSERT_TRUE(spool->note_batch(log, 1, 3));
  spool->settle(log, 1, 3);
  for (int i = 0; i < 3; ++i) {  // the file that had it has gone
    spool.reset();
    spool = open(disk);
    EXPECT_EQ(spool->files().size(), 1U);
    EXPECT_EQ(spool->mark(), "two");
  }
}

TEST(Spool, IsOneClientsAndOneNodes) {
  SimDisk disk;
  auto spool = open(disk);
  const auto second = Spool::open(disk, options(), owner());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  spool.reset();
  SpoolOwner other = owner();
  other.node = "web-2";
  const auto foreign = Spool::open(disk, options(), other);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(foreign.error().message.find("web-1"), std::string::npos);
  EXPECT_TRUE(open(disk));
}

TEST(Spool, AfterAnotherBootNumbersAreNotTrustedUnlessTheyWereSynced) {
  for (const bool sync : {false, true}) {
    SimDisk disk;
    SpoolOptions asked = options();
    asked.sync = sync;
    SpoolOwner booted = owner();
    EXPECT_FALSE(Spool::open(disk, asked, booted).value()->needs_new_epoch());
    EXPECT_FALSE(Spool::open(disk, asked, booted).value()->needs_new_epoch());
    booted.boot = 8;
    // Until the new epoch is noted, however often it starts.
    EXPECT_EQ(Spool::open(disk, asked, booted).value()->needs_new_epoch(), !sync);
    auto spool = Spool::open(disk, asked, booted).value();
    EXPECT_EQ(spool->needs_new_epoch(), !sync);
    ASSERT_TRUE(spool->note_epoch(2000));
    EXPECT_FALSE(spool->needs_new_epoch());
  }
}

// --- damage --------------------------------------------------------------------------------------

// The first file of a spool: one batch that is settled, two that are not, and two events in none.
// A second one has been begun after it.
std::vector<std::byte> first_file(SimDisk& disk) {
  auto spool = open(disk);
  const auto log = spool->index_of("activity").value();
  for (const char* id : {"1", "2", "3", "4", "5", "6", "7"}) {
    EXPECT_TRUE(spool->append(log, event_of(id)));
  }
  EXPECT_TRUE(spool->note_batch(log, 1, 1));
  EXPECT_TRUE(spool->note_batch(log, 2, 3));
  EXPECT_TRUE(spool->note_batch(log, 3, 5));
  spool->settle(log, 1, 1);
  spool.reset();
  EXPECT_EQ(open(disk)->files().size(), 2U);
  return disk.content(spool_file_path(directory, 1));
}

TEST(Spool, CutAnywhereItHasWhatWasWholeBefore) {
  SimDisk whole;
  const auto bytes = first_file(whole);
  std::size_t most = 0;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    SimDisk disk;
    disk.plant(spool_file_path(directory, 1), std::span(bytes).first(size));
    const auto spool = open(disk);
    std::size_t events = 0;
    for (const auto& [number, ids] : batches_in(disk, *spool)) {
      events += ids.size();
    }
    const auto appended = spool->logs().empty() ? 0 : spool->logs()[0].appended;
    const auto settled = spool->logs().empty() ? 0 : spool->logs()[0].settled;
    EXPECT_EQ(events, appended - settled) << size;
    most = std::max(most, events);
    // It goes on as if nothing had been there.
    const auto log = spool->index_of("activity").value();
    EXPECT_TRUE(spool->append(log, event_of("new")));
  }
  EXPECT_EQ(most, 7U);
}

TEST(Spool, AnyFlippedBitCostsWhatItIsInAndNothingElse) {
  SimDisk whole;
  const auto bytes = first_file(whole);
  const auto later = whole.content(spool_file_path(directory, 2));
  const std::set<std::string> all = {"2", "3", "4", "5", "6", "7"};
  for (std::size_t bit = spool_head_bytes * 8; bit < bytes.size() * 8; ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= std::byte{static_cast<unsigned char>(1U << bit % 8)};
    SimDisk disk;
    disk.plant(spool_file_path(directory, 1), flipped);
    disk.plant(spool_file_path(directory, 2), later);
    const auto spool = open(disk);
    std::set<std::string> seen;
    std::size_t events = 0;
    const Found found = found_in(disk, *spool);
    for (const auto& [name, batches] : found) {
      for (const auto& [number, ids] : batches) {
        seen.insert(ids.begin(), ids.end());
        events += ids.size();
      }
    }
    EXPECT_EQ(seen.size(), events) << "one is there twice, bit " << bit;
    EXPECT_LE(all.size() - seen.size(), 1U) << bit;
    EXPECT_EQ(spool->logs()[0].next_number, 4U) << bit;
  }
}

// --- failing calls -------------------------------------------------------------------------------

struct Ledger {
  std::set<std::string> kept;     // append() said so
  std::set<std::string> refused;  // append() said that it is not there
  std::set<std::string> settled;
  std::map<std::uint64_t, std::vector<std::string>> batches;  // noted, by number
};

// Appends, notes and settles until the disk has failed or all is done. Each failed call is followed
// by more, as in a client that goes on.
void work(SimDisk& disk, const SpoolOptions& asked, Ledger& ledger) {
  auto opened = Spool::open(disk, asked, owner());
  if (!opened) {
    return;
  }
  Spool& spool = **opened;
  std::vector<std::string> unbatched;
  std::uint64_t noted = 0;
  std::uint64_t end = 0;
  const std::string payload = "{\"a\":\"" + std::string(60'000, 'x') + "\"}";
  for (int i = 0; i < 30; ++i) {
    const std::string id = std::to_string(i);
    const auto log = spool.index_of("activity");
    if (!log) {
      ledger.refused.insert(id);
      continue;
    }
    const auto appended = spool.append(*log, event_of(id, payload));
    if (!appended) {
      if (appended.error().code != ErrorCode::unknown_outcome) {
        ledger.refused.insert(id);
      }
      continue;
    }
    unbatched.push_back(id);
    if (spool.sync(spool.written())) {
      ledger.kept.insert(id);
    }
    if (unbatched.size() == 3 && spool.note_batch(*log, noted + 1, end + 3)) {
      ++noted;
      end += 3;
      if (!spool.sync(spool.written())) {
        return;  // it may not be sent
      }
      ledger.batches[noted] = std::exchange(unbatched, {});
      if (noted % 2 == 0) {
        ledger.settled.insert(ledger.batches[noted].begin(), ledger.batches[noted].end());
        ledger.settled.insert(ledger.batches[noted - 1].begin(), ledger.batches[noted - 1].end());
        spool.settle(*log, noted, end);
      }
    }
  }
}

void check(Disk& disk, const SpoolOptions& asked, const Ledger& ledger, std::uint64_t fault) {
  auto spool = Spool::open(disk, asked, owner());
  ASSERT_TRUE(spool) << fault << ": " << spool.error().message;
  std::map<std::string, int> seen;
  for (const auto& [number, ids] : batches_in(disk, **spool)) {
    for (const std::string& id : ids) {
      ++seen[id];
    }
    if (const auto noted = ledger.batches.find(number); noted != ledger.batches.end()) {
      EXPECT_EQ(ids, noted->second) << fault << ": batch " << number;
    }
  }
  for (const auto& [id, times] : seen) {
    EXPECT_EQ(times, 1) << fault << ": event " << id;
    EXPECT_FALSE(ledger.refused.contains(id)) << fault << ": event " << id << " was refused";
  }
  for (const std::string& id : ledger.kept) {
    EXPECT_TRUE(seen.contains(id) || ledger.settled.contains(id)) << fault << ": event " << id;
  }
}

TEST(SpoolFaults, EachFailingCallLeavesWhatWasKeptAndNothingElse) {
  for (const bool forever : {false, true}) {
    for (std::uint64_t n = 1;; ++n) {
      SimDisk disk;
      disk.inject({.at = n, .forever = forever, .seed = n});
      Ledger ledger;
      work(disk, options(), ledger);
      const auto survivor = disk.after_kill();
      check(*survivor, options(), ledger, n);
      if (!disk.fault_hit()) {
        break;
      }
    }
  }
}

TEST(SpoolFaults, WhatWasRefusedAndCouldNotBeCutOffDoesNotComeBack) {
  int landed = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SimDisk disk;
    auto spool = open(disk);
    const auto log = spool->index_of("activity").value();
    ASSERT_TRUE(spool->append(log, event_of("before")));
    disk.inject({.at = 1, .kinds = Io::write | Io::resize, .forever = true, .seed = seed});
    EXPECT_EQ(spool->append(log, event_of("refused")).error().code, ErrorCode::unknown_outcome);
    disk.inject({});
    const auto without = disk.after_kill();
    landed += batches_in(*without, *open(*without))[0].size() == 2 ? 1 : 0;
    ASSERT_TRUE(spool->append(log, event_of("after")));
    const auto survivor = disk.after_kill();
    EXPECT_EQ(batches_in(*survivor, *open(*survivor))[0], (Ids{"before", "after"})) << seed;
  }
  EXPECT_GT(landed, 0) << "no write ever landed, so this shows nothing";
}

TEST(SpoolFaults, ASyncedOneSurvivesPowerCutsToo) {
  SpoolOptions asked = options();
  asked.sync = true;
  for (std::uint64_t n = 1;; ++n) {
    SimDisk disk;
    disk.inject({.at = n, .forever = true, .seed = n});
    Ledger ledger;
    work(disk, asked, ledger);
    ledger.refused.clear();  // the power cut may have made whole what was refused
    const auto survivor = disk.after_power_loss(n);
    check(*survivor, asked, ledger, n);
    if (!disk.fault_hit()) {
      break;
    }
  }
}

}  // namespace
}  // namespace docket::client
