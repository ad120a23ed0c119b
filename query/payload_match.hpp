// Conditions that have to look into payloads: payload, changed, old, new, and the payload part of
// text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/token_scan.hpp"
#include "index/text_filter.hpp"
#include "query/diff.hpp"
#include "query/expression.hpp"
#include "query/text_match.hpp"

namespace docket::query {

// Payloads that stand one behind the other.
struct PayloadRun {
  // Payload i is text.substr(starts[i] - starts[0], starts[i + 1] - starts[i]); one entry more than
  // payloads. An empty one is absent.
  std::span<const std::uint32_t> starts;
  std::string_view text;

  [[nodiscard]] std::size_t payloads() const { return starts.size() - 1; }
  [[nodiscard]] std::size_t begin(std::size_t i) const { return starts[i] - starts[0]; }
  [[nodiscard]] std::string_view payload(std::size_t i) const {
    return text.substr(begin(i), starts[i + 1] - starts[i]);
  }
};

// Tells of places in the text of a run in which payload they are. Not thread-safe.
class PayloadPlaces {
 public:
  // As PayloadRun has them. They must outlive it.
  explicit PayloadPlaces(std::span<const std::uint32_t> starts) : starts_(starts) {}
  // The payload that holds all of what was found; none where it stands across the end of one.
  // Precondition: it ends before the run does, and not before what was asked about last.
  [[nodiscard]] std::optional<std::uint32_t> of(const FoundText& found);

 private:
  std::span<const std::uint32_t> starts_;
  std::uint32_t payload_ = 0;
};

// Immutable; thread-safe. The reader of diffs, which keeps buffers, is the caller's.
class PayloadMatcher {
 public:
  [[nodiscard]] static bool reads(Field field);

  // Precondition: reads(field).
  PayloadMatcher(Field field, const std::vector<Match>& matches);
  // Whether any of the condition's values matches: a substring of the payload as it was sent, or of
  // what one of its strings stands for where that has escapes. `payload` is not empty: an absent
  // payload matches nothing.
  [[nodiscard]] bool matches(std::string_view payload, DiffReader& diffs) const;

  // The same for many at once: leaves of `wanted`, ascending numbers of payloads of the run, those
  // that match.
  void keep_matches(const PayloadRun& run, DiffReader& diffs,
                    std::vector<std::uint32_t>& wanted) const;

  // What finds the condition's values as they were sent, and marks payloads that matches() has to
  // be asked about, as they have escapes. Null: it has to be asked about all.
  [[nodiscard]] const std::shared_ptr<const ByteAutomaton>& automaton() const { return automaton_; }

  // For each value of the condition the trigrams that a payload must have, itself or a string of
  // its without escapes, to match it; empty: there is no telling.
  [[nodiscard]] const std::vector<std::vector<index::Trigram>>& trigrams() const {
    return trigrams_;
  }

 private:
  [[nodiscard]] bool any_needle_in(std::string_view text) const;

  Field field_;
  std::vector<Match> matches_;
  std::vector<Needle> needles_;  // payload and text
  std::shared_ptr<const ByteAutomaton> automaton_;
  std::vector<std::vector<index::Trigram>> trigrams_;
};

}  // namespace docket::query
