#include "tests/simulation/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "engine/segment_reader.hpp"
#include "query/searcher.hpp"
#include "tests/query/oracle.hpp"

namespace docket::simulation {

namespace {

bool covers(const std::vector<Gap>& gaps, std::string_view log, std::uint64_t seq) {
  return std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) {
    return gap.log == log && gap.first_seq.value <= seq && seq <= gap.last_seq.value;
  });
}

std::string describe(const std::vector<Gap>& gaps) {
  std::string text = gaps.empty() ? "" : ", and names";
  for (const Gap& gap : gaps) {
    text += fmt::format(" {}:{} to {} ({})", gap.log, gap.first_seq.value, gap.last_seq.value,
                        gap.reason);
  }
  return text;
}

// Of what could not be read, the time of receipt is not known.
bool is_same(const Event& expected, Event event) {
  if (expected.received == 0) {
    event.received = 0;
  }
  return expected == event;
}

constexpr std::string_view tag_start = "sim/";

}  // namespace

std::size_t Ledger::add(std::string_view log, std::string_view node, Event& event) {
  const std::size_t number = entries_.size();
  event.request = std::string(tag_start) + std::to_string(number);
  entries_.push_back({.log = std::string(log), .node = std::string(node), .event = event});
  return number;
}

std::string Ledger::name(const Entry& entry) const {
  return fmt::format("{} of {} to {}", entry.event.request, entry.node, entry.log);
}

void Ledger::stored(std::size_t number, std::uint64_t seq) {
  Entry& entry = entries_[number];
  if (entry.is_stored || entry.is_refused) {
    broken(name(entry) + " is answered twice");
  }
  entry.is_stored = true;
  entry.seq = seq;
  ++acknowledged_;
  logs_[entry.log].acknowledged.push_back(number);
}

void Ledger::refused(std::size_t number, const std::string& why) {
  Entry& entry = entries_[number];
  if (entry.is_stored || entry.is_refused) {
    broken(name(entry) + " is answered twice");
  }
  entry.is_refused = true;
  broken(name(entry) + " is refused for ever: " + why);
}

void Ledger::may_retire(const RetirementPlan& plan) {
  auto& retirable = logs_[plan.log].retirable;
  retirable = std::max(retirable, plan.last_seq.value);
}

// --- what is there -------------------------------------------------------------------------------

void Ledger::check_event(const Event& event, LogState& state) {
  std::size_t number = 0;
  const std::string& tag = event.request;
  const bool is_ours =
      tag.starts_with(tag_start) &&
      std::from_chars(tag.data() + tag_start.size(), tag.data() + tag.size(), number).ec ==
          std::errc() &&
      number < entries_.size();
  const std::string place = fmt::format("{}:{}", event.log, event.seq.value);
  if (!is_ours) {
    broken(place + " was never sent");
    return;
  }
  Entry& entry = entries_[number];
  if (std::exchange(entry.stamp, stamp_) == stamp_) {
    broken(place + " is there twice: " + name(entry));
  }
  Event expected = entry.event;
  expected.log = entry.log;
  expected.node = entry.node;
  expected.seq = event.seq;
  expected.received = event.received;
  if (!(event == expected)) {
    broken(place + " has changed: " + name(entry));
  }
  if (entry.is_refused) {
    broken(place + " was refused and is there: " + name(entry));
  }
  if (entry.is_stored && entry.seq != 0 && entry.seq != event.seq.value) {
    broken(fmt::format("{} was acknowledged as seq {}: {}", place, entry.seq, name(entry)));
  }
  const auto [seen, is_new] = state.seen.emplace(event.seq.value, number);
  if (!is_new && seen->second != number) {
    broken(place + " was another event before: " + name(entry));
  }
}

// What cannot be read is still known, where a reader has seen it before.
void Ledger::add_unreadable(const LogState& state, Seq first, Seq last, Contents& contents) const {
  for (Seq seq = first; seq <= last; seq += 1) {
    const auto seen = state.seen.find(seq.value);
    if (seen == state.seen.end()) {
      contents.is_complete = false;
      continue;
    }
    const Entry& entry = entries_[seen->second];
    Event& event = contents.events.emplace_back(entry.event);
    event.log = entry.log;
    event.node = entry.node;
    event.seq = seq;
    event.received = 0;
  }
}

void Ledger::check_log(const LogSnapshot& log, std::size_t acknowledged, Contents& contents) {
  LogState& state = logs_[log.log];
  std::vector<Gap> gaps = log.gaps;
  std::uint64_t next = 0;
  const auto go_on_at = [&](std::uint64_t seq) {
    for (; next != 0 && next < seq; ++next) {
      if (!covers(gaps, log.log, next)) {
        broken(fmt::format("{}:{} is missing", log.log, next));
      }
    }
    next = seq;
  };
  std::uint64_t first = log.last_seq.value + 1;
  for (const auto& segment : log.segments) {
    const SegmentInfo& info = segment->info();
    first = std::min(first, info.first_seq.value);
    go_on_at(info.first_seq.value);
    const auto blocks = segment->blocks();
    if (!blocks) {
      gaps.push_back({log.log, info.first_seq, info.last_seq, blocks.error().describe()});
      add_unreadable(state, info.first_seq, info.last_seq, contents);
      continue;
    }
    EventReader reader(*segment);
    Event event;
    for (const BlockInfo& block : *blocks) {
      go_on_at(block.first_seq.value);
      for (std::uint32_t row = 0; row < block.rows; ++row) {
        const auto read = reader.read(block.first_row + row, event);
        if (!read) {
          const Seq unread = block.first_seq + row;
          const Seq last = block.first_seq + (block.rows - 1);
          gaps.push_back({log.log, unread, last, read.error().describe()});
          add_unreadable(state, unread, last, contents);
          break;
        }
        if (event.seq.value != block.first_seq.value + row) {
          broken(fmt::format("{}:{} stands where {} should", log.log, event.seq.value,
                             block.first_seq.value + row));
        }
        check_event(event, state);
        contents.events.push_back(event);
        next = event.seq.value + 1;
      }
    }
  }
  go_on_at(log.last_seq.value + 1);
  if (!damaged_ && !gaps_allowed_ && !gaps.empty()) {
    broken(fmt::format("{}:{} to {} cannot be read: {}", log.log, gaps[0].first_seq.value,
                       gaps[0].last_seq.value, gaps[0].reason));
  }
  if (log.last_seq.value < state.last_seq) {
    broken(fmt::format("log {} ends at {}, a reader has seen {}", log.log, log.last_seq.value,
                       state.last_seq));
  }
  state.last_seq = log.last_seq.value;
  for (std::size_t i = 0; i < acknowledged; ++i) {
    const Entry& entry = entries_[state.acknowledged[i]];
    if (entry.stamp == stamp_ || covers(gaps, log.log, entry.seq)) {
      continue;
    }
    // Of an old duplicate we do not know the seq.
    const bool is_retired = entry.seq < first && entry.seq <= state.retirable;
    const bool is_vague = entry.seq == 0 && (damaged_ || state.retirable != 0);
    if (!is_retired && !is_vague) {
      broken(fmt::format("{} was acknowledged as seq {} and is lost", name(entry), entry.seq));
    }
  }
  if (first > 1 && first - 1 > state.retirable && !covers(gaps, log.log, first - 1)) {
    broken(fmt::format("log {} begins at {}, retired may be only {}", log.log, first,
                       state.retirable));
  }
}

Ledger::Mark Ledger::mark() const {
  Mark mark;
  for (const auto& [name, state] : logs_) {
    mark[name] = state.acknowledged.size();
  }
  return mark;
}

Ledger::Contents Ledger::check(const StoreSnapshot& snapshot, const Mark& mark) {
  ++stamp_;
  Contents contents;
  for (const auto& [name, acknowledged] : mark) {
    const bool is_there = std::any_of(snapshot.logs.begin(), snapshot.logs.end(),
                                      [&](const LogSnapshot& log) { return log.log == name; });
    if (!is_there && acknowledged != 0) {
      broken("log " + name + " is gone");
    }
  }
  for (const LogSnapshot& log : snapshot.logs) {
    const auto found = mark.find(log.log);
    check_log(log, found == mark.end() ? 0 : found->second, contents);
  }
  return contents;
}

// --- what is answered ----------------------------------------------------------------------------

void Ledger::check_answers(const StoreSnapshot& snapshot, index::Catalog& catalog,
                           const Contents& contents, std::uint64_t seed, std::uint32_t queries) {
  if (contents.events.empty() || !contents.is_complete) {
    return;
  }
  query::testing::RandomQueries random(seed, contents.events);
  std::mt19937_64 dice(seed);
  for (; queries != 0; --queries) {
    const query::Query asked = random.next();
    const auto order = dice() % 2 == 0 ? query::Order::newest_first : query::Order::oldest_first;
    const auto expected = query::testing::select(contents.events, asked, order);
    query::Searcher searcher(snapshot, catalog);
    const auto count = searcher.count(asked);
    if (!count) {
      broken(asked.text + ": " + count.error().describe());
      return;
    }
    if (count->gaps.empty() ? count->count != expected.size() : count->count > expected.size()) {
      broken(
          fmt::format("{} counts {}, a plain look {}", asked.text, count->count, expected.size()));
    }
    if (!count->gaps.empty() && !damaged_ && !gaps_allowed_) {
      broken(asked.text + ": answers with a gap: " + count->gaps[0].reason);
    }
    query::PageRequest request;
    request.order = order;
    request.limit = static_cast<std::uint32_t>(1 + dice() % 100);
    std::vector<Event> found;
    std::vector<Gap> gaps;
    do {
      auto page = searcher.search(asked, request);
      if (!page) {
        broken(asked.text + ": " + page.error().describe());
        return;
      }
      std::move(page->events.begin(), page->events.end(), std::back_inserter(found));
      gaps.insert(gaps.end(), page->gaps.begin(), page->gaps.end());
      request.cursor = page->next;
    } while (!request.cursor.empty());
    std::size_t next = 0;
    for (const Event* event : expected) {
      if (next < found.size() && is_same(*event, found[next])) {
        ++next;
      } else if (!covers(gaps, event->log, event->seq.value)) {
        broken(fmt::format("{} does not find {}:{}{}", asked.text, event->log, event->seq.value,
                           describe(gaps)));
      }
    }
    if (next != found.size()) {
      broken(fmt::format("{} finds {}:{}, a plain look does not{}", asked.text, found[next].log,
                         found[next].seq.value, describe(gaps)));
    }
    ++answers_;
  }
}

}  // namespace docket::simulation
