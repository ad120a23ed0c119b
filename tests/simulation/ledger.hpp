// What everybody was told, on one side, and what the store holds and answers, on the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/log.hpp"
#include "engine/snapshot.hpp"
#include "index/catalog.hpp"
#include "tests/query/random_query.hpp"

namespace docket::simulation {

// Every broken promise is given to `on_broken`, which need not return. Not thread-safe, as the
// machine runs one thread at a time.
//
// P1  An acknowledged event is there, once, unchanged, at its seq; or it is retired, as a plan
//     said; or, on a disk that was damaged, a gap names it.
// P2  What was refused for ever, or never sent, is not there.
// P3  Seqs are dense from the first that is not retired. What a reader has once seen is there
//     again after any crash, at the same seq.
// P4  Answers of the index and the executor are those of a plain look at every event.
class Ledger {
 public:
  explicit Ledger(std::function<void(const std::string&)> on_broken)
      : on_broken_(std::move(on_broken)) {}

  // An event that `node` is about to send; returns its number, and marks the event with it.
  std::size_t add(std::string_view log, std::string_view node, Event& event);
  // It was acknowledged. Seq 0: under which seq is not told.
  void stored(std::size_t number, std::uint64_t seq);
  void refused(std::size_t number, const std::string& why);
  // A plan of the store, about to be carried out.
  void may_retire(const RetirementPlan& plan);
  // Some byte of the disk was changed behind the store's back.
  void damage() { damaged_ = true; }
  [[nodiscard]] bool is_damaged() const { return damaged_; }
  // Calls to the disk fail just now: what is asked meanwhile may be answered with gaps.
  void allow_gaps(bool allow) { gaps_allowed_ = allow; }

  // What has been acknowledged until now: by log, how much.
  using Mark = std::map<std::string, std::size_t>;
  [[nodiscard]] Mark mark() const;
  // What a snapshot holds. Of events that cannot be read just now, but could be before, the time of
  // receipt is 0.
  struct Contents {
    std::vector<Event> events;
    bool is_complete = true;  // nothing but these is there
  };
  // Looks at every event of a snapshot; `mark` is of the moment before it was taken. One at a time.
  Contents check(const StoreSnapshot& snapshot, const Mark& mark);
  // Asks the store `queries` random questions about the same snapshot.
  void check_answers(const StoreSnapshot& snapshot, index::Catalog& catalog,
                     const Contents& contents, std::uint64_t seed, std::uint32_t queries);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::uint64_t answers() const { return answers_; }

 private:
  struct Entry {
    std::string log;
    std::string node;
    Event event;
    bool is_stored = false;
    bool is_refused = false;
    std::uint64_t seq = 0;
    std::uint64_t stamp = 0;  // of the check that has met it last
  };
  struct LogState {
    std::uint64_t retirable = 0;                // up to here
    std::map<std::uint64_t, std::size_t> seen;  // seq -> entry
    std::uint64_t last_seq = 0;                 // the highest that a reader saw
    std::vector<std::size_t> acknowledged;      // entries
  };

  void broken(const std::string& what) const { on_broken_(what); }
  void check_log(const LogSnapshot& log, std::size_t acknowledged, Contents& contents);
  void check_event(const Event& event, LogState& state);
  void add_unreadable(const LogState& state, Seq first, Seq last, Contents& contents) const;
  [[nodiscard]] std::string name(const Entry& entry) const;

  std::function<void(const std::string&)> on_broken_;
  std::vector<Entry> entries_;
  std::map<std::string, LogState> logs_;
  std::size_t acknowledged_ = 0;
  std::uint64_t answers_ = 0;
  std::uint64_t stamp_ = 0;
  bool damaged_ = false;
  bool gaps_allowed_ = false;
};

}  // namespace docket::simulation
