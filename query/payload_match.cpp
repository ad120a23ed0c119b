#include "query/payload_match.hpp"

#include <algorithm>

#include "engine/assert.hpp"
#include "query/escaped_strings.hpp"

namespace docket::query {

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
  }
}

bool PayloadMatcher::matches(std::string_view payload, DiffReader& diffs) const {
  if (!needles_.empty()) {
    const auto is_in = [this](std::string_view text) {
      return std::any_of(needles_.begin(), needles_.end(),
                         [text](const Needle& needle) { return needle.in(text); });
    };
    return is_in(payload) || any_escaped_string(payload, is_in);
  }
  const std::vector<DiffEntry>& diff = diffs.read(payload);
  return !diff.empty() && std::any_of(matches_.begin(), matches_.end(), [&](const Match& match) {
    return diff_matches(field_, match, diff);
  });
}

}  // namespace docket::query
