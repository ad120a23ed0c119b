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
//
// Case: verb, actor_kind, target_type and outcome ignore ASCII case, also as the part before the
// colon of actor and target; text and payload ignore case; everything else is compared as it is.
// A field that is absent matches no condition, not even the empty prefix (`reason:*` is "has a
// reason").
enum class Field : std::uint8_t {
  log,
  actor,  // `kind:id`, an id, or a whole name
  actor_kind,
  actor_id,
  actor_name,
  actor_role,
  verb,         // the parser has added UPDATE to EDIT and the reverse: compare as it stands
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
  changed,  // a field named in the payload's diff; see diff.hpp for these three
  old_value,
  new_value,
  text,  // substring, ignoring case, of any name, id, reason or payload text
  time,  // always one match, `since <= ts < until`
};

// One value of a condition. Which members count depends on the field; the others keep their
// defaults, `text` included for ip, seq and time.
struct Match {
  std::string text;     // what to compare with; verb and outcome in their stored case; payload and
                        // text as typed; never empty but for a prefix, old_value and new_value
  bool prefix = false;  // `text*`; payload and text are substrings anyway, so only `payload:*`
  // ip: the first `ip_bits` bits of `ip` must be equal (128: one address; v4 /n is 96 + n; 0: any
  // address). The bits behind are zero.
  IpAddress ip;
  std::uint32_t ip_bits = 128;
  // seq: first <= seq <= last.
  std::uint64_t seq_first = 0;
  std::uint64_t seq_last = 0;
  // time: since <= ts < until. INT64_MIN and INT64_MAX: no bound. since >= until: nothing matches.
  Nanos since = 0;
  Nanos until = 0;

  friend bool operator==(const Match&, const Match&) = default;
};

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

// What the parser makes has no conjunction directly in a conjunction, no disjunction directly in a
// disjunction, no group of one, no `all` in a conjunction, and at most one time condition among a
// conjunction's children.
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

  // The same tree, order included.
  friend bool operator==(const Expression& a, const Expression& b);
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
  // A log: condition stands somewhere, other than under a NOT; else log `docket` is left out. Of
  // that one, only what such a condition finds by name is part of the answer (system_log.hpp).
  bool names_log = false;
};

}  // namespace docket::query
