// What the rows of a segment are indexed by. The values of a dimension are numbered as in the
// segment's own dictionaries; those of `changed`, which has none, as in the index's list.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace docket::index {

// The numbers are the format; never reuse one.
enum class Dimension : std::uint8_t {
  verb = 0,     // ids of DictionaryField::verb
  outcome = 1,  // 0 success, 1 failure, 2 denied
  kind = 2,     // ids of DictionaryField::kind: the actor's
  actor = 3,    // ids of the actor table
  type = 4,     // ids of DictionaryField::type: the target's and every related one's
  target = 5,   // ids of the target table: the target and every related one
  ip = 6,
  session = 7,
  request = 8,
  reason = 9,
  node = 10,
  changed = 11,  // 0 none, then the names of changed fields in the index's own list, from 1 on
};
inline constexpr std::size_t dimension_count = 12;
inline constexpr std::array<Dimension, dimension_count> all_dimensions = {
    Dimension::verb,    Dimension::outcome, Dimension::kind, Dimension::actor,
    Dimension::type,    Dimension::target,  Dimension::ip,   Dimension::session,
    Dimension::request, Dimension::reason,  Dimension::node, Dimension::changed};

[[nodiscard]] constexpr std::string_view dimension_name(Dimension dimension) {
  constexpr std::array<std::string_view, dimension_count> names = {
      "verb", "outcome", "actor.kind", "actor",  "target.type", "target",
      "ip",   "session", "request",    "reason", "node",        "changed"};
  return names[static_cast<std::size_t>(dimension)];
}

}  // namespace docket::index
