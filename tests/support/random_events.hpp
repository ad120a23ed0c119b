// Varied valid events from a seed, for comparing the real answers with those of a simple oracle.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "engine/event.hpp"

namespace docket::testing {

struct RandomEventsOptions {
  Nanos start = 1'777'593'600'000'000'000;  // 2026-05-01T00:00:00Z
  Nanos step_max = 20LL * 1'000'000'000;    // times rise by 0 to this much from event to event
  Nanos stray_max = 60LL * 86'400 * 1'000'000'000;  // one time in fifty lies so far back at most
};

// The same seed and options make the same events on every machine. Not thread-safe.
//
// The pools are small, so that filters hit and values meet:
//   - 20 actors, some of whom share an id or a name across kinds; names and roles change over time;
//   - EDIT and UPDATE among the verbs; ids that are prefixes of one another, and none at all;
//   - 0 to 5 related targets, now and then the target itself among them;
//   - names that need care in every rendering: quotes, commas, line breaks, formulas, bidi marks;
//   - payloads with diffs of both forms, with arbitrary objects, and none;
//   - times that mostly rise, some equal, some a little and some far out of order;
//   - one event in a hundred at the limits of lengths and numbers.
// Every event keeps check_event()'s rules for a time of receipt at or after its own. `log`, `seq`,
// `received` and `node` are not set.
class RandomEvents {
 public:
  explicit RandomEvents(std::uint64_t seed, const RandomEventsOptions& options = {});

  [[nodiscard]] Event next();
  [[nodiscard]] std::vector<Event> take(std::size_t count);

 private:
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  [[nodiscard]] bool once_in(std::uint64_t n) { return below(n) == 0; }
  template <typename Pool>
  [[nodiscard]] const auto& one_of(const Pool& pool) {
    return pool[below(std::size(pool))];
  }
  [[nodiscard]] Nanos time();
  [[nodiscard]] Actor actor();
  [[nodiscard]] Target target();
  [[nodiscard]] std::vector<Target> related(const Target& target);
  [[nodiscard]] std::optional<IpAddress> address();
  [[nodiscard]] std::string value();  // a JSON value
  [[nodiscard]] std::string payload();
  void stretch(Event& event);

  std::mt19937_64 random_;
  RandomEventsOptions options_;
  Nanos now_;
  std::vector<Actor> actors_;
};

}  // namespace docket::testing
