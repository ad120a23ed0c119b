#include "query/event_writing.hpp"

#include <algorithm>

namespace docket::query {

namespace {

// Rows read together. More of them share more pages of dictionaries; fewer stay in the processor's
// cache.
constexpr std::size_t batch_rows = 8192;
// Of payloads and related targets; a single row may have more.
constexpr std::size_t batch_bytes = std::size_t{4} << 20;
// However many cores there are, an export holds no more batches at a time, and as many texts again
// that wait for the sink.
constexpr std::size_t parts_max = 4;
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

std::span<const FoundRow> take_batch(Execution& execution, std::span<const FoundRow>& rows) {
  const auto some = rows.first(std::min(rows.size(), batch_rows));
  const auto batch = some.first(rows_within(stored_rows(execution, some), batch_bytes));
  rows = rows.subspan(batch.size());
  return batch;
}

}  // namespace

bool read_events(Execution& execution, std::span<const FoundRow> rows, ExecutionCounters& counters,
                 const std::function<bool(const StoredView&)>& sink) {
  EventBatch batch;
  while (!rows.empty()) {
    const std::span<const FoundRow> some = take_batch(execution, rows);
    batch.read(stored_rows(execution, some));
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (!batch[i]) {
        add_gap(execution, some[i], batch[i].error());
        continue;
      }
      ++counters.events_decoded;
      if (!sink(**batch[i])) {
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
      batches_(workers == nullptr ? 1 : workers->workers()) {}

EventWriting::Group EventWriting::take_group(Execution& execution, std::span<const FoundRow>& rows,
                                             Group used) const {
  used.resize(std::min(parts_max, batches_.size()));
  std::size_t taken = 0;
  while (taken < used.size() && !rows.empty()) {
    used[taken].rows = take_batch(execution, rows);
    ++taken;
  }
  used.resize(taken);
  return used;
}

bool EventWriting::write(Execution& execution, std::span<const FoundRow> rows,
                         ExecutionCounters& counters) {
  bool wants_more = true;
  filled_.clear();
  do {
    filling_ = take_group(execution, rows, std::move(filling_));
    const auto fill_part = [&](std::size_t part, std::size_t worker) {
      fill(execution, filling_[part], batches_[worker]);
    };
    const auto hand_over_filled = [&] {
      for (auto part = filled_.begin(); wants_more && part != filled_.end(); ++part) {
        for (const auto& [row, error] : part->failed) {
          add_gap(execution, row, error);
        }
        wants_more = hand_over(*part, counters);
      }
    };
    if (workers_ != nullptr) {
      workers_->run(filling_.size(), fill_part, hand_over_filled);
    } else {
      hand_over_filled();
      for (std::size_t part = 0; part < filling_.size(); ++part) {
        fill_part(part, 0);
      }
    }
    std::swap(filled_, filling_);
    // The last group is handed over beside none.
  } while (wants_more && !filled_.empty() && !execution.context().cancelled());
  return wants_more && filled_.empty();
}

bool EventWriting::hand_over(const Part& part, ExecutionCounters& counters) const {
  std::size_t begin = 0;
  for (const auto& [end, events] : part.pieces) {
    counters.events_decoded += events;
    if (!sink_(std::string_view(part.text).substr(begin, end - begin), events)) {
      return false;
    }
    begin = end;
  }
  return true;
}

void EventWriting::fill(Execution& execution, Part& part, EventBatch& batch) const {
  part.text.clear();
  part.pieces.clear();
  part.failed.clear();
  batch.read(stored_rows(execution, part.rows));
  std::size_t begin = 0;  // of the piece at hand
  std::uint64_t events = 0;
  const auto end_piece = [&] {
    part.pieces.emplace_back(part.text.size(), events);
    begin = part.text.size();
    events = 0;
  };
  for (std::size_t i = 0; i < part.rows.size(); ++i) {
    if (!batch[i]) {
      part.failed.emplace_back(part.rows[i], batch[i].error());
      continue;
    }
    write_(part.text, **batch[i]);
    ++events;
    if (part.text.size() - begin >= piece_bytes) {
      end_piece();
    }
  }
  if (events != 0) {
    end_piece();
  }
}

}  // namespace docket::query
