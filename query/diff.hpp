// Conditions on the diff in a payload: changed:, old: and new:. What a diff is, is
// index/payload_diff.hpp's to say.
#pragma once

#include <vector>

#include "index/payload_diff.hpp"
#include "query/expression.hpp"

namespace docket::query {

using index::changed_fields;
using index::DiffEntry;
using index::DiffReader;

// Whether one value of a `changed:`, `old:` or `new:` condition is met by some entry. Names and
// values are compared with their case, whole or by prefix. DOCKET_ASSERT: `field` is one of the
// three.
[[nodiscard]] bool diff_matches(Field field, const Match& match,
                                const std::vector<DiffEntry>& diff);

}  // namespace docket::query
