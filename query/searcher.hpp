// Asking: pages, exact counts, facets, histograms, exports over one snapshot of the store.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/result.hpp"
#include "engine/snapshot.hpp"
#include "index/catalog.hpp"
#include "query/expression.hpp"
#include "query/stored_view.hpp"
#include "query/time_zone.hpp"

namespace docket::query {

class WorkerPool;

enum class Order : std::uint8_t { newest_first, oldest_first };  // by (ts, seq, log)

struct PageRequest {
  std::uint32_t limit = 50;  // 1..page_limit_max
  Order order = Order::newest_first;
  std::string cursor;  // empty: the first page
};
inline constexpr std::uint32_t page_limit_max = 10'000;

struct Page {
  std::vector<Event> events;
  std::string next;  // the cursor of the next page; empty: this was the last
  std::vector<Gap> gaps;
};

struct CountAnswer {
  std::uint64_t count = 0;
  std::vector<Gap> gaps;
};

// The fields that facets and histograms can be taken by.
//   verb, actor (kind:id), actor.kind, target (Type:id or Type), target.type, ip, outcome, log,
//   reason, session, request, node
// A value's count is the number of events that have exactly that value, as it was sent; an event
// with related targets counts once for each distinct target (or type) it has. A condition may find
// more: verb:EDIT finds UPDATE as well, and kinds and types in any case.
[[nodiscard]] Result<Field> parse_facet_field(std::string_view name);

// What the values of a field are counted among.
enum class FacetScope : std::uint8_t {
  query,          // the events that match the query
  other_filters,  // those that match it without its own conditions on that field: other_filters.hpp
};

struct FacetValue {
  std::string value;
  std::uint64_t count = 0;
};

struct Facet {
  Field field = Field::verb;
  std::vector<FacetValue> values;  // by count, most first, then by value
  std::uint64_t distinct = 0;      // values in all, exact
  std::uint64_t other = 0;         // sum of the counts of the values not listed
};

struct FacetsAnswer {
  std::vector<Facet> facets;
  std::uint64_t count = 0;  // events that match the query
  std::vector<Gap> gaps;
};

struct HistogramBucket {
  Nanos start = 0;
  std::uint64_t count = 0;
  std::vector<FacetValue> by;  // where asked for: counts per value, by value
};

struct HistogramAnswer {
  std::vector<HistogramBucket> buckets;  // ascending, without a hole from the first to the last
  std::vector<Gap> gaps;
};

// Width of histogram buckets: a number and a unit, `15s` `5m` `1h` `1d` `1w`. Days and weeks
// (from Monday) are those of the time zone.
struct BucketWidth {
  std::uint32_t count = 1;
  char unit = 'h';
};
[[nodiscard]] Result<BucketWidth> parse_bucket_width(std::string_view text);
inline constexpr std::size_t histogram_buckets_max = 100'000;  // more is an error that says so

// What a query did; for explain and for tests.
struct ExecutionCounters {
  std::uint64_t segments = 0, segments_pruned = 0;  // pruned: by time, seq or dictionary
  std::uint64_t segments_outside = 0;               // of the pruned ones: unopened, by their time
  std::uint64_t blocks = 0, blocks_pruned = 0;      // blocks of the segments not pruned
  std::uint64_t postings_read = 0;                  // bitmaps and block lists
  std::uint64_t columns_scanned = 0;                // packed columns looked at row by row
  std::uint64_t payload_rows_scanned = 0;
  std::uint64_t rows_matched = 0;
  std::uint64_t events_decoded = 0;
  // Of segments whose file was not there any more: another process has retired them since the
  // snapshot was taken. Their events are gaps of this answer; a later snapshot knows better.
  std::uint64_t files_gone = 0;
};

// What one condition of a query comes to by itself, in all segments that the query's time leaves.
struct ConditionPlan {
  std::string condition;  // as print() writes it
  std::uint64_t segments = 0;
  std::uint64_t without = 0;    // of these: no row can match, by dictionary, time or seq
  std::uint64_t every_row = 0;  // of these: all rows match
  std::uint64_t scanned = 0;  // of these: without postings, so rows are looked at; active ones too
  // Values with a bitmap of their rows, and how many rows these have.
  std::uint64_t bitmaps = 0, bitmap_rows = 0;
  // Values with a list of the places where to look for them, and their rows.
  std::uint64_t rare_values = 0, rare_rows = 0;
};

struct Explanation {
  std::string query;                      // as print() writes it: times are absolute
  std::vector<std::string> logs;          // that were asked
  std::uint64_t count = 0;                // events that match, exact
  ExecutionCounters counters;             // of counting them
  std::uint64_t bytes_read = 0;           // from segment and index files for it, caches left out
  std::vector<ConditionPlan> conditions;  // in the query's order, each once
  std::uint64_t conditions_left_out = 0;  // behind the first explained_conditions_max
  std::vector<Gap> gaps;
};
inline constexpr std::size_t explained_conditions_max = 64;

// One query's view of the store. Not thread-safe; make one per request. A segment or block that
// cannot be read becomes a Gap of the answer (once each, ascending) and the rest is answered.
// Errors are reserved for bad requests and cancellation.
class Searcher {
 public:
  // `catalog` must outlive it. `cancel`, where given, is looked at between chunks of 65,536 rows.
  // `workers`, where given, help where payloads are searched and events written, and must outlive
  // it: answers are the same.
  Searcher(StoreSnapshot snapshot, index::Catalog& catalog,
           const std::atomic<bool>* cancel = nullptr, WorkerPool* workers = nullptr);
  ~Searcher();
  Searcher(Searcher&&) noexcept;

  // A full walk by cursors yields every event of the first page's snapshot once and none twice,
  // also while events arrive. Errors: invalid_argument for a cursor that is damaged, or belongs to
  // another query text or order.
  [[nodiscard]] Result<Page> search(const Query& query, const PageRequest& request);
  // The same without copies: the page has no events, each is given to `sink` in its turn instead,
  // and its strings hold until that returns.
  [[nodiscard]] Result<Page> search(const Query& query, const PageRequest& request,
                                    const std::function<void(const StoredView& event)>& sink);
  [[nodiscard]] Result<CountAnswer> count(const Query& query);
  [[nodiscard]] Result<FacetsAnswer> facets(const Query& query, const std::vector<Field>& fields,
                                            std::uint32_t top,
                                            FacetScope scope = FacetScope::query);
  [[nodiscard]] Result<HistogramAnswer> histogram(const Query& query, BucketWidth width,
                                                  const TimeZone& zone, std::optional<Field> by);
  // Counts, and tells how: see explain.hpp.
  [[nodiscard]] Result<Explanation> explain(const Query& query);
  // Calls `sink` for every matching event in `order`; memory does not grow with the number of
  // events. Stops when it returns false. The event is reused between calls. Returns the gaps.
  [[nodiscard]] Result<std::vector<Gap>> for_each(const Query& query, Order order,
                                                  const std::function<bool(const Event&)>& sink);
  // Writes every matching event in `order`: `write` appends an event to a text, `sink` is given the
  // text in turn, in pieces of whole events and about 128 KiB, and how many they are. Stops when it
  // returns false. `write` is called by several threads at a time where there are workers; what it
  // throws is thrown here. Memory as for_each(), and a text for each worker. Returns the gaps.
  using Write = std::function<void(std::string& text, const StoredView& event)>;
  using TextSink = std::function<bool(std::string_view text, std::uint64_t events)>;
  [[nodiscard]] Result<std::vector<Gap>> write_all(const Query& query, Order order,
                                                   const Write& write, const TextSink& sink);
  // not_found when it was never stored or is retired; corrupt when it stands in a gap.
  [[nodiscard]] Result<Event> event(std::string_view log, Seq seq);

  // Opens the files of all segments that the query's time bounds leave, so that they stay readable
  // whatever is retired meanwhile. False: one of them is gone already.
  [[nodiscard]] bool open_files(const Query& query) const;

  [[nodiscard]] const ExecutionCounters& counters() const;
  [[nodiscard]] const StoreSnapshot& snapshot() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace docket::query
