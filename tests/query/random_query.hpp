// Random queries over the values that events have, so that most find something.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "engine/event.hpp"
#include "query/expression.hpp"

namespace docket::query::testing {

// Not thread-safe. `events` must outlive it and not be empty.
class RandomQueries {
 public:
  RandomQueries(std::uint64_t seed, const std::vector<Event>& events)
      : random_(seed), events_(events) {}

  // One to four conditions joined by AND, now and then by OR or negated. `text` is what the
  // language prints it as.
  [[nodiscard]] Query next();

 private:
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  [[nodiscard]] bool once_in(std::uint64_t n) { return below(n) == 0; }
  [[nodiscard]] const Event& event() { return events_[below(events_.size())]; }
  [[nodiscard]] ExpressionPtr term(int depth);
  [[nodiscard]] ExpressionPtr junction(int depth);
  [[nodiscard]] ExpressionPtr condition();
  [[nodiscard]] Match match(Field field);
  // Some of a text's characters, as a word to look for.
  [[nodiscard]] std::string part_of(const std::string& text);
  [[nodiscard]] std::string part_of_payload(const Event& from);
  [[nodiscard]] std::string text_of(Field field, const Event& from);

  std::mt19937_64 random_;
  const std::vector<Event>& events_;
};

}  // namespace docket::query::testing
