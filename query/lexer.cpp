#include "query/lexer.hpp"

namespace docket::query {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// '-' is no part of any field's name, but `actor-kind:admin` is a slip, not a word to search for.
bool is_field_char(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool ends_word(char c) {
  return is_space(c) || c == '(' || c == ')';
}
bool ends_value(char c) {
  return ends_word(c) || c == ',';
}

}  // namespace

tl::unexpected<Error> fail_at(std::size_t offset, std::string message) {
  return fail(Error{ErrorCode::invalid_argument, std::move(message), 0, 0, offset});
}

Result<Token> Lexer::next() {
  while (!at_end() && is_space(text_[at_])) {
    ++at_;
  }
  Token token;
  token.offset = at_;
  if (at_end()) {
    return token;
  }
  switch (text_[at_]) {
    case '(':
      token.kind = TokenKind::open;
      ++at_;
      return token;
    case ')':
      token.kind = TokenKind::close;
      ++at_;
      return token;
    case '-':
      token.kind = TokenKind::minus;
      ++at_;
      return token;
    case '"': {
      token.kind = TokenKind::text;
      DOCKET_ASSIGN(token.text, quoted());
      if (token.text.empty()) {
        return fail_at(token.offset, "expected text between the quotes");
      }
      if (!at_end() && text_[at_] == '*') {
        ++at_;  // A phrase is found inside longer text anyway.
      }
      DOCKET_TRY(check_end_of_term());
      return token;
    }
    default:
      return word();
  }
}

// A bare word, an operator's word, or a field's name up to and with its colon.
Result<Token> Lexer::word() {
  Token token;
  token.offset = at_;
  std::size_t end = at_;
  while (end < text_.size() && is_field_char(text_[end])) {
    ++end;
  }
  if (is_letter(text_[at_]) && end < text_.size() && text_[end] == ':') {
    token.kind = TokenKind::field;
    token.text = text_.substr(at_, end - at_);
    at_ = end + 1;
    return token;
  }
  while (end < text_.size() && !ends_word(text_[end]) && text_[end] != '"') {
    ++end;
  }
  const std::string_view bare = text_.substr(at_, end - at_);
  at_ = end;
  DOCKET_TRY(check_end_of_term());
  if (bare == "OR" || bare == "AND" || bare == "NOT") {
    token.kind = bare == "OR"    ? TokenKind::or_word
                 : bare == "AND" ? TokenKind::and_word
                                 : TokenKind::not_word;
    return token;
  }
  bool prefix = false;
  DOCKET_ASSIGN(token.text, starred(bare, token.offset, prefix));
  // A word is found inside longer text anyway, so that its star changes nothing; a star alone is
  // every event.
  token.kind = token.text.empty() ? TokenKind::everything : TokenKind::text;
  return token;
}

Result<Value> Lexer::value(std::string_view after) {
  Value value;
  value.offset = at_;
  if (!at_end() && text_[at_] == '"') {
    DOCKET_ASSIGN(value.text, quoted());
    if (!at_end() && text_[at_] == '*') {
      value.prefix = true;
      ++at_;
    }
    if (!at_end() && text_[at_] == ',') {
      return value;
    }
    DOCKET_TRY(check_end_of_term());
    return value;
  }
  std::size_t end = at_;
  while (end < text_.size() && !ends_value(text_[end]) && text_[end] != '"') {
    ++end;
  }
  const std::string_view bare = text_.substr(at_, end - at_);
  if (bare.empty()) {
    const std::string_view found = at_end()               ? "the end"
                                   : is_space(text_[at_]) ? "white space"
                                   : text_[at_] == ','    ? "a comma"
                                                          : "a parenthesis";
    return fail_at(at_, "expected a value directly after " + std::string(after) + ", found " +
                            std::string(found));
  }
  at_ = end;
  if (at_end() || text_[at_] != ',') {
    DOCKET_TRY(check_end_of_term());
  }
  DOCKET_ASSIGN(value.text, starred(bare, value.offset, value.prefix));
  return value;
}

bool Lexer::take_comma() {
  if (at_end() || text_[at_] != ',') {
    return false;
  }
  ++at_;
  return true;
}

Result<std::string> Lexer::quoted() {
  const std::size_t begin = at_;
  std::string text;
  for (++at_; !at_end(); ++at_) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return text;
    }
    if (c != '\\') {
      text += c;
      continue;
    }
    const char escaped = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
    if (escaped != '"' && escaped != '\\') {
      return fail_at(at_, "expected \\\" or \\\\ (a backslash in quotes is written twice)");
    }
    text += escaped;
    ++at_;
  }
  return fail_at(begin, "expected a closing quote for the one that opens here");
}

// Takes the star off the end of bare text.
Result<std::string> Lexer::starred(std::string_view bare, std::size_t offset, bool& prefix) const {
  const std::size_t star = bare.find('*');
  prefix = star != std::string_view::npos;
  if (prefix && star + 1 != bare.size()) {
    return fail_at(offset + star,
                   "expected * only at the end (in quotes it stands for the character itself)");
  }
  return std::string(bare.substr(0, star));
}

// `a"b"`, `"a"b` and `a(b)` are slips that would otherwise mean something surprising.
Result<void> Lexer::check_end_of_term() const {
  if (at_end() || is_space(text_[at_]) || text_[at_] == ')') {
    return {};
  }
  if (text_[at_] == '(' || text_[at_] == '"') {
    return fail_at(at_, std::string("expected white space before ") +
                            (text_[at_] == '(' ? "a parenthesis" : "a quote") +
                            " (text that contains one is put in quotes)");
  }
  return fail_at(at_, text_[at_] == ','
                          ? "expected white space; a list needs a field, as in verb:CREATE,DELETE"
                          : "expected white space after the closing quote");
}

}  // namespace docket::query
