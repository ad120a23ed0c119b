// A parsed query: a tree of conditions over events. Immutable once parsed; shared freely.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/counts.hpp"
#include "engine/event.hpp"

namespace docket::query {

// What a condition looks at. `text` is a bare word or phrase; `time` is since/until/on.
enum class Field : std::uint8_t {
  log,
  actor,  // `kind:id`, an id, or a whole name
  actor_kind,
  actor_id,
  actor_name,
  actor_role,
  verb,         // EDIT and UPDATE find each other
  target,       // `Type:id`, an id, or a whole name; of the target or any related one
  target_type,  // the target.* fields, too, look at the target and every related one
  target_id,
  target_name,
  ip,
  outcome,
  reason,
  session,
  request,
  node,
  seq,
  payload,  // substring of the payload's bytes, ignoring case
  changed,  // a field named in the payload's diff
  old_value,
  new_value,
  text,  // substring, ignoring case, of any name, id, reason or payload text
  time,
};

// One value of a condition. Which members count depends on the field.
struct Match {
  std::string text;     // what to compare with; verb upper-cased; payload and text as typed
  bool prefix = false;  // `text*`
  // ip: the first `ip_bits` bits of `ip` must be equal (128: one address; v4 /n is 96 + n).
  IpAddress ip;
  std::uint32_t ip_bits = 128;
  // seq and time: first <= value < last... see below.
  std::uint64_t seq_first = 0;  // inclusive
  std::uint64_t seq_last = 0;   // inclusive
  Nanos since = 0;              // inclusive
  Nanos until = 0;              // exclusive

  friend bool operator==(const Match&, const Match&) = default;
};

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

struct Expression {
  enum class Kind : std::uint8_t {
    all,        // every event
    condition,  // `field` matches any of `matches`
    conjunction,
    disjunction,
    negation,  // of children[0]
  };

  Kind kind = Kind::all;
  Field field = Field::text;   // condition only
  std::vector<Match> matches;  // condition only; not empty
  std::vector<ExpressionPtr> children;
};

// Bounds of a query, checked by the parser.
inline constexpr std::size_t query_bytes_max = std::size_t{64} << 10;
inline constexpr std::size_t query_depth_max = 64;
inline constexpr std::size_t query_matches_max = 4096;  // conditions' values in all

struct Query {
  std::string text;     // as asked; part of a cursor's identity
  ExpressionPtr where;  // never null
  // The conjunctive time bounds of the whole query, for pruning; `where` holds them as well.
  Nanos since = INT64_MIN;  // inclusive
  Nanos until = INT64_MAX;  // exclusive
  bool names_log = false;   // a log: condition stands somewhere; else log `docket` is left out
};

}  // namespace docket::query
