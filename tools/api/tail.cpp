#include "tools/api/tail.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/timestamp.hpp"

namespace docket::api {

namespace {

constexpr std::uint64_t step_max = 65'536;
constexpr std::size_t poll_bytes_max = std::size_t{1} << 20;

std::size_t size_of(const Event& event) {
  std::size_t bytes = sizeof(Event) + event.payload.size() + event.actor.name.size();
  for (const Target& target : event.related) {
    bytes += sizeof(Target) + target.id.size() + target.name.size();
  }
  return bytes;
}

}  // namespace

Result<Tail> Tail::open(const Service& service, const Parameters& parameters,
                        std::string_view position, const Scope& scope) {
  DOCKET_TRY(parameters.expect_only({"q", "tz", "n", "after"}));
  DOCKET_ASSIGN(const auto newest, parameters.number("n", 0, tail_newest_max));
  DOCKET_ASSIGN(Question question, Service::question(parameters, now_ns(), scope));
  Tail tail(service, std::move(question));
  tail.newest_ = static_cast<std::uint32_t>(newest.value_or(tail_newest_default));
  const std::string_view after = position.empty() ? parameters.value("after") : position;
  if (!after.empty()) {
    const std::string_view name = position.empty() ? "after" : "Last-Event-ID";
    auto seen = parse_position(after);
    if (!seen) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("{}: must be LOG:SEQ, or several with commas between", name));
    }
    DOCKET_ASSIGN(const StoreSnapshot all, service.store().snapshot());
    Position reached;
    for (const LogSnapshot& log : all.logs) {
      reached[log.log] = log.last_seq.value;
    }
    // What is not asked for is stepped over, and not spoken of.
    std::erase_if(*seen, [&](const auto& log) { return !tail.question_.covers(log.first); });
    DOCKET_TRY(check_reached(*seen, reached, name));
    tail.seen_ = std::move(*seen);
    tail.started_ = true;
  } else if (parameters.find("after")) {
    return fail(ErrorCode::invalid_argument, "after: is empty");
  }
  return tail;
}

Result<bool> Tail::newest(const std::atomic<bool>* cancel, const Sink& sink, const GapSink& gap) {
  DOCKET_ASSIGN(query::Searcher searcher, service_->searcher(question_, cancel));
  query::Page page;
  if (newest_ > 0) {
    query::PageRequest request;
    request.limit = newest_;
    DOCKET_ASSIGN(page, searcher.search(question_.query, request));
  }
  for (const LogSnapshot& log : searcher.snapshot().logs) {
    seen_[log.log] = log.last_seq.value;
  }
  started_ = true;
  std::ranges::for_each(page.gaps, gap);
  std::for_each(page.events.rbegin(), page.events.rend(), sink);
  return false;
}

Result<bool> Tail::poll(const std::atomic<bool>* cancel, const Sink& sink, const GapSink& gap) {
  if (!started_) {
    return newest(cancel, sink, gap);
  }
  DOCKET_ASSIGN(const StoreSnapshot all, service_->store().snapshot());
  for (;;) {
    // Only the segments with something new are looked at, and only `step_` rows of each log.
    bool more = false;
    StoreSnapshot fresh;
    query::Expression any;
    any.kind = query::Expression::Kind::disjunction;
    Position reached;
    for (const LogSnapshot& log : all.logs) {
      if (!question_.covers(log.log)) {
        continue;
      }
      const auto found = seen_.find(log.log);
      std::uint64_t seen = found == seen_.end() ? 0 : found->second;
      if (!log.segments.empty()) {
        // What was retired meanwhile is stepped over at once.
        seen = std::max(seen, log.segments.front()->info().first_seq.value - 1);
      }
      if (log.last_seq.value <= seen) {
        continue;
      }
      const std::uint64_t last = std::min(log.last_seq.value, seen + step_);
      more = more || last < log.last_seq.value;
      reached[log.log] = last;
      any.children.push_back(between(log.log, seen + 1, last));
      LogSnapshot& part = fresh.logs.emplace_back();
      part.log = log.log;
      part.last_seq = log.last_seq;
      std::ranges::copy_if(log.gaps, std::back_inserter(part.gaps), [&](const Gap& known) {
        return known.last_seq.value > seen && known.first_seq.value <= last;
      });
      for (const auto& segment : log.segments) {
        if (segment->info().last_seq.value > seen && segment->info().first_seq.value <= last) {
          part.segments.push_back(segment);
        }
      }
    }
    if (reached.empty()) {
      return false;
    }
    query::Expression where;
    where.kind = query::Expression::Kind::conjunction;
    where.children = {question_.query.where,
                      std::make_shared<const query::Expression>(std::move(any))};
    query::Query query = question_.query;
    query.where = std::make_shared<const query::Expression>(std::move(where));

    std::vector<Event> events;
    std::size_t bytes = 0;
    query::Searcher searcher(std::move(fresh), service_->catalog(), cancel);
    DOCKET_ASSIGN(const std::vector<Gap> gaps,
                  searcher.for_each(query, query::Order::oldest_first, [&](const Event& event) {
                    bytes += size_of(event);
                    events.push_back(event);
                    return bytes < poll_bytes_max || step_ == 1;
                  }));
    if (bytes >= poll_bytes_max && step_ > 1) {
      // Events come in order of time, not of seq: a part of them could not be told by a position.
      step_ = std::max<std::uint64_t>(1, step_ / 4);
      continue;
    }
    step_ = std::min(step_ * 2, step_max);
    for (const auto& [log, last] : reached) {
      seen_[log] = last;
    }
    std::ranges::for_each(gaps, gap);
    std::ranges::for_each(events, sink);
    return more;
  }
}

std::string Tail::position() const {
  if (started_ && seen_.empty()) {
    return "activity:0";  // no log has anything so far; the empty text would be no position
  }
  return to_string(seen_);
}

}  // namespace docket::api
