#include "query/event_writing.hpp"

#include <algorithm>

namespace docket::query {

namespace {

// Rows read together. More of them share more pages of dictionaries; fewer stay in the processor's
// cache.
constexpr std::size_t batch_rows_max = 16384;
// The first ones are smaller, so that there is soon something to write.
constexpr std::size_t first_batch_rows = 4096;
// Of events that are read for somebody who looks at each.
constexpr std::size_t read_rows = 8192;
// Of payloads and related targets; a single row may have more.
constexpr std::size_t batch_bytes = std::size_t{4} << 20;
// A batch is read by one worker, in less than half of the time that writing it takes. However many
// there are, an export reads no more batches at a time, and writes as many that have been read.
constexpr std::size_t workers_a_batch = 2;
constexpr std::size_t batches_at_once_max = 2;
// Few enough that their text is still in the processor's cache when it is handed over.
constexpr std::size_t slice_rows = 1024;
// Large enough that a piece costs one write, small enough that several wait in memory at no price.
constexpr std::size_t piece_bytes = std::size_t{128} << 10;

std::vector<StoredRow> stored_rows(Execution& execution, std::span<const FoundRow> rows) {
  std::vector<StoredRow> stored;
  stored.reserve(rows.size());
  for (const FoundRow& row : rows) {
    stored.push_back({&execution.scans()[row.scan]->segment(), row.row});
  }
  return stored;
}

void add_gap(Execution& execution, const FoundRow& row, const Error& error) {
  execution.context().gaps.add(execution.log_name(row.at.log), Seq(row.at.seq), Seq(row.at.seq),
                               error);
}

// A batch's rows: the first ones of `rows`, which lose them.
struct TakenRows {
  std::span<const FoundRow> rows;
  std::vector<StoredRow> stored;
};
TakenRows take_batch(Execution& execution, std::span<const FoundRow>& rows, std::size_t rows_max) {
  TakenRows batch;
  batch.rows = rows.first(std::min(rows.size(), rows_max));
  batch.stored = stored_rows(execution, batch.rows);
  batch.stored.resize(rows_within(batch.stored, batch_bytes));
  batch.rows = batch.rows.first(batch.stored.size());
  rows = rows.subspan(batch.rows.size());
  return batch;
}

}  // namespace

bool read_events(Execution& execution, std::span<const FoundRow> rows, ExecutionCounters& counters,
                 const std::function<bool(const StoredView&)>& sink) {
  EventBatch batch;
  StoredView event;
  while (!rows.empty()) {
    const TakenRows some = take_batch(execution, rows, read_rows);
    batch.read(some.stored);
    for (std::size_t i = 0; i < some.rows.size(); ++i) {
      if (const auto done = batch.view(i, event); !done) {
        add_gap(execution, some.rows[i], done.error());
        continue;
      }
      ++counters.events_decoded;
      if (!sink(event)) {
        return false;
      }
    }
  }
  return true;
}

EventWriting::EventWriting(const Searcher::Write& write, const Searcher::TextSink& sink,
                           WorkerPool* workers)
    : write_(write),
      sink_(sink),
      workers_(workers),
      batches_at_once_(workers == nullptr ? 1
                                          : std::clamp(workers->workers() / workers_a_batch,
                                                       std::size_t{1}, batches_at_once_max)),
      batch_rows_(first_batch_rows) {}

Result<bool> EventWriting::write(Execution& execution, const Find& find,
                                 ExecutionCounters& counters) {
  DOCKET_TRY(find_more(find));
  for (;;) {
    take_batches(execution);
    cut_slices();
    if (reading_.empty() && slices_.empty()) {
      return true;
    }
    const auto work = [&](std::size_t item, std::size_t worker) {
      if (item < reading_.size()) {
        reading_[item].events.read(reading_[item].stored);
        return;
      }
      fill(slices_[item - reading_.size()]);
      if (worker == 0) {
        hand_over(counters);
      }
    };
    Result<void> found;
    const auto beside = [&] { found = find_more(find); };
    const std::size_t items = reading_.size() + slices_.size();
    if (workers_ != nullptr) {
      workers_->run(items, work, beside);
    } else {
      beside();
      for (std::size_t item = 0; item < items; ++item) {
        work(item, 0);
      }
    }
    hand_over(counters);
    for (const Slice& slice : slices_) {
      for (const auto& [row, error] : slice.failed) {
        add_gap(execution, row, error);
      }
    }
    if (!wants_more_) {
      return false;
    }
    DOCKET_TRY(found);
    DOCKET_TRY(execution.check_cancelled());
    std::swap(reading_, read_);
  }
}

Result<void> EventWriting::find_more(const Find& find) {
  if (found_all_ || found_.size() - taken_ >= batches_at_once_ * batch_rows_max) {
    return {};
  }
  DOCKET_ASSIGN(const std::vector<FoundRow> more, find());
  found_all_ = more.empty();
  found_.erase(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
  found_.insert(found_.end(), more.begin(), more.end());
  return {};
}

void EventWriting::take_batches(Execution& execution) {
  reading_.resize(batches_at_once_);
  std::span<const FoundRow> rest = std::span(found_).subspan(taken_);
  std::size_t count = 0;
  for (; count < reading_.size() && !rest.empty(); ++count) {
    TakenRows some = take_batch(execution, rest, batch_rows_);
    reading_[count].rows.assign(some.rows.begin(), some.rows.end());
    reading_[count].stored = std::move(some.stored);
  }
  reading_.resize(count);
  taken_ = found_.size() - rest.size();
  batch_rows_ = std::min(2 * batch_rows_, batch_rows_max);
}

void EventWriting::cut_slices() {
  slices_.clear();
  handed_over_ = 0;
  for (const Batch& batch : read_) {
    for (std::size_t begin = 0; begin < batch.rows.size(); begin += slice_rows) {
      Slice& slice = slices_.emplace_back();
      slice.batch = &batch;
      slice.begin = begin;
      slice.end = std::min(begin + slice_rows, batch.rows.size());
    }
  }
}

void EventWriting::hand_over(ExecutionCounters& counters) {
  for (; handed_over_ < slices_.size(); ++handed_over_) {
    Slice& slice = slices_[handed_over_];
    if (!wants_more_ || !slice.is_ready.load(std::memory_order_acquire)) {
      return;
    }
    std::size_t begin = 0;
    for (const auto& [end, events] : slice.pieces) {
      counters.events_decoded += events;
      if (!sink_(std::string_view(slice.text).substr(begin, end - begin), events)) {
        wants_more_ = false;
        return;
      }
      begin = end;
    }
    const std::lock_guard lock(mutex_);
    texts_.push_back(std::move(slice.text));
  }
}

std::string EventWriting::take_text() {
  const std::lock_guard lock(mutex_);
  if (texts_.empty()) {
    return {};
  }
  std::string text = std::move(texts_.back());
  texts_.pop_back();
  text.clear();
  return text;
}

void EventWriting::fill(Slice& slice) {
  slice.text = take_text();
  StoredView event;
  std::size_t begin = 0;  // of the piece at hand
  std::uint64_t events = 0;
  const auto end_piece = [&] {
    slice.pieces.emplace_back(slice.text.size(), events);
    begin = slice.text.size();
    events = 0;
  };
  for (std::size_t i = slice.begin; i < slice.end; ++i) {
    slice.batch->events.fetch(i + EventBatch::far);
    if (auto done = slice.batch->events.view(i, event); !done) {
      slice.failed.emplace_back(slice.batch->rows[i], std::move(done).error());
      continue;
    }
    write_(slice.text, event);
    ++events;
    if (slice.text.size() - begin >= piece_bytes) {
      end_piece();
    }
  }
  if (events != 0) {
    end_piece();
  }
  slice.is_ready.store(true, std::memory_order_release);
}

}  // namespace docket::query
