#include "query/parser.hpp"

#include <algorithm>
#include <utility>

#include "query/expression_builder.hpp"
#include "query/field_names.hpp"
#include "query/lexer.hpp"
#include "query/render.hpp"
#include "query/syntax_error.hpp"
#include "query/system_log.hpp"
#include "query/time_terms.hpp"
#include "query/utf8.hpp"
#include "query/values.hpp"

namespace docket::query {

namespace {

using Kind = Expression::Kind;

//   query = [ or ] end
//   or    = and { "OR" and }
//   and   = run { "AND" run }
//   run   = term { term }
//   term  = ( "-" | "NOT" ) term | "(" or ")" | "*" | text | field value { "," value }
//
// Recursion is bounded by query_depth_max: a parenthesis, a NOT and on: (which stands for two
// bounds) each go one deeper.
class Parser {
 public:
  Parser(std::string_view text, const ParseContext& context)
      : text_(text), lexer_(text), context_(context) {}

  Result<ExpressionPtr> parse() {
    DOCKET_TRY(advance());
    if (token_.kind == TokenKind::end) {
      return make_all();
    }
    DOCKET_ASSIGN(ExpressionPtr where, parse_or(0));
    if (token_.kind == TokenKind::close) {
      return fail_at(token_.offset, "expected a term or the end; no parenthesis is open here");
    }
    return where;
  }

 private:
  Result<void> advance() {
    DOCKET_ASSIGN(token_, lexer_.next());
    return {};
  }

  Result<ExpressionPtr> parse_or(std::size_t depth) {
    ExpressionPtrs children;
    for (;;) {
      DOCKET_ASSIGN(ExpressionPtr child, parse_and(depth));
      children.push_back(std::move(child));
      if (token_.kind != TokenKind::or_word) {
        return make_disjunction(std::move(children));
      }
      DOCKET_TRY(advance());
    }
  }

  Result<ExpressionPtr> parse_and(std::size_t depth) {
    ExpressionPtrs children;
    for (;;) {
      Run run;
      while (starts_term()) {
        DOCKET_TRY(parse_into(run, depth));
      }
      if (run.empty()) {
        return fail_at(token_.offset, "expected a term, found " + describe(token_.kind));
      }
      ExpressionPtrs terms = run.take();
      children.insert(children.end(), terms.begin(), terms.end());
      if (token_.kind != TokenKind::and_word) {
        return make_conjunction(std::move(children));
      }
      DOCKET_TRY(advance());
    }
  }

  [[nodiscard]] bool starts_term() const {
    return token_.kind == TokenKind::open || token_.kind == TokenKind::minus ||
           token_.kind == TokenKind::not_word || token_.kind == TokenKind::everything ||
           token_.kind == TokenKind::text || token_.kind == TokenKind::field;
  }

  static std::string describe(TokenKind kind) {
    switch (kind) {
      case TokenKind::close:
        return "a closing parenthesis";
      case TokenKind::or_word:
        return "OR (in quotes it is a word to search for)";
      case TokenKind::and_word:
        return "AND (in quotes it is a word to search for)";
      default:
        return "the end";
    }
  }

  // One term of a run; conditions of one field meet there.
  Result<void> parse_into(Run& run, std::size_t depth) {
    if (token_.kind == TokenKind::field) {
      DOCKET_ASSIGN(const TypedField typed, typed_field());
      if (typed.time == TypedTime::none) {
        return parse_values(typed.field, run);
      }
      return typed.time == TypedTime::on ? parse_days(run, depth) : parse_bound(typed.time, run);
    }
    DOCKET_ASSIGN(ExpressionPtr term, parse_other_term(depth));
    run.add(std::move(term));
    return {};
  }

  // A term that is no condition of a field.
  Result<ExpressionPtr> parse_other_term(std::size_t depth) {
    switch (token_.kind) {
      case TokenKind::minus:
      case TokenKind::not_word:
        return parse_negation(depth);
      case TokenKind::open:
        return parse_parenthesis(depth);
      case TokenKind::everything:
        DOCKET_TRY(advance());
        return make_all();
      default: {
        DOCKET_TRY(count_matches(1, token_.offset));
        Match match;
        match.text = std::move(token_.text);
        DOCKET_TRY(advance());
        return make_condition(Field::text, {std::move(match)});
      }
    }
  }

  Result<ExpressionPtr> parse_negation(std::size_t depth) {
    const Token operation = token_;
    DOCKET_TRY(check_depth(depth + 1, operation.offset));
    DOCKET_TRY(advance());
    const bool minus = operation.kind == TokenKind::minus;
    if (!starts_term() || (minus && token_.offset != operation.offset + 1)) {
      return fail_at(minus ? operation.offset + 1 : token_.offset,
                     minus ? "expected a term directly after - (a dash alone is put in quotes)"
                           : "expected a term after NOT (in quotes it is a word to search for)");
    }
    Run operand;
    DOCKET_TRY(parse_into(operand, depth + 1));
    return make_negation(operand.take().front());
  }

  Result<ExpressionPtr> parse_parenthesis(std::size_t depth) {
    const std::size_t opened = token_.offset;
    DOCKET_TRY(check_depth(depth + 1, opened));
    DOCKET_TRY(advance());
    DOCKET_ASSIGN(ExpressionPtr inner, parse_or(depth + 1));
    if (token_.kind != TokenKind::close) {
      return fail_at(opened, "expected a closing parenthesis for the one that opens here");
    }
    DOCKET_TRY(advance());
    return inner;
  }

  Result<TypedField> typed_field() {
    const std::optional<TypedField> typed = find_typed_field(token_.text);
    if (typed.has_value()) {
      field_text_ = token_.text + ':';
      return *typed;
    }
    return fail_at(token_.offset, "expected a field such as " + near_field_names(token_.text) +
                                      "; there is none called " +
                                      terminal_safe(fit_width(token_.text, 32)) +
                                      " (to search for the text itself, put it in quotes)");
  }

  Result<void> parse_values(Field field, Run& run) {
    std::string_view after = field_text_;
    do {
      DOCKET_ASSIGN(const Value value, lexer_.value(after));
      DOCKET_ASSIGN(const std::vector<Match> matches, parse_value(field, value));
      DOCKET_TRY(count_matches(run.add_values(field, matches), value.offset));
      after = "the comma";
    } while (lexer_.take_comma());
    return advance();
  }

  // Each bound counts as a value, as each is a term of its own once it is printed.
  Result<void> parse_days(Run& run, std::size_t depth) {
    const std::size_t field_offset = token_.offset;
    std::vector<TimeRange> days;
    std::string_view after = field_text_;
    do {
      DOCKET_ASSIGN(const Value value, lexer_.value(after));
      DOCKET_ASSIGN(const TimeRange day, time_range(TypedTime::on, value));
      DOCKET_TRY(count_matches(2, value.offset));
      days.push_back(day);
      after = "the comma";
    } while (lexer_.take_comma());
    DOCKET_TRY(check_depth(depth + 1, field_offset));
    run.add_days(days);
    return advance();
  }

  Result<void> parse_bound(TypedTime typed, Run& run) {
    DOCKET_ASSIGN(const Value value, lexer_.value(field_text_));
    DOCKET_ASSIGN(const TimeRange range, time_range(typed, value));
    DOCKET_TRY(count_matches(1, value.offset));
    run.add(make_time(range));
    const std::size_t behind = lexer_.offset();
    if (lexer_.take_comma()) {
      return fail_at(behind, "expected one time; only on: takes a list of days");
    }
    return advance();
  }

  Result<TimeRange> time_range(TypedTime typed, const Value& value) {
    if (value.prefix) {
      return fail_at(value.offset, "expected a time, which takes no *");
    }
    if (typed == TypedTime::on) {
      auto day = parse_day(value.text, context_);
      if (!day) {
        return fail_at(value.offset, std::move(day).error().message);
      }
      return *day;
    }
    auto instant = parse_instant(value.text, context_);
    if (!instant) {
      return fail_at(value.offset, std::move(instant).error().message);
    }
    return typed == TypedTime::since ? TimeRange{*instant, INT64_MAX}
                                     : TimeRange{INT64_MIN, *instant};
  }

  Result<void> check_depth(std::size_t depth, std::size_t offset) const {
    if (depth > query_depth_max) {
      return fail_at(offset, "expected no more than " + std::to_string(query_depth_max) +
                                 " levels of parentheses and NOT");
    }
    return {};
  }

  Result<void> count_matches(std::size_t more, std::size_t offset) {
    matches_ += more;
    if (matches_ > query_matches_max) {
      return fail_at(offset, "expected no more than " + std::to_string(query_matches_max) +
                                 " values in a query");
    }
    return {};
  }

  std::string_view text_;
  Lexer lexer_;
  const ParseContext& context_;
  Token token_;
  std::string field_text_;  // of the field being read, with its colon
  std::size_t matches_ = 0;
};

// The bounds that every event the expression finds keeps to.
TimeRange time_bounds(const Expression& expression) {
  TimeRange bounds{INT64_MIN, INT64_MAX};
  if (is_time(expression)) {
    return {expression.matches.front().since, expression.matches.front().until};
  }
  if (expression.kind == Kind::conjunction) {
    for (const ExpressionPtr& child : expression.children) {
      const TimeRange inner = time_bounds(*child);
      bounds.since = std::max(bounds.since, inner.since);
      bounds.until = std::min(bounds.until, inner.until);
    }
  }
  if (expression.kind == Kind::disjunction) {
    bounds = time_bounds(*expression.children.front());
    for (const ExpressionPtr& child : expression.children) {
      const TimeRange inner = time_bounds(*child);
      bounds.since = std::min(bounds.since, inner.since);
      bounds.until = std::max(bounds.until, inner.until);
    }
  }
  return bounds;
}

Result<void> check_text(std::string_view text) {
  if (text.size() > query_bytes_max) {
    return fail_at(query_bytes_max,
                   "expected a query of at most " + std::to_string(query_bytes_max) + " bytes");
  }
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = utf8_at(text, at);
    if (!character.valid) {
      return fail_at(at, "expected UTF-8 text");
    }
    at += character.bytes;
  }
  return {};
}

Result<ExpressionPtr> parse_expression(std::string_view text, const ParseContext& context) {
  DOCKET_TRY(check_text(text));
  return Parser(text, context).parse();
}

}  // namespace

Result<Query> parse(std::string_view text, const ParseContext& context) {
  auto where = parse_expression(text, context);
  if (!where) {
    Error error = std::move(where).error();
    error.message = syntax_error_message(error.message, text, error.offset);
    return fail(std::move(error));
  }
  Query query;
  query.text = text;
  query.where = std::move(*where);
  const TimeRange bounds = time_bounds(*query.where);
  query.since = bounds.since;
  query.until = bounds.until;
  query.names_log = names_log(*query.where);
  return query;
}

}  // namespace docket::query
