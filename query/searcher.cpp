#include "query/searcher.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "query/counting.hpp"
#include "query/event_writing.hpp"
#include "query/execution.hpp"
#include "query/explain.hpp"
#include "query/facets.hpp"
#include "query/histogram.hpp"

namespace docket::query {
namespace {

// An export finds so many rows at a time: 32 bytes each, up to three times.
constexpr std::size_t export_rows = std::size_t{1} << 16;

// The cursor of a request, checked against the query it is used with.
[[nodiscard]] Result<std::optional<Cursor>> cursor_of(const Query& query,
                                                      const PageRequest& request) {
  if (request.cursor.empty()) {
    return std::optional<Cursor>();
  }
  DOCKET_ASSIGN(Cursor cursor, decode_cursor(request.cursor));
  if (cursor.query_hash != hash_query(query.text)) {
    return fail(ErrorCode::invalid_argument,
                "the cursor belongs to another query; ask for the first page again");
  }
  if (cursor.order != request.order) {
    return fail(ErrorCode::invalid_argument,
                "the cursor belongs to the other order; ask for the first page again");
  }
  return std::optional<Cursor>(std::move(cursor));
}

}  // namespace

struct Searcher::State : SearcherParts {};

namespace {

// All rows in their order, some at a time.
class RowsInTurn {
 public:
  RowsInTurn(SearcherParts& parts, Execution& execution, Order order)
      : parts_(parts), execution_(execution), order_(order) {}

  // Those that come next; none: there are no more. Error: cancelled.
  [[nodiscard]] Result<std::vector<FoundRow>> next() {
    std::vector<FoundRow> rows;
    if (!done_) {
      DOCKET_ASSIGN(
          rows, find_rows(execution_.context(), execution_.scans(), order_, after_, export_rows));
      parts_.counters.rows_matched += rows.size();
    }
    done_ = rows.size() < export_rows;
    if (!rows.empty()) {
      after_ = rows.back().at;
    }
    return rows;
  }

 private:
  SearcherParts& parts_;
  Execution& execution_;
  Order order_;
  std::optional<Position> after_;
  bool done_ = false;
};

}  // namespace

Searcher::Searcher(StoreSnapshot snapshot, index::Catalog& catalog, const std::atomic<bool>* cancel,
                   WorkerPool* workers)
    : state_(std::make_unique<State>()) {
  state_->snapshot = std::move(snapshot);
  state_->catalog = &catalog;
  state_->cancel = cancel;
  state_->workers = workers;
}

Searcher::~Searcher() = default;
Searcher::Searcher(Searcher&&) noexcept = default;

Result<Page> Searcher::search(const Query& query, const PageRequest& request) {
  std::vector<Event> events;
  DOCKET_ASSIGN(Page page, search(query, request, [&events](const StoredView& event) {
                  copy_event(event, events.emplace_back());
                }));
  page.events = std::move(events);
  return page;
}

Result<Page> Searcher::search(const Query& query, const PageRequest& request,
                              const std::function<void(const StoredView& event)>& sink) {
  if (request.limit == 0 || request.limit > page_limit_max) {
    return fail(ErrorCode::invalid_argument,
                "limit: must be 1 to " + std::to_string(page_limit_max));
  }
  DOCKET_ASSIGN(const std::optional<Cursor> cursor, cursor_of(query, request));
  Execution execution(*state_, query, cursor ? &cursor->watermarks : nullptr);
  std::optional<Position> after;
  if (cursor) {
    after = Position{cursor->ts, cursor->seq.value, execution.log_place(cursor->log)};
  }
  // One more than asked for tells whether there is a next page.
  DOCKET_ASSIGN(std::vector<FoundRow> rows,
                find_rows(execution.context(), execution.scans(), request.order, after,
                          std::size_t{request.limit} + 1));
  const bool more = rows.size() > request.limit;
  rows.resize(std::min<std::size_t>(rows.size(), request.limit));
  state_->counters.rows_matched += rows.size();

  static_cast<void>(read_events(execution, rows, state_->counters, [&](const StoredView& event) {
    sink(event);
    return true;
  }));
  Page page;
  if (more) {
    const FoundRow& last = rows.back();
    page.next = encode_cursor(Cursor{request.order, hash_query(query.text), last.at.ts,
                                     Seq(last.at.seq), execution.log_name(last.at.log),
                                     execution.watermarks(request.order, last.at)});
  }
  page.gaps = execution.gaps();
  return page;
}

Result<CountAnswer> Searcher::count(const Query& query) {
  Execution execution(*state_, query);
  CountAnswer answer;
  DOCKET_TRY(execution.for_each_scan([&](SegmentScan& scan) -> Result<void> {
    DOCKET_ASSIGN(const std::uint64_t rows, count_rows(execution, scan));
    answer.count += rows;
    return {};
  }));
  state_->counters.rows_matched += answer.count;
  answer.gaps = execution.gaps();
  return answer;
}

Result<FacetsAnswer> Searcher::facets(const Query& query, const std::vector<Field>& fields,
                                      std::uint32_t top, FacetScope scope) {
  if (scope == FacetScope::query) {
    Execution execution(*state_, query);
    return take_facets(execution, fields, top);
  }
  return facets_under_others(*state_, query, fields, top);
}

Result<HistogramAnswer> Searcher::histogram(const Query& query, BucketWidth width,
                                            const TimeZone& zone, std::optional<Field> by) {
  Execution execution(*state_, query);
  return take_histogram(execution, width, zone, by);
}

Result<Explanation> Searcher::explain(const Query& query) {
  return explain_query(*state_, query);
}

Result<std::vector<Gap>> Searcher::for_each(const Query& query, Order order,
                                            const std::function<bool(const Event&)>& sink) {
  Execution execution(*state_, query);
  RowsInTurn in_turn(*state_, execution, order);
  Event event;
  const auto take = [&](const StoredView& view) {
    copy_event(view, event);
    return sink(event);
  };
  for (;;) {
    DOCKET_ASSIGN(const std::vector<FoundRow> rows, in_turn.next());
    if (rows.empty()) {
      return execution.gaps();
    }
    if (!read_events(execution, rows, state_->counters, take)) {
      DOCKET_TRY(execution.check_cancelled());
      return execution.gaps();
    }
  }
}

Result<std::vector<Gap>> Searcher::write_all(const Query& query, Order order, const Write& write,
                                             const TextSink& sink) {
  Execution execution(*state_, query);
  RowsInTurn in_turn(*state_, execution, order);
  EventWriting writing(write, sink, state_->workers);
  const auto written =
      writing.write(execution, [&in_turn] { return in_turn.next(); }, state_->counters);
  if (!written) {
    return fail(written.error());
  }
  if (!*written) {
    DOCKET_TRY(execution.check_cancelled());
  }
  return execution.gaps();
}

Result<Event> Searcher::event(std::string_view log, Seq seq) {
  const auto& logs = state_->snapshot.logs;
  const auto found = std::find_if(logs.begin(), logs.end(),
                                  [&](const LogSnapshot& snapshot) { return snapshot.log == log; });
  const std::string name = std::string(log) + ":" + std::to_string(seq.value);
  if (found == logs.end()) {
    return fail(ErrorCode::not_found, name + ": there is no such log");
  }
  for (const Gap& gap : found->gaps) {
    if (gap.first_seq <= seq && seq <= gap.last_seq) {
      return fail(ErrorCode::corrupt, name + ": it cannot be read: " + gap.reason);
    }
  }
  for (const std::shared_ptr<const SegmentReader>& segment : found->segments) {
    const SegmentInfo& info = segment->info();
    if (seq < info.first_seq || seq > info.last_seq || info.rows == 0) {
      continue;
    }
    const auto opened = segment->blocks();
    if (!opened) {
      state_->counters.files_gone += opened.error().code == ErrorCode::not_found ? 1 : 0;
      return fail(opened.error());
    }
    const std::span<const BlockInfo> blocks = *opened;
    const auto block = std::find_if(blocks.begin(), blocks.end(), [&](const BlockInfo& b) {
      return b.first_seq <= seq && seq < b.first_seq + b.rows;
    });
    if (block == blocks.end()) {
      break;
    }
    EventReader reader(*segment);
    Event event;
    DOCKET_TRY(
        reader.read(block->first_row + static_cast<std::uint32_t>(seq - block->first_seq), event));
    ++state_->counters.events_decoded;
    return event;
  }
  return fail(ErrorCode::not_found, name + ": there is no such event, or it has been retired");
}

bool Searcher::open_files(const Query& query) const {
  for (const LogSnapshot& log : state_->snapshot.logs) {
    for (const std::shared_ptr<const SegmentReader>& segment : log.segments) {
      const SegmentInfo& info = segment->info();
      if (info.ts_max < query.since || info.ts_min >= query.until) {
        continue;
      }
      const auto opened = segment->blocks();
      if (!opened && opened.error().code == ErrorCode::not_found) {
        return false;
      }
    }
  }
  return true;
}

const ExecutionCounters& Searcher::counters() const {
  return state_->counters;
}

const StoreSnapshot& Searcher::snapshot() const {
  return state_->snapshot;
}

}  // namespace docket::query
