#include "query/execution.hpp"

#include <algorithm>

#include "query/binder.hpp"
#include "query/system_log.hpp"

namespace docket::query {
Execution::Execution(SearcherParts& parts, const Query& query,
                     const std::vector<Cursor::Watermark>* until)
    : parts_(parts) {
  context_.query = &query;
  context_.compiled = compile(query.names_log ? *with_system_log_named(query.where) : *query.where);
  context_.catalog = parts.catalog;
  context_.counters = &parts.counters;
  context_.cancel = parts.cancel;
  context_.payload_searchers.workers = parts.workers;
  for (std::uint32_t place = 0; place < parts.snapshot.logs.size(); ++place) {
    const LogSnapshot& log = parts.snapshot.logs[place];
    Seq watermark = log.last_seq;
    Unlisted rest;
    if (until != nullptr) {
      const auto known = std::find_if(until->begin(), until->end(),
                                      [&](const auto& entry) { return entry.log == log.log; });
      if (known == until->end()) {
        continue;
      }
      watermark = std::min(watermark, known->last_seq);
      rest = known->rest;
    }
    add_log(place, watermark, rest);
  }
}

bool Execution::asks_for(const std::string& log) const {
  return (context_.query->names_log || log != system_log) && log_may_match(context_.compiled, log);
}

void Execution::add_log(std::uint32_t place, Seq watermark, const Unlisted& rest) {
  const LogSnapshot& log = parts_.snapshot.logs[place];
  watermarks_.push_back(Cursor::Watermark{log.log, watermark, {}});
  if (!asks_for(log.log)) {
    return;
  }
  if (const auto retired = retired_of(log, rest)) {
    context_.gaps.add(*retired);
  }
  for (const Gap& gap : log.gaps) {
    if (gap.first_seq <= watermark) {
      context_.gaps.add(gap);
    }
  }
  for (const std::shared_ptr<const SegmentReader>& segment : log.segments) {
    scans_.push_back(std::make_unique<SegmentScan>(context_, segment, place, watermark));
  }
}

std::vector<Cursor::Watermark> Execution::watermarks(Order order, const Position& after) const {
  std::vector<Cursor::Watermark> marks = watermarks_;
  for (Cursor::Watermark& mark : marks) {
    if (asks_for(mark.log)) {
      const std::uint32_t place = log_place(mark.log);
      mark.rest = unlisted(parts_.snapshot.logs[place], place, mark.last_seq, *context_.query,
                           order, after);
    }
  }
  return marks;
}

const std::string& Execution::log_name(std::uint32_t log) const {
  return parts_.snapshot.logs[log].log;
}

std::uint32_t Execution::log_place(std::string_view name) const {
  const auto& logs = parts_.snapshot.logs;
  const auto found =
      std::lower_bound(logs.begin(), logs.end(), name,
                       [](const LogSnapshot& log, std::string_view n) { return log.log < n; });
  return static_cast<std::uint32_t>(found - logs.begin());
}

Result<void> Execution::check_cancelled() const {
  if (context_.cancelled()) {
    return fail(ErrorCode::cancelled, "the query was cancelled");
  }
  return {};
}

Result<void> Execution::for_each_scan(const std::function<Result<void>(SegmentScan& scan)>& visit) {
  for (const std::unique_ptr<SegmentScan>& scan : scans_) {
    DOCKET_TRY(check_cancelled());
    if (scan->outside()) {
      ++parts_.counters.segments;
      ++parts_.counters.segments_pruned;
      ++parts_.counters.segments_outside;
      continue;
    }
    scan->prepare();
    DOCKET_TRY(visit(*scan));
  }
  return {};
}

Result<void> Execution::for_each_unit(SegmentScan& scan,
                                      const std::function<void(const Unit& unit)>& visit) {
  for (const Unit& unit : scan.units()) {
    DOCKET_TRY(check_cancelled());
    visit(unit);
  }
  return {};
}

}  // namespace docket::query
