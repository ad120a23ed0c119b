// A store of several logs in memory, sealed and active segments mixed, beside the plain list of its
// events.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/limits.hpp"
#include "engine/snapshot.hpp"
#include "index/catalog.hpp"
#include "query/expression.hpp"
#include "query/searcher.hpp"
#include "query/worker_pool.hpp"
#include "tests/support/memory_segment.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::query::testing {

class MixedStore {
 public:
  explicit MixedStore(std::uint64_t seed);

  // Appends random events to a log. With `sealed` they become a sealed segment, of blocks of
  // `block_rows` rows, else they go to the active one.
  void add(const std::string& log, std::size_t count, bool sealed,
           std::uint32_t block_rows = limits::block_rows_max);
  // Appends these.
  void add(const std::string& log, std::vector<Event> events, bool sealed,
           std::uint32_t block_rows = limits::block_rows_max);

  [[nodiscard]] StoreSnapshot snapshot() const;
  // With helpers, which must not change an answer.
  [[nodiscard]] Searcher searcher() { return Searcher(snapshot(), catalog_, nullptr, &workers_); }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] index::Catalog& catalog() { return catalog_; }
  // The segments of a log, sealed ones first. The last may be the active one.
  [[nodiscard]] std::vector<std::shared_ptr<docket::testing::MemorySegment>> segments(
      const std::string& log) const;

 private:
  struct LogState {
    std::vector<std::shared_ptr<docket::testing::MemorySegment>> sealed;
    std::vector<Event> active;
    std::shared_ptr<docket::testing::MemorySegment> active_segment;
    std::uint64_t active_first = 1;
    std::uint64_t next_seq = 1;
  };

  std::uint64_t seed_;
  std::map<std::string, LogState> logs_;
  std::vector<Event> events_;
  std::uint64_t next_segment_ = 1;
  docket::testing::SimDisk disk_;
  index::Catalog catalog_;
  WorkerPool workers_{2};
};

// A query from its text, asked at 2026-05-10T12:00:00Z in UTC. Fails the test when it does not
// parse.
[[nodiscard]] Query parsed(const std::string& text);

}  // namespace docket::query::testing
