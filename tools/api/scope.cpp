#include "tools/api/scope.hpp"

#include <algorithm>
#include <utility>

#include "engine/timestamp.hpp"
#include "query/binder.hpp"
#include "query/parser.hpp"
#include "query/system_log.hpp"

namespace docket::api {

namespace {

using Kind = query::Expression::Kind;

query::ExpressionPtr group(std::vector<query::ExpressionPtr> children) {
  query::Expression made;
  made.kind = Kind::conjunction;
  made.children = std::move(children);
  return std::make_shared<const query::Expression>(std::move(made));
}

}  // namespace

bool Question::covers(std::string_view log) const {
  return (query.names_log || log != query::system_log) &&
         (!within || query::log_may_match(*within, log));
}

Result<Scope> Scope::parse(std::string text) {
  query::ParseContext context;
  context.now = now_ns();
  DOCKET_TRY(query::parse(text, context));
  Scope scope;
  scope.text_ = std::move(text);
  return scope;
}

Result<Question> Scope::narrow(Question question, Nanos now) const {
  if (is_everything()) {
    return question;
  }
  query::ParseContext context;
  context.now = now;
  DOCKET_ASSIGN(const query::Query scope, query::parse(text_, context));
  query::Query& asked = question.query;
  std::vector<query::ExpressionPtr> children;
  if (asked.where->kind == Kind::conjunction) {
    children = asked.where->children;
  } else if (asked.where->kind != Kind::all) {
    children.push_back(asked.where);
  }
  // In a group of its own, so that facets under the other filters, which leave out the question's
  // own conditions on a field, never leave out the scope's.
  const auto within = query::with_system_log_named(scope.where);
  children.push_back(group({within}));
  asked.where = group(std::move(children));
  asked.since = std::max(asked.since, scope.since);
  asked.until = std::min(asked.until, scope.until);
  asked.names_log = scope.names_log;
  // A cursor goes with its scope only.
  asked.text += "\n" + text_;
  question.within = std::make_shared<const query::CompiledNode>(query::compile(*within));
  return question;
}

}  // namespace docket::api
