#include "query/binder.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "engine/assert.hpp"
#include "query/string_search.hpp"
#include "query/text_match.hpp"
#include "query/tuple_table.hpp"

namespace docket::query {
namespace {

using Kind = BoundNode::Kind;

[[nodiscard]] BoundNode constant(bool holds) {
  BoundNode node;
  node.kind = holds ? Kind::all : Kind::none;
  return node;
}

[[nodiscard]] BoundNode ids_node(RowColumn column, index::Dimension dimension, IdSet ids) {
  if (ids.empty()) {
    return constant(false);
  }
  BoundNode node;
  node.kind = Kind::ids;
  node.column = column;
  node.dimension = dimension;
  node.related = column == RowColumn::target;
  node.ids = std::move(ids);
  return node;
}

[[nodiscard]] BoundNode payload_node(std::shared_ptr<const PayloadMatcher> payload) {
  BoundNode node;
  node.kind = Kind::payload;
  node.payload = std::move(payload);
  return node;
}

// --- conditions without a dictionary -------------------------------------------------------------

[[nodiscard]] bool log_matches(const CompiledNode& node, std::string_view log) {
  return any_match(node.matches, log);
}

[[nodiscard]] BoundNode bind_seq(const CompiledNode& node, const BindScope& scope) {
  BoundNode bound;
  bound.kind = Kind::seq;
  for (const Match& match : node.matches) {
    if (match.seq_first <= scope.first_seq && scope.last_seq <= match.seq_last) {
      return constant(true);
    }
    if (match.seq_first <= scope.last_seq && scope.first_seq <= match.seq_last) {
      bound.seqs.push_back(SeqRange{match.seq_first, match.seq_last});
    }
  }
  return bound.seqs.empty() ? constant(false) : bound;
}

[[nodiscard]] BoundNode bind_time(const CompiledNode& node, const BindScope& scope) {
  BoundNode bound;
  bound.kind = Kind::time;
  for (const Match& match : node.matches) {
    const TimeRange range{match.since, match.until};
    if (range.contains(scope.ts_min, scope.ts_max)) {
      return constant(true);
    }
    if (range.overlaps(scope.ts_min, scope.ts_max)) {
      bound.times.push_back(range);
    }
  }
  return bound.times.empty() ? constant(false) : bound;
}

[[nodiscard]] BoundNode bind_outcome(const CompiledNode& node) {
  IdSet ids;
  constexpr std::array<Outcome, 3> outcomes = {Outcome::success, Outcome::failure, Outcome::denied};
  for (const Outcome outcome : outcomes) {
    if (any_match_ignoring_case(node.matches, to_string(outcome))) {
      ids.add(static_cast<std::uint32_t>(outcome));
    }
  }
  ids.close(outcomes.size());
  return ids_node(RowColumn::outcome, index::Dimension::outcome, std::move(ids));
}

// --- conditions on plain dictionaries ------------------------------------------------------------

struct PlainField {
  DictionaryField dictionary;
  RowColumn column;
  index::Dimension dimension;
};

[[nodiscard]] std::optional<PlainField> plain_field(Field field) {
  switch (field) {
    case Field::reason:
      return PlainField{DictionaryField::reason, RowColumn::reason, index::Dimension::reason};
    case Field::session:
      return PlainField{DictionaryField::session, RowColumn::session, index::Dimension::session};
    case Field::request:
      return PlainField{DictionaryField::request, RowColumn::request, index::Dimension::request};
    case Field::node:
      return PlainField{DictionaryField::node, RowColumn::node, index::Dimension::node};
    default:
      return std::nullopt;
  }
}

[[nodiscard]] Result<BoundNode> bind_plain(const PlainField& field, const CompiledNode& node,
                                           const BindScope& scope) {
  DOCKET_ASSIGN(const Dictionaries* dictionaries, scope.dictionaries());
  DOCKET_ASSIGN(const StringTable* strings, dictionaries->strings(field.dictionary));
  DOCKET_ASSIGN(IdSet ids, matching_strings(*strings, dictionaries->sorted(), node.matches));
  return ids_node(field.column, field.dimension, std::move(ids));
}

[[nodiscard]] Result<BoundNode> bind_verb(const CompiledNode& node, const BindScope& scope) {
  // EDIT and UPDATE are kept as sent and find each other, whoever built the expression.
  std::vector<Match> matches = node.matches;
  for (const Match& match : node.matches) {
    if (!match.prefix &&
        (equal_ignoring_case(match.text, "EDIT") || equal_ignoring_case(match.text, "UPDATE"))) {
      Match other = match;
      other.text = equal_ignoring_case(match.text, "EDIT") ? "UPDATE" : "EDIT";
      matches.push_back(std::move(other));
    }
  }
  DOCKET_ASSIGN(const Dictionaries* dictionaries, scope.dictionaries());
  DOCKET_ASSIGN(const StringTable* strings, dictionaries->strings(DictionaryField::verb));
  DOCKET_ASSIGN(IdSet ids, select_strings(*strings, [&](std::string_view text) {
                  return any_match_ignoring_case(matches, text);
                }));
  return ids_node(RowColumn::verb, index::Dimension::verb, std::move(ids));
}

// The first and the last address that agree with `match` in its leading bits.
[[nodiscard]] std::pair<IpAddress, IpAddress> address_range(const Match& match) {
  IpAddress first = match.ip;
  IpAddress last = match.ip;
  for (std::uint32_t bit = match.ip_bits; bit < 128; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    first.bytes[bit / 8] = static_cast<std::uint8_t>(first.bytes[bit / 8] & ~mask);
    last.bytes[bit / 8] = static_cast<std::uint8_t>(last.bytes[bit / 8] | mask);
  }
  return {first, last};
}

[[nodiscard]] std::string_view as_text(const IpAddress& ip) {
  return {reinterpret_cast<const char*>(ip.bytes.data()), ip.bytes.size()};
}

[[nodiscard]] Result<BoundNode> bind_ip(const CompiledNode& node, const BindScope& scope) {
  DOCKET_ASSIGN(const Dictionaries* dictionaries, scope.dictionaries());
  DOCKET_ASSIGN(const StringTable* strings, dictionaries->strings(DictionaryField::ip));
  if (strings->size() <= 1) {
    return constant(false);
  }
  std::vector<std::pair<IpAddress, IpAddress>> ranges;
  for (const Match& match : node.matches) {
    ranges.push_back(address_range(match));
  }
  IdSet ids;
  if (dictionaries->sorted()) {
    const IdRange all{1, strings->size()};
    for (const auto& [first, last] : ranges) {
      DOCKET_ASSIGN(const std::uint32_t begin, lower_bound(*strings, all, as_text(first)));
      const IdRange rest{begin, all.end};
      DOCKET_ASSIGN(const std::uint32_t end,
                    lower_bound(*strings, rest, std::string(as_text(last)) + '\0'));
      ids.add(IdRange{begin, end});
    }
    ids.close(strings->size());
  } else {
    DOCKET_ASSIGN(ids, select_strings(*strings, [&](std::string_view text) {
                    return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
                      return as_text(range.first) <= text && text <= as_text(range.second);
                    });
                  }));
  }
  return ids_node(RowColumn::ip, index::Dimension::ip, std::move(ids));
}

// --- conditions on actors and targets ------------------------------------------------------------

[[nodiscard]] Result<BoundNode> bind_kind(const TupleTable& table, RowColumn column,
                                          index::Dimension dimension, const CompiledNode& node) {
  DOCKET_ASSIGN(IdSet kinds, select_strings(table.kinds(), [&](std::string_view text) {
                  return any_match_ignoring_case(node.matches, text);
                }));
  DOCKET_ASSIGN(IdSet tuples, table.of_kinds(kinds));
  BoundNode bound = ids_node(column, dimension, std::move(tuples));
  if (bound.is(Kind::ids)) {
    bound.values = std::move(kinds);
  }
  return bound;
}

[[nodiscard]] Result<BoundNode> bind_role(const CompiledNode& node, const BindScope& scope) {
  DOCKET_ASSIGN(const Dictionaries* dictionaries, scope.dictionaries());
  DOCKET_ASSIGN(const StringTable* strings, dictionaries->strings(DictionaryField::role));
  DOCKET_ASSIGN(const IdSet roles,
                matching_strings(*strings, dictionaries->sorted(), node.matches));
  if (roles.empty()) {
    return constant(false);
  }
  DOCKET_ASSIGN(const PackedInts role_of, dictionaries->actor_roles());
  const std::uint32_t actors = std::min(dictionaries->actor_count(), role_of.size());
  IdSet ids;
  for (std::uint32_t actor = 1; actor < actors; ++actor) {
    if (roles.contains(static_cast<std::uint32_t>(role_of[actor]))) {
      ids.add(actor);
    }
  }
  ids.close(actors);
  return ids_node(RowColumn::actor, index::Dimension::actor, std::move(ids));
}

[[nodiscard]] Result<BoundNode> bind_actor(const CompiledNode& node, const BindScope& scope) {
  DOCKET_ASSIGN(const Dictionaries* dictionaries, scope.dictionaries());
  DOCKET_ASSIGN(const TupleTable table, TupleTable::actors(*dictionaries, scope.index()));
  if (node.field == Field::actor_kind) {
    return bind_kind(table, RowColumn::actor, index::Dimension::kind, node);
  }
  DOCKET_ASSIGN(IdSet ids, node.field == Field::actor      ? table.by_identity(node.matches)
                           : node.field == Field::actor_id ? table.by_id(node.matches)
                                                           : table.by_name(node.matches));
  return ids_node(RowColumn::actor, index::Dimension::actor, std::move(ids));
}

[[nodiscard]] Result<BoundNode> bind_target(const CompiledNode& node, const BindScope& scope) {
  DOCKET_ASSIGN(const Dictionaries* dictionaries, scope.dictionaries());
  DOCKET_ASSIGN(const TupleTable table, TupleTable::targets(*dictionaries, scope.index()));
  if (node.field == Field::target_type) {
    return bind_kind(table, RowColumn::target, index::Dimension::type, node);
  }
  DOCKET_ASSIGN(IdSet ids, node.field == Field::target      ? table.by_identity(node.matches)
                           : node.field == Field::target_id ? table.by_id(node.matches)
                                                            : table.by_name(node.matches));
  return ids_node(RowColumn::target, index::Dimension::target, std::move(ids));
}

// --- text ----------------------------------------------------------------------------------------

[[nodiscard]] Result<IdSet> tuples_with_text(const TupleTable& table,
                                             const std::vector<Needle>& needles) {
  const auto wanted = [&](std::string_view text) {
    return std::any_of(needles.begin(), needles.end(),
                       [&](const Needle& needle) { return needle.in(text); });
  };
  DOCKET_ASSIGN(IdSet tuples, select_strings(table.ids(), wanted));
  DOCKET_ASSIGN(const IdSet named, select_strings(table.names(), wanted));
  for (const IdRange& range : named.ranges()) {
    tuples.add(range);
  }
  tuples.close(table.size());
  return tuples;
}

// A condition on payloads, in the blocks that the index's text filter leaves.
[[nodiscard]] Result<BoundNode> bind_payload(const CompiledNode& node, const BindScope& scope) {
  BoundNode bound = payload_node(node.payload);
  const auto& trigrams = node.payload->trigrams();
  const bool is_open = std::any_of(trigrams.begin(), trigrams.end(),
                                   [](const auto& of_value) { return of_value.empty(); });
  const index::SegmentIndex* const index = is_open ? nullptr : scope.index();
  const auto filter = index == nullptr ? nullptr : index->text_filter().value_or(nullptr);
  if (filter == nullptr) {
    return bound;
  }
  DOCKET_ASSIGN(const std::span<const BlockInfo> blocks, scope.blocks());
  std::vector<bool> possible(blocks.size(), false);
  for (const std::vector<index::Trigram>& of_value : trigrams) {
    const std::vector<bool> of_this = filter->possible_blocks(of_value);
    if (of_this.size() != possible.size()) {
      return bound;
    }
    std::transform(possible.begin(), possible.end(), of_this.begin(), possible.begin(),
                   std::logical_or<>());
  }
  if (std::find(possible.begin(), possible.end(), true) == possible.end()) {
    return constant(false);
  }
  bound.possible_blocks = std::make_shared<const std::vector<bool>>(std::move(possible));
  return bound;
}

// A bare word looks into names, ids, reasons and payloads; session and request are ids, too.
[[nodiscard]] Result<BoundNode> bind_text(const CompiledNode& node, const BindScope& scope) {
  BoundNode any;
  any.kind = Kind::disjunction;
  const auto add = [&](BoundNode child) {
    if (!child.is(Kind::none)) {
      any.children.push_back(std::move(child));
    }
  };
  DOCKET_ASSIGN(const Dictionaries* dictionaries, scope.dictionaries());
  DOCKET_ASSIGN(const TupleTable actors, TupleTable::actors(*dictionaries, scope.index()));
  DOCKET_ASSIGN(IdSet actor_ids, tuples_with_text(actors, node.needles));
  add(ids_node(RowColumn::actor, index::Dimension::actor, std::move(actor_ids)));
  for (const Field field : {Field::reason, Field::session, Field::request}) {
    const PlainField plain = *plain_field(field);
    DOCKET_ASSIGN(const StringTable* strings, dictionaries->strings(plain.dictionary));
    DOCKET_ASSIGN(IdSet ids, select_strings(*strings, [&](std::string_view text) {
                    return std::any_of(node.needles.begin(), node.needles.end(),
                                       [&](const Needle& needle) { return needle.in(text); });
                  }));
    add(ids_node(plain.column, plain.dimension, std::move(ids)));
  }
  DOCKET_ASSIGN(const TupleTable targets, TupleTable::targets(*dictionaries, scope.index()));
  DOCKET_ASSIGN(IdSet target_ids, tuples_with_text(targets, node.needles));
  add(ids_node(RowColumn::target, index::Dimension::target, std::move(target_ids)));
  DOCKET_ASSIGN(BoundNode payloads, bind_payload(node, scope));
  add(std::move(payloads));
  return any;
}

// Names of changed fields, where an index lists them.
[[nodiscard]] BoundNode bind_changed(const CompiledNode& node, const BindScope& scope) {
  BoundNode bound = payload_node(node.payload);
  const index::SegmentIndex* const index = scope.index();
  if (index == nullptr || !index->has_changed_fields()) {
    return bound;
  }
  const auto names = index->changed_names();
  if (!names) {
    return bound;
  }
  for (const Match& match : node.matches) {
    bound.ids.add((*names)->values(match.text, match.prefix));
  }
  bound.ids.close(index->values(index::Dimension::changed));
  if (bound.ids.empty()) {
    return constant(false);
  }
  bound.dimension = index::Dimension::changed;
  return bound;
}

[[nodiscard]] Result<BoundNode> bind_condition(const CompiledNode& node, const BindScope& scope) {
  switch (node.field) {
    case Field::log:
      return constant(log_matches(node, scope.log));
    case Field::seq:
      return bind_seq(node, scope);
    case Field::time:
      return bind_time(node, scope);
    case Field::outcome:
      return bind_outcome(node);
    case Field::verb:
      return bind_verb(node, scope);
    case Field::ip:
      return bind_ip(node, scope);
    case Field::actor:
    case Field::actor_kind:
    case Field::actor_id:
    case Field::actor_name:
      return bind_actor(node, scope);
    case Field::actor_role:
      return bind_role(node, scope);
    case Field::target:
    case Field::target_type:
    case Field::target_id:
    case Field::target_name:
      return bind_target(node, scope);
    case Field::reason:
    case Field::session:
    case Field::request:
    case Field::node:
      return bind_plain(*plain_field(node.field), node, scope);
    case Field::changed:
      return bind_changed(node, scope);
    case Field::payload:
    case Field::old_value:
    case Field::new_value:
      return bind_payload(node, scope);
    case Field::text:
      return bind_text(node, scope);
  }
  return constant(false);
}

// A con- or disjunction: `neutral` children vanish, an `absorbing` one decides.
[[nodiscard]] Result<BoundNode> bind_junction(const CompiledNode& node, const BindScope& scope) {
  const bool conjunction = node.kind == Expression::Kind::conjunction;
  const Kind neutral = conjunction ? Kind::all : Kind::none;
  const Kind absorbing = conjunction ? Kind::none : Kind::all;
  BoundNode bound;
  bound.kind = conjunction ? Kind::conjunction : Kind::disjunction;
  for (const CompiledNode& child : node.children) {
    DOCKET_ASSIGN(BoundNode part, bind(child, scope));
    if (part.is(absorbing)) {
      return constant(!conjunction);
    }
    if (!part.is(neutral)) {
      bound.children.push_back(std::move(part));
    }
  }
  if (bound.children.empty()) {
    return constant(conjunction);
  }
  if (bound.children.size() == 1) {
    BoundNode only = std::move(bound.children.front());
    return only;
  }
  return bound;
}

[[nodiscard]] Result<BoundNode> bind_negation(const CompiledNode& node, const BindScope& scope) {
  DOCKET_ASSIGN(BoundNode child, bind(node.children.front(), scope));
  if (child.is(Kind::all) || child.is(Kind::none)) {
    return constant(child.is(Kind::none));
  }
  if (child.is(Kind::negation)) {
    BoundNode inner = std::move(child.children.front());
    return inner;
  }
  BoundNode bound;
  bound.kind = Kind::negation;
  bound.children.push_back(std::move(child));
  return bound;
}

// What is known of a subtree by the log's name alone.
enum class LogVerdict : std::uint8_t { never, always, open };

[[nodiscard]] LogVerdict log_verdict(const CompiledNode& node, std::string_view log) {
  switch (node.kind) {
    case Expression::Kind::all:
      return LogVerdict::always;
    case Expression::Kind::condition:
      if (node.field != Field::log) {
        return LogVerdict::open;
      }
      return log_matches(node, log) ? LogVerdict::always : LogVerdict::never;
    case Expression::Kind::negation: {
      const LogVerdict child = log_verdict(node.children.front(), log);
      return child == LogVerdict::open    ? LogVerdict::open
             : child == LogVerdict::never ? LogVerdict::always
                                          : LogVerdict::never;
    }
    case Expression::Kind::conjunction:
    case Expression::Kind::disjunction:
      break;
  }
  const bool conjunction = node.kind == Expression::Kind::conjunction;
  const LogVerdict deciding = conjunction ? LogVerdict::never : LogVerdict::always;
  bool open = false;
  for (const CompiledNode& child : node.children) {
    const LogVerdict verdict = log_verdict(child, log);
    if (verdict == deciding) {
      return deciding;
    }
    open = open || verdict == LogVerdict::open;
  }
  return open ? LogVerdict::open : conjunction ? LogVerdict::always : LogVerdict::never;
}

}  // namespace

Result<const Dictionaries*> BindScope::dictionaries() const {
  if (dictionaries_ == nullptr) {
    DOCKET_ASSIGN(dictionaries_, segment_.dictionaries(block_));
  }
  return dictionaries_.get();
}

Result<std::span<const BlockInfo>> BindScope::blocks() const {
  return segment_.blocks();
}

const index::SegmentIndex* BindScope::index() const {
  if (!looked_for_index_ && find_index_) {
    index_ = find_index_();
  }
  looked_for_index_ = true;
  return index_.get();
}

Result<BoundNode> bind(const CompiledNode& node, const BindScope& scope) {
  switch (node.kind) {
    case Expression::Kind::all:
      return constant(true);
    case Expression::Kind::condition:
      return bind_condition(node, scope);
    case Expression::Kind::negation:
      return bind_negation(node, scope);
    case Expression::Kind::conjunction:
    case Expression::Kind::disjunction:
      return bind_junction(node, scope);
  }
  return constant(true);
}

bool log_may_match(const CompiledNode& node, std::string_view log) {
  return log_verdict(node, log) != LogVerdict::never;
}

}  // namespace docket::query
