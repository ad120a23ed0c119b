// Expression -> text that parses to the same expression.
#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "engine/timestamp.hpp"
#include "query/parser.hpp"

namespace docket::query {

namespace {

using Kind = Expression::Kind;

constexpr std::size_t field_count = static_cast<std::size_t>(Field::time) + 1;

bool is_plain_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '/' || c == '@' || c == '+' || c == ':' || byte >= 0x80;
}

void print_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  out += '"';
}

void print_value(std::string& out, const Match& match) {
  const bool plain = std::all_of(match.text.begin(), match.text.end(), is_plain_char);
  if (plain && (!match.text.empty() || match.prefix)) {
    out += match.text;
  } else {
    print_quoted(out, match.text);
  }
  if (match.prefix) {
    out += '*';
  }
}

// A bare word must not look like an operator, a field or a NOT.
void print_text(std::string& out, const std::string& text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return is_plain_char(c) && c != ':'; }) &&
      !text.empty() && text.front() != '-' && text != "OR" && text != "AND" && text != "NOT";
  if (plain) {
    out += text;
  } else {
    print_quoted(out, text);
  }
}

void print_address(std::string& out, const Match& match) {
  out += format_ip(match.ip);
  if (match.ip_bits == 128) {
    return;
  }
  const bool quad = match.ip.is_v4() && match.ip_bits >= 96;
  out += '/';
  out += std::to_string(quad ? match.ip_bits - 96 : match.ip_bits);
}

void print_match(std::string& out, Field field, const Match& match) {
  if (field == Field::ip) {
    print_address(out, match);
  } else if (field == Field::seq) {
    out += std::to_string(match.seq_first);
    if (match.seq_last != match.seq_first) {
      out += "..";
      out += std::to_string(match.seq_last);
    }
  } else {
    print_value(out, match);
  }
}

bool has_upper_bound(const Match& time) {
  return time.until != std::numeric_limits<Nanos>::max();
}

// Something has to stand there even where neither end bounds anything.
bool has_lower_bound(const Match& time) {
  return time.since != std::numeric_limits<Nanos>::min() || !has_upper_bound(time);
}

void print_time(std::string& out, const Match& match) {
  if (has_lower_bound(match)) {
    out += "since:";
    append_rfc3339(out, match.since);
  }
  if (has_upper_bound(match)) {
    out += has_lower_bound(match) ? " until:" : "until:";
    append_rfc3339(out, match.until);
  }
}

void print_condition(std::string& out, const Expression& condition) {
  if (condition.field == Field::time) {
    return print_time(out, condition.matches.front());
  }
  if (condition.field == Field::text) {
    return print_text(out, condition.matches.front().text);
  }
  out += field_name(condition.field);
  char separator = ':';
  for (const Match& match : condition.matches) {
    out += separator;
    print_match(out, condition.field, match);
    separator = ',';
  }
}

// Whether the text of an expression is one term, so that NOT can stand before it.
bool is_one_term(const Expression& expression) {
  if (expression.kind == Kind::condition && expression.field == Field::time) {
    const Match& match = expression.matches.front();
    return has_lower_bound(match) != has_upper_bound(match);
  }
  return expression.kind != Kind::conjunction && expression.kind != Kind::disjunction;
}

void print_any(std::string& out, const Expression& expression);

void print_term(std::string& out, const Expression& expression) {
  if (is_one_term(expression)) {
    return print_any(out, expression);
  }
  out += '(';
  print_any(out, expression);
  out += ')';
}

// AND stands before a field that was named before: side by side, its values would be gathered.
void print_conjunction(std::string& out, const Expression& conjunction) {
  std::array<bool, field_count> named{};
  bool first = true;
  for (const ExpressionPtr& child : conjunction.children) {
    const bool is_condition = child->kind == Kind::condition;
    const bool gathers = is_condition && child->field != Field::text && child->field != Field::time;
    bool& is_named = named[static_cast<std::size_t>(child->field)];
    if (gathers && is_named) {
      out += " AND ";
      named = {};
    } else if (!first) {
      out += ' ';
    }
    first = false;
    is_named = is_named || gathers;
    if (is_condition) {
      print_condition(out, *child);
    } else {
      print_term(out, *child);
    }
  }
}

void print_any(std::string& out, const Expression& expression) {
  switch (expression.kind) {
    case Kind::all:
      out += '*';
      return;
    case Kind::condition:
      return print_condition(out, expression);
    case Kind::negation:
      out += '-';
      return print_term(out, *expression.children.front());
    case Kind::conjunction:
      return print_conjunction(out, expression);
    case Kind::disjunction:
      for (std::size_t i = 0; i < expression.children.size(); ++i) {
        out += i == 0 ? "" : " OR ";
        print_any(out, *expression.children[i]);
      }
      return;
  }
}

}  // namespace

std::string print(const Expression& expression) {
  std::string out;
  print_any(out, expression);
  return out;
}

}  // namespace docket::query
