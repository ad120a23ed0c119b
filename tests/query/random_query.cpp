#include "tests/query/random_query.hpp"

#include <algorithm>
#include <cctype>

#include "query/diff.hpp"
#include "query/parser.hpp"

namespace docket::query::testing {
namespace {

constexpr Field fields[] = {
    Field::actor,       Field::actor,     Field::actor_kind,  Field::actor_id,  Field::actor_name,
    Field::actor_role,  Field::verb,      Field::verb,        Field::target,    Field::target,
    Field::target_type, Field::target_id, Field::target_name, Field::ip,        Field::outcome,
    Field::reason,      Field::session,   Field::request,     Field::node,      Field::seq,
    Field::payload,     Field::changed,   Field::old_value,   Field::new_value, Field::text,
    Field::time,        Field::time,      Field::log,
};

// A prefix must not end inside a character: the language takes UTF-8 only.
std::string cut(const std::string& text, std::size_t bytes) {
  std::size_t end = std::min(bytes, text.size());
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

// Of ASCII and Latin-1.
std::string upper(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_latin = i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xC3;
    const bool is_lower =
        (byte >= 'a' && byte <= 'z') || (is_latin && byte >= 0xA0 && byte <= 0xBE && byte != 0xB7);
    text[i] = is_lower ? static_cast<char>(byte - 0x20) : text[i];
  }
  return text;
}

bool is_clean(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  });
}

ExpressionPtr make(Expression expression) {
  return std::make_shared<const Expression>(std::move(expression));
}

}  // namespace

std::string RandomQueries::part_of(const std::string& text) {
  if (text.empty()) {
    return "none";
  }
  const std::string tail = text.substr(cut(text, below(text.size())).size());
  std::string part = cut(tail, 1 + below(8));
  return once_in(3) ? upper(part) : part;
}

// As it was sent, or of a value of its diff without escapes.
std::string RandomQueries::part_of_payload(const Event& from) {
  if (once_in(6)) {
    return part_of(from.payload) + part_of(event().payload);  // mostly in none
  }
  const std::vector<DiffEntry> diff = DiffReader().read(from.payload);
  if (diff.empty() || once_in(2)) {
    return part_of(from.payload);
  }
  return part_of(diff[below(diff.size())].new_value.value_or("500"));
}

std::string RandomQueries::text_of(Field field, const Event& from) {
  const Target& target =
      from.related.empty() || once_in(2) ? from.target : from.related[below(from.related.size())];
  switch (field) {
    case Field::log:
      return from.log;
    case Field::actor:
      return once_in(2)   ? from.actor.kind + ":" + from.actor.id
             : once_in(2) ? from.actor.id
                          : from.actor.name;
    case Field::actor_kind:
      return from.actor.kind;
    case Field::actor_id:
      return from.actor.id;
    case Field::actor_name:
      return from.actor.name;
    case Field::actor_role:
      return from.actor.role;
    case Field::verb:
      return from.verb;
    case Field::target:
      return once_in(2)   ? target.type + (target.id.empty() ? "" : ":" + target.id)
             : once_in(2) ? target.id
                          : target.name;
    case Field::target_type:
      return target.type;
    case Field::target_id:
      return target.id;
    case Field::target_name:
      return target.name;
    case Field::reason:
      return from.reason;
    case Field::session:
      return from.session;
    case Field::request:
      return from.request;
    case Field::node:
      return from.node;
    case Field::payload:
      return part_of_payload(from);
    case Field::text:
      return once_in(2) ? part_of(from.target.name) : part_of_payload(from);
    case Field::changed:
    case Field::old_value:
    case Field::new_value: {
      const std::vector<DiffEntry> diff = DiffReader().read(from.payload);
      if (diff.empty()) {
        return "hourly_limit";
      }
      const DiffEntry& entry = diff[below(diff.size())];
      const std::vector<std::string> names = changed_fields(diff);
      return field == Field::changed     ? names[below(names.size())]
             : field == Field::old_value ? entry.old_value.value_or("500")
                                         : entry.new_value.value_or("500");
    }
    default:
      return "";
  }
}

Match RandomQueries::match(Field field) {
  Match match;
  const Event& from = event();
  if (field == Field::ip) {
    match.ip = from.ip ? *from.ip : *parse_ip("10.0.0.1");
    constexpr std::uint32_t bits[] = {128, 128, 120, 112, 104, 96, 48, 0};
    match.ip_bits = bits[below(std::size(bits))];
    for (std::uint32_t bit = match.ip_bits; bit < 128; ++bit) {
      match.ip.bytes[bit / 8] =
          static_cast<std::uint8_t>(match.ip.bytes[bit / 8] & ~(0x80U >> (bit % 8)));
    }
    return match;
  }
  if (field == Field::seq) {
    match.seq_first = from.seq.value;
    match.seq_last = match.seq_first + (once_in(3) ? 0 : below(events_.size()));
    return match;
  }
  if (field == Field::time) {
    const Nanos a = from.ts;
    const Nanos b = event().ts;
    match.since = once_in(4) ? INT64_MIN : std::min(a, b);
    match.until = once_in(4) ? INT64_MAX : std::max(a, b);
    if (match.since == INT64_MIN && match.until == INT64_MAX) {
      match.since = a;
    }
    return match;
  }
  if (field == Field::outcome) {
    match.text = to_string(from.outcome);
    match.prefix = once_in(4);
    match.text = match.prefix ? match.text.substr(0, 1) : match.text;
    return match;
  }
  match.text = text_of(field, from);
  // Control characters have no form in the language; a star finds what is there at all.
  if (!is_clean(match.text)) {
    match.text.clear();
    match.prefix = field != Field::text;
    match.text = field == Field::text ? "limit" : "";
    return match;
  }
  if (field == Field::log) {
    return match;
  }
  if (once_in(4) && field != Field::payload && field != Field::text) {
    match.prefix = true;
    match.text = cut(match.text, below(match.text.size() + 1));
  }
  if ((field == Field::actor_kind || field == Field::target_type) && once_in(3)) {
    match.text = upper(match.text);
  }
  return match;
}

ExpressionPtr RandomQueries::condition() {
  Expression expression;
  expression.kind = Expression::Kind::condition;
  expression.field = fields[below(std::size(fields))];
  const bool single = expression.field == Field::time || expression.field == Field::text;
  const std::uint64_t count = single || !once_in(3) ? 1 : 2 + below(once_in(5) ? 20 : 3);
  for (std::uint64_t i = 0; i < count; ++i) {
    expression.matches.push_back(match(expression.field));
  }
  return make(std::move(expression));
}

ExpressionPtr RandomQueries::junction(int depth) {
  Expression expression;
  expression.kind = once_in(3) ? Expression::Kind::disjunction : Expression::Kind::conjunction;
  const std::uint64_t count = 2 + below(2);
  for (std::uint64_t i = 0; i < count; ++i) {
    expression.children.push_back(term(depth + 1));
  }
  return make(std::move(expression));
}

ExpressionPtr RandomQueries::term(int depth) {
  if (once_in(5)) {
    Expression negation;
    negation.kind = Expression::Kind::negation;
    negation.children.push_back(depth < 3 && once_in(3) ? junction(depth + 1) : condition());
    return make(std::move(negation));
  }
  return depth < 3 && once_in(3) ? junction(depth) : condition();
}

Query RandomQueries::next() {
  Query query;
  query.where = once_in(2) ? junction(0) : term(0);
  query.text = print(*query.where);
  query.names_log = query.text.find("log:") != std::string::npos;
  return query;
}

}  // namespace docket::query::testing
