// Found rows on their way out: read a batch at a time, as views or as text.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
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

// Writes rows as text, on all of a pool's workers. Rows are read in large batches, because those of
// one share pages of dictionaries, and written in small slices, so that texts stay few and workers
// end together: while some read the batches that come next, others write slices of those that have
// been read. Whatever is ready, the calling thread gives to the sink in between, in order. Batches
// are bounded in rows and bytes, and so is their number. Not thread-safe.
class EventWriting {
 public:
  // All must outlive it; `workers` may be null.
  EventWriting(const Searcher::Write& write, const Searcher::TextSink& sink, WorkerPool* workers);

  // Tells the rows that come next; none: there are no more.
  using Find = std::function<Result<std::vector<FoundRow>>()>;
  // Writes all that `find` finds; a row that cannot be read becomes a gap. False: the sink did not
  // want more. Errors: those of `find`, cancelled.
  [[nodiscard]] Result<bool> write(Execution& execution, const Find& find,
                                   ExecutionCounters& counters);

 private:
  struct Batch {
    std::vector<FoundRow> rows;
    std::vector<StoredRow> stored;  // where they are
    EventBatch events;
  };
  using Batches = std::deque<Batch>;  // which stay where they are
  // Some rows of a batch, and what became of them.
  struct Slice {
    const Batch* batch = nullptr;
    std::size_t begin = 0, end = 0;
    std::string text;
    // Where in the text a piece for the sink ends, and how many events it holds.
    std::vector<std::pair<std::size_t, std::uint64_t>> pieces;
    std::vector<std::pair<FoundRow, Error>> failed;
    std::atomic<bool> is_ready = false;
  };

  // Finds rows, unless there are as many as the next batches may take, or there are no more.
  [[nodiscard]] Result<void> find_more(const Find& find);
  // Takes the next rows for as many batches as may be read at a time.
  void take_batches(Execution& execution);
  void cut_slices();
  void fill(Slice& slice);
  // Gives the sink what is ready and has nothing before it that is not.
  void hand_over(ExecutionCounters& counters);
  [[nodiscard]] std::string take_text();

  const Searcher::Write& write_;
  const Searcher::TextSink& sink_;
  WorkerPool* workers_;
  std::size_t batches_at_once_;
  std::size_t batch_rows_;  // of the next batches

  std::vector<FoundRow> found_;
  std::size_t taken_ = 0;  // of found_
  bool found_all_ = false;

  Batches reading_, read_;
  std::deque<Slice> slices_;  // of read_
  std::size_t handed_over_ = 0;
  bool wants_more_ = true;

  std::mutex mutex_;
  std::vector<std::string> texts_;  // that have been handed over: their memory is used again
};

}  // namespace docket::query
