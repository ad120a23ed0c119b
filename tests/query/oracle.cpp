#include "tests/query/oracle.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "query/diff.hpp"

namespace docket::query::testing {
namespace {

// ASCII and the letters of Latin-1, which are those that the events here are made of.
std::string lower(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_latin = i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xC3;
    if (byte < 0x80) {
      text[i] = static_cast<char>(std::tolower(byte));
    } else if (is_latin && byte <= 0x9E && byte != 0x97) {
      text[i] = static_cast<char>(byte + 0x20);
    }
  }
  return text;
}

bool value_is(const std::string& value, const Match& match) {
  if (value.empty()) {
    return false;
  }
  return match.prefix ? value.compare(0, match.text.size(), match.text) == 0 : value == match.text;
}

bool value_is_any_case(const std::string& value, const Match& match) {
  Match folded = match;
  folded.text = lower(match.text);
  return value_is(lower(value), folded);
}

bool contains_any_case(const std::string& text, const std::string& part) {
  return text.size() >= part.size() && lower(text).find(lower(part)) != std::string::npos;
}

bool any_string_contains(const simdjson::dom::element& value, const std::string& part) {
  if (value.is_string()) {
    return contains_any_case(std::string(std::string_view(value)), part);
  }
  bool found = false;
  if (value.is_array()) {
    for (const simdjson::dom::element element : value.get_array()) {
      found = found || any_string_contains(element, part);
    }
  }
  if (value.is_object()) {
    for (const auto member : value.get_object()) {
      found = found || contains_any_case(std::string(member.key), part) ||
              any_string_contains(member.value, part);
    }
  }
  return found;
}

// As it was sent, or in a string without its escapes.
bool payload_contains(const std::string& payload, const std::string& part) {
  if (payload.empty() || contains_any_case(payload, part)) {
    return !payload.empty();
  }
  // Without an escape its strings are as they stand.
  simdjson::dom::parser parser;
  return payload.find('\\') != std::string::npos &&
         any_string_contains(parser.parse(payload), part);
}

// `kind:id` with the kind in any case, split at any colon.
bool pair_is(const std::string& kind, const std::string& id, const Match& match) {
  if (id.empty()) {
    return false;
  }
  for (std::size_t i = 0; i < match.text.size(); ++i) {
    if (match.text[i] != ':' || lower(match.text.substr(0, i)) != lower(kind)) {
      continue;
    }
    const std::string rest = match.text.substr(i + 1);
    if (match.prefix ? id.compare(0, rest.size(), rest) == 0 : id == rest) {
      return true;
    }
  }
  return false;
}

bool ip_is(const Event& event, const Match& match) {
  if (!event.ip) {
    return false;
  }
  for (std::uint32_t bit = 0; bit < match.ip_bits; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if ((event.ip->bytes[bit / 8] & mask) != (match.ip.bytes[bit / 8] & mask)) {
      return false;
    }
  }
  return true;
}

std::vector<Target> targets_of(const Event& event) {
  std::vector<Target> targets{event.target};
  targets.insert(targets.end(), event.related.begin(), event.related.end());
  return targets;
}

bool target_is(Field field, const Target& target, const Match& match) {
  switch (field) {
    case Field::target:
      return pair_is(target.type, target.id, match) || value_is(target.id, match) ||
             value_is(target.name, match) ||
             (target.id.empty() && value_is_any_case(target.type, match));
    case Field::target_type:
      return value_is_any_case(target.type, match);
    case Field::target_id:
      return value_is(target.id, match);
    default:
      return value_is(target.name, match);
  }
}

bool text_is_in(const Event& event, const std::string& text) {
  std::vector<std::string> places{event.actor.id, event.actor.name, event.reason, event.session,
                                  event.request};
  for (const Target& target : targets_of(event)) {
    places.push_back(target.id);
    places.push_back(target.name);
  }
  return payload_contains(event.payload, text) ||
         std::any_of(places.begin(), places.end(), [&](const std::string& place) {
           return !place.empty() && contains_any_case(place, text);
         });
}

bool verb_is(const Event& event, const Match& match) {
  const bool edits = !match.prefix && (match.text == "EDIT" || match.text == "UPDATE");
  return value_is_any_case(event.verb, match) ||
         (edits && (event.verb == "EDIT" || event.verb == "UPDATE"));
}

bool match_is(Field field, const Event& event, const Match& match) {
  switch (field) {
    case Field::log:
      return value_is(event.log, match);
    case Field::actor:
      return pair_is(event.actor.kind, event.actor.id, match) || value_is(event.actor.id, match) ||
             value_is(event.actor.name, match);
    case Field::actor_kind:
      return value_is_any_case(event.actor.kind, match);
    case Field::actor_id:
      return value_is(event.actor.id, match);
    case Field::actor_name:
      return value_is(event.actor.name, match);
    case Field::actor_role:
      return value_is(event.actor.role, match);
    case Field::verb:
      return verb_is(event, match);
    case Field::target:
    case Field::target_type:
    case Field::target_id:
    case Field::target_name: {
      const std::vector<Target> targets = targets_of(event);
      return std::any_of(targets.begin(), targets.end(),
                         [&](const Target& target) { return target_is(field, target, match); });
    }
    case Field::ip:
      return ip_is(event, match);
    case Field::outcome:
      return value_is_any_case(std::string(to_string(event.outcome)), match);
    case Field::reason:
      return value_is(event.reason, match);
    case Field::session:
      return value_is(event.session, match);
    case Field::request:
      return value_is(event.request, match);
    case Field::node:
      return value_is(event.node, match);
    case Field::seq:
      return match.seq_first <= event.seq.value && event.seq.value <= match.seq_last;
    case Field::payload:
      return payload_contains(event.payload, match.text);
    case Field::changed:
    case Field::old_value:
    case Field::new_value:
      return !event.payload.empty() && diff_matches(field, match, DiffReader().read(event.payload));
    case Field::text:
      return text_is_in(event, match.text);
    case Field::time:
      return match.since <= event.ts && event.ts < match.until;
  }
  return false;
}

// The values that an event counts under.
std::set<std::string> values_of(const Event& event, Field field) {
  std::set<std::string> values;
  const auto add = [&](const std::string& value) {
    if (!value.empty()) {
      values.insert(value);
    }
  };
  switch (field) {
    case Field::verb:
      add(event.verb);
      break;
    case Field::actor:
      add(event.actor.kind + ":" + event.actor.id);
      break;
    case Field::actor_kind:
      add(event.actor.kind);
      break;
    case Field::target:
      for (const Target& target : targets_of(event)) {
        add(target.type + (target.id.empty() ? "" : ":" + target.id));
      }
      break;
    case Field::target_type:
      for (const Target& target : targets_of(event)) {
        add(target.type);
      }
      break;
    case Field::ip:
      add(event.ip ? format_ip(*event.ip) : "");
      break;
    case Field::outcome:
      add(std::string(to_string(event.outcome)));
      break;
    case Field::log:
      add(event.log);
      break;
    case Field::reason:
      add(event.reason);
      break;
    case Field::session:
      add(event.session);
      break;
    case Field::request:
      add(event.request);
      break;
    default:
      add(event.node);
      break;
  }
  return values;
}

}  // namespace

bool matches(const Expression& where, const Event& event) {
  switch (where.kind) {
    case Expression::Kind::all:
      return true;
    case Expression::Kind::condition:
      return std::any_of(where.matches.begin(), where.matches.end(),
                         [&](const Match& match) { return match_is(where.field, event, match); });
    case Expression::Kind::conjunction:
      return std::all_of(where.children.begin(), where.children.end(),
                         [&](const ExpressionPtr& child) { return matches(*child, event); });
    case Expression::Kind::disjunction:
      return std::any_of(where.children.begin(), where.children.end(),
                         [&](const ExpressionPtr& child) { return matches(*child, event); });
    case Expression::Kind::negation:
      return !matches(*where.children.front(), event);
  }
  return false;
}

namespace {

// Whether an event is found, or not found where `negated`, and whether by a log's name.
struct Look {
  bool found = false;
  bool named = false;
};

Look look(const Expression& where, const Event& event, bool negated) {
  if (where.kind == Expression::Kind::negation) {
    return look(*where.children.front(), event, !negated);
  }
  if (where.kind == Expression::Kind::condition || where.kind == Expression::Kind::all) {
    const bool found = matches(where, event) != negated;
    return {found, found && !negated && where.kind == Expression::Kind::condition &&
                       where.field == Field::log};
  }
  const bool needs_all = (where.kind == Expression::Kind::conjunction) != negated;
  Look result{needs_all, false};
  for (const ExpressionPtr& child : where.children) {
    const Look one = look(*child, event, negated);
    result.found = needs_all ? result.found && one.found : result.found || one.found;
    result.named = result.named || one.named;
  }
  result.named = result.named && result.found;
  return result;
}

}  // namespace

bool finds(const Query& query, const Event& event) {
  if (event.log != "docket") {
    return matches(*query.where, event);
  }
  return query.names_log && look(*query.where, event, false).named;
}

std::vector<const Event*> select(const std::vector<Event>& events, const Query& query,
                                 Order order) {
  std::vector<const Event*> found;
  for (const Event& event : events) {
    if (finds(query, event)) {
      found.push_back(&event);
    }
  }
  std::sort(found.begin(), found.end(), [&](const Event* a, const Event* b) {
    const auto key = [](const Event* e) { return std::tie(e->ts, e->seq, e->log); };
    return order == Order::oldest_first ? key(a) < key(b) : key(b) < key(a);
  });
  return found;
}

std::map<std::string, std::uint64_t> facet(const std::vector<const Event*>& events, Field field) {
  std::map<std::string, std::uint64_t> counts;
  for (const Event* event : events) {
    for (const std::string& value : values_of(*event, field)) {
      ++counts[value];
    }
  }
  return counts;
}

std::map<Nanos, std::uint64_t> histogram(const std::vector<const Event*>& events, Nanos width) {
  std::map<Nanos, std::uint64_t> counts;
  for (const Event* event : events) {
    const Nanos remainder = event->ts % width;
    ++counts[event->ts - (remainder < 0 ? remainder + width : remainder)];
  }
  if (!counts.empty()) {
    for (Nanos at = counts.begin()->first; at < counts.rbegin()->first; at += width) {
      counts.try_emplace(at, 0);
    }
  }
  return counts;
}

}  // namespace docket::query::testing
