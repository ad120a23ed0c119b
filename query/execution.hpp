// One question under way: the query compiled, the logs chosen, a scan for each of their segments.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "query/cursor.hpp"
#include "query/row_search.hpp"
#include "query/segment_scan.hpp"

namespace docket::query {

// What a Searcher holds.
struct SearcherParts {
  StoreSnapshot snapshot;
  index::Catalog* catalog = nullptr;
  const std::atomic<bool>* cancel = nullptr;
  WorkerPool* workers = nullptr;
  ExecutionCounters counters;
};

// Not thread-safe. `parts` and `query` must outlive it.
class Execution {
 public:
  // `until`, where given, holds the watermarks of an earlier page: later events, and logs that it
  // does not name, are left out, and what was to come and has been retired since is a gap.
  Execution(SearcherParts& parts, const Query& query,
            const std::vector<Cursor::Watermark>* until = nullptr);
  // Scans point at the context.
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  [[nodiscard]] QueryContext& context() { return context_; }
  [[nodiscard]] Scans& scans() { return scans_; }
  // How far each log goes, and what of those that are asked for comes behind `after`.
  [[nodiscard]] std::vector<Cursor::Watermark> watermarks(Order order, const Position& after) const;
  [[nodiscard]] std::vector<Gap> gaps() const { return context_.gaps.gaps(); }
  // The name of SegmentScan::log().
  [[nodiscard]] const std::string& log_name(std::uint32_t log) const;
  // A log's place among the sorted names; that of the next one when there is none of that name.
  [[nodiscard]] std::uint32_t log_place(std::string_view name) const;

  // Error: cancelled, once the asker went away.
  [[nodiscard]] Result<void> check_cancelled() const;
  // Prepares the segments that the query cannot leave out, one after the other, and calls `visit`
  // for each. Error: cancelled, or what `visit` returns.
  [[nodiscard]] Result<void> for_each_scan(
      const std::function<Result<void>(SegmentScan& scan)>& visit);
  // The same for a scan's units. `visit` is called between two looks at the cancel flag.
  [[nodiscard]] Result<void> for_each_unit(SegmentScan& scan,
                                           const std::function<void(const Unit& unit)>& visit);

 private:
  // Makes the scans of a log that the query asks for, up to `watermark`. `rest` was to come.
  void add_log(std::uint32_t place, Seq watermark, const Unlisted& rest);
  [[nodiscard]] bool asks_for(const std::string& log) const;

  SearcherParts& parts_;
  QueryContext context_;
  Scans scans_;
  std::vector<Cursor::Watermark> watermarks_;
};

}  // namespace docket::query
