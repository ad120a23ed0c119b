// Conditions that have to look into payloads: payload, changed, old, new, and the payload part of
// text.
#pragma once

#include <string_view>
#include <vector>

#include "query/diff.hpp"
#include "query/expression.hpp"
#include "query/text_match.hpp"

namespace docket::query {

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

 private:
  Field field_;
  std::vector<Match> matches_;
  std::vector<Needle> needles_;  // payload and text
};

}  // namespace docket::query
