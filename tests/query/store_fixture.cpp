#include "tests/query/store_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "query/parser.hpp"
#include "tests/support/random_events.hpp"

namespace docket::query::testing {

using docket::testing::MemorySegment;
using docket::testing::RandomEvents;
using docket::testing::RandomEventsOptions;

MixedStore::MixedStore(std::uint64_t seed)
    : seed_(seed), catalog_(disk_, index::CatalogOptions{}) {}

void MixedStore::add(const std::string& log, std::size_t count, bool sealed,
                     std::uint32_t block_rows) {
  RandomEvents generator(++seed_);
  add(log, generator.take(count), sealed, block_rows);
}

void MixedStore::add(const std::string& log, std::vector<Event> events, bool sealed,
                     std::uint32_t block_rows) {
  LogState& state = logs_[log];
  EXPECT_TRUE(disk_.make_directories(log));
  EXPECT_TRUE(!sealed || state.active.empty()) << "sealed segments come before the active one";
  for (std::size_t i = 0; i < events.size(); ++i) {
    Event& event = events[i];
    event.log = log;
    event.seq = Seq(state.next_seq++);
    event.received = std::min(event.ts, INT64_MAX - 5) + 5;
    event.node = i % 3 == 0 ? "mail-1" : "mail-2";
    events_.push_back(event);
  }
  if (sealed) {
    state.sealed.push_back(MemorySegment::sealed(
        log, SegmentId(next_segment_++), Seq(state.next_seq - events.size()), events, block_rows));
    state.active_first = state.next_seq;
    return;
  }
  state.active.insert(state.active.end(), events.begin(), events.end());
  state.active_segment =
      MemorySegment::active(log, SegmentId(next_segment_++), Seq(state.active_first), state.active,
                            {1, 100, 64, 65, 1000, 3, 8192, 500});
}

StoreSnapshot MixedStore::snapshot() const {
  StoreSnapshot snapshot;
  for (const auto& [name, state] : logs_) {
    LogSnapshot log;
    log.log = name;
    log.segments.assign(state.sealed.begin(), state.sealed.end());
    if (state.active_segment != nullptr) {
      log.segments.push_back(state.active_segment);
    }
    log.last_seq = Seq(state.next_seq - 1);
    snapshot.logs.push_back(std::move(log));
  }
  return snapshot;
}

std::vector<std::shared_ptr<MemorySegment>> MixedStore::segments(const std::string& log) const {
  const LogState& state = logs_.at(log);
  std::vector<std::shared_ptr<MemorySegment>> segments = state.sealed;
  if (state.active_segment != nullptr) {
    segments.push_back(state.active_segment);
  }
  return segments;
}

Query parsed(const std::string& text) {
  ParseContext context;
  context.now = 1'778'414'400'000'000'000;
  auto query = parse(text, context);
  EXPECT_TRUE(query) << (query ? "" : query.error().message);
  if (!query) {
    Query everything;
    everything.where = std::make_shared<const Expression>();
    return everything;
  }
  return *query;
}

}  // namespace docket::query::testing
