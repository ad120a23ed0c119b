// Found rows on their way out: read a batch at a time, as views or as text.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "query/event_batch.hpp"
#include "query/execution.hpp"
#include "query/searcher.hpp"
#include "query/worker_pool.hpp"

namespace docket::query {

// Calls `sink` for the events of `rows` in turn. A row that cannot be read becomes a gap. False:
// the sink did not want more.
[[nodiscard]] bool read_events(Execution& execution, std::span<const FoundRow> rows,
                               ExecutionCounters& counters,
                               const std::function<bool(const StoredView&)>& sink);

// Writes rows as text, on all of a pool's workers: each takes a batch of them, reads it and writes
// it into a text of its own. Meanwhile the calling thread gives the texts before to the sink. A
// batch is bounded in rows and bytes, and so is the number of batches at a time. Not thread-safe.
class EventWriting {
 public:
  // All must outlive it; `workers` may be null.
  EventWriting(const Searcher::Write& write, const Searcher::TextSink& sink, WorkerPool* workers);

  // As read_events(). False also where the question was cancelled before all was handed over.
  [[nodiscard]] bool write(Execution& execution, std::span<const FoundRow> rows,
                           ExecutionCounters& counters);

 private:
  // A batch of rows and what became of them.
  struct Part {
    std::span<const FoundRow> rows;
    std::string text;
    // Where in the text a piece for the sink ends, and how many events it holds.
    std::vector<std::pair<std::size_t, std::uint64_t>> pieces;
    std::vector<std::pair<FoundRow, Error>> failed;
  };

  // Parts that are filled together.
  using Group = std::vector<Part>;

  // Takes the next rows for as many parts as there may be at a time.
  [[nodiscard]] Group take_group(Execution& execution, std::span<const FoundRow>& rows,
                                 Group used) const;
  void fill(Execution& execution, Part& part, EventBatch& batch) const;
  [[nodiscard]] bool hand_over(const Part& part, ExecutionCounters& counters) const;

  const Searcher::Write& write_;
  const Searcher::TextSink& sink_;
  WorkerPool* workers_;
  Group filled_, filling_;
  std::vector<EventBatch> batches_;  // by worker
};

}  // namespace docket::query
