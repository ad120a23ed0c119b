// What a reader may ask about: a query that is ANDed into each of theirs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/counts.hpp"
#include "engine/result.hpp"
#include "query/compiled_query.hpp"
#include "query/expression.hpp"
#include "query/time_zone.hpp"

namespace docket::api {

// A query as asked: whose days it is read by, and within what.
struct Question {
  query::Query query;
  query::TimeZone zone = query::TimeZone::utc();
  // The scope, also in `query`; null: there is none.
  std::shared_ptr<const query::CompiledNode> within;

  // Whether events of this log may be in the answer. Of the others nothing is looked at, not even
  // how far they go.
  [[nodiscard]] bool covers(std::string_view log) const;
};

// Immutable and thread-safe; cheap to copy.
class Scope {
 public:
  Scope() = default;  // every event
  // Error: invalid_argument, as query::parse() gives it. The empty text is every event.
  [[nodiscard]] static Result<Scope> parse(std::string text);

  [[nodiscard]] bool is_everything() const { return text_.empty(); }
  [[nodiscard]] const std::string& text() const { return text_; }

  // The same question about what it finds in the scope. A scope that names no log leaves `docket`
  // out, whatever is asked; one that does is asked as it stands. `now` is what the relative times
  // of the scope mean, never those of the question: a cursor brings its own clock, and is forged
  // easily. Its days are those of UTC. Errors: those of parse(), as relative times may be out of
  // range at another time.
  [[nodiscard]] Result<Question> narrow(Question question, Nanos now) const;

  friend bool operator==(const Scope&, const Scope&) = default;

 private:
  std::string text_;
};

}  // namespace docket::api
