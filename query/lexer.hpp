// Query text -> tokens. The one place that knows quotes, stars and where a value ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace docket::query {

enum class TokenKind : std::uint8_t {
  end,
  open,        // (
  close,       // )
  minus,       // - before a term
  or_word,     // OR
  and_word,    // AND
  not_word,    // NOT
  everything,  // *
  text,        // a bare word or a "quoted phrase"
  field,       // `name:`; its values are next, see value()
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::size_t offset = 0;  // of its first byte
  std::string text;        // text: without quotes; field: the name without the colon
};

struct Value {
  std::size_t offset = 0;  // of its first byte
  std::string text;        // without quotes and star
  bool prefix = false;     // a star stood behind it
};

// Walks over `text`, which must outlive it. Errors are invalid_argument with `Error::offset` and a
// one-line message that says what was expected; after an error the lexer is of no more use.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  [[nodiscard]] Result<Token> next();
  // The value directly at the cursor, which stands behind a field's colon or a list's comma.
  // `after` names what it follows, for the message.
  [[nodiscard]] Result<Value> value(std::string_view after);
  // Where the cursor stands.
  [[nodiscard]] std::size_t offset() const { return at_; }
  // Steps over a comma directly at the cursor.
  [[nodiscard]] bool take_comma();

 private:
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] Result<std::string> quoted();
  [[nodiscard]] Result<Token> word();
  [[nodiscard]] Result<std::string> starred(std::string_view bare, std::size_t offset,
                                            bool& prefix) const;
  [[nodiscard]] Result<void> check_end_of_term() const;

  std::string_view text_;
  std::size_t at_ = 0;
};

// An invalid_argument error with its place in the query.
[[nodiscard]] tl::unexpected<Error> fail_at(std::size_t offset, std::string message);

}  // namespace docket::query
