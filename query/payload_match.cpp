#include "query/payload_match.hpp"

#include <algorithm>

#include "engine/assert.hpp"
#include "index/escaped_strings.hpp"
#include "query/case_fold.hpp"
#include "query/needle_automaton.hpp"

namespace docket::query {
namespace {

// Looking for a text in all of a run at once takes about as long as in so many payloads one by one.
constexpr std::size_t all_at_once_from = 8;  // a part of the run's payloads

// The payloads of a run that are still asked about. Places in its text are looked at in ascending
// order, and whose they are is told.
class OpenPayloads {
 public:
  OpenPayloads(const PayloadRun& run, const std::vector<std::uint32_t>& wanted)
      : run_(run), matched_(wanted.size(), false), wanted_(wanted) {}

  // Calls decide(payload, place) for places that `next(from)` finds, one in each wanted payload
  // that has not matched yet. Its answer says whether the payload matches.
  template <typename Next, typename Decide>
  void pass(const Next& next, const Decide& decide) {
    std::size_t i = 0;
    std::size_t payload = 0;
    const std::size_t end = run_.begin(wanted_.back() + 1);
    std::size_t at = run_.begin(wanted_.front());
    while (at < end) {
      at = next(at);
      if (at >= end) {
        return;
      }
      while (run_.begin(payload + 1) <= at) {
        ++payload;
      }
      while (wanted_[i] < payload) {
        ++i;
      }
      if (wanted_[i] == payload && !matched_[i]) {
        const std::string_view text = run_.payload(payload);
        matched_[i] = decide(text, at - run_.begin(payload));
      }
      at = run_.begin(payload + 1);
    }
  }
  [[nodiscard]] const std::vector<bool>& matched() const { return matched_; }

 private:
  const PayloadRun& run_;
  std::vector<bool> matched_;
  const std::vector<std::uint32_t>& wanted_;
};

}  // namespace

std::optional<std::uint32_t> PayloadPlaces::of(const FoundText& found) {
  const std::uint32_t begin = starts_.front() + found.begin;
  const std::uint32_t end = starts_.front() + found.end;
  while (starts_[payload_ + 1] < end) {
    ++payload_;
  }
  return starts_[payload_] <= begin ? std::optional(payload_) : std::nullopt;
}

bool PayloadMatcher::reads(Field field) {
  return field == Field::payload || field == Field::text || field == Field::changed ||
         field == Field::old_value || field == Field::new_value;
}

PayloadMatcher::PayloadMatcher(Field field, const std::vector<Match>& matches)
    : field_(field), matches_(matches) {
  DOCKET_ASSERT(reads(field));
  for (const Match& match : matches) {
    // A diff that is matched by name or value need not hold it as these bytes: JSON has escapes.
    if (field == Field::payload || field == Field::text) {
      needles_.emplace_back(match.text);
    }
    // No letter beyond ASCII folds into one of ASCII: what a folded needle has of ASCII stands in
    // every text that it is found in. Values of a diff are strings, or the JSON text of others; the
    // names that `changed:` finds may be put together from parts.
    trigrams_.push_back(field == Field::changed ? std::vector<index::Trigram>()
                                                : index::trigrams_of(folded(match.text)));
  }
  automaton_ = needle_automaton(needles_);
}

bool PayloadMatcher::any_needle_in(std::string_view text) const {
  return std::any_of(needles_.begin(), needles_.end(),
                     [text](const Needle& needle) { return needle.in(text); });
}

bool PayloadMatcher::matches(std::string_view payload, DiffReader& diffs) const {
  if (!needles_.empty()) {
    const auto is_in = [this](std::string_view text) { return any_needle_in(text); };
    return is_in(payload) || index::any_escaped_string(payload, is_in);
  }
  const std::vector<DiffEntry>& diff = diffs.read(payload);
  return !diff.empty() && std::any_of(matches_.begin(), matches_.end(), [&](const Match& match) {
    return diff_matches(field_, match, diff);
  });
}

void PayloadMatcher::keep_matches(const PayloadRun& run, DiffReader& diffs,
                                  std::vector<std::uint32_t>& wanted) const {
  if (needles_.empty() || wanted.size() < run.payloads() / all_at_once_from || wanted.empty()) {
    std::erase_if(wanted, [&](std::uint32_t payload) {
      const std::string_view text = run.payload(payload);
      return text.empty() || !matches(text, diffs);
    });
    return;
  }
  OpenPayloads open(run, wanted);
  for (const Needle& needle : needles_) {
    if (needle.is_ascii()) {
      // What is found across the end of a payload is in none, and nothing else in that one is left.
      open.pass([&](std::size_t from) { return needle.find(run.text, from); },
                [&](std::string_view payload, std::size_t at) {
                  return payload.size() - at >= needle.size();
                });
    } else {
      open.pass([&](std::size_t from) { return from + ascii_run(run.text.substr(from)); },
                [&](std::string_view payload, std::size_t) { return needle.in(payload); });
    }
  }
  open.pass([&](std::size_t from) { return run.text.find('\\', from); },
            [&](std::string_view payload, std::size_t) {
              return index::any_escaped_string(
                  payload, [this](std::string_view text) { return any_needle_in(text); });
            });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (open.matched()[i]) {
      wanted[kept++] = wanted[i];
    }
  }
  wanted.resize(kept);
}

}  // namespace docket::query
