#include "ingest/secret_patterns.hpp"

#include <algorithm>
#include <cstddef>

namespace docket::ingest {
namespace {

// How much of the text from a place on is a secret; 0: none begins there.
using Matcher = std::size_t (*)(std::string_view text, std::size_t at);

constexpr std::size_t token_min = 16;
constexpr std::size_t card_digits_max = 19;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_base64url(char c) {
  return is_word(c) || c == '-';
}

bool is_token(char c) {
  return is_base64url(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}

template <typename Is>
std::size_t run_of(std::string_view text, std::size_t at, Is is) {
  std::size_t end = at;
  while (end < text.size() && is(text[end])) {
    ++end;
  }
  return end - at;
}

bool begins_word(std::string_view text, std::size_t at) {
  return at == 0 || !is_word(text[at - 1]);
}

bool has_prefix_of_any_case(std::string_view text, std::size_t at, std::string_view lower) {
  return text.size() - at >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char l, char c) {
                      return l == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
                    });
}

std::size_t authorization_at(std::string_view text, std::size_t at) {
  if (!begins_word(text, at)) {
    return 0;
  }
  for (const std::string_view scheme : {std::string_view("bearer"), std::string_view("basic")}) {
    if (has_prefix_of_any_case(text, at, scheme)) {
      const std::size_t blanks =
          run_of(text, at + scheme.size(), [](char c) { return c == ' ' || c == '\t'; });
      const std::size_t begin = at + scheme.size() + blanks;
      const std::size_t token = run_of(text, begin, is_token);
      return blanks != 0 && token >= token_min ? begin + token - at : 0;
    }
  }
  return 0;
}

using Digits = std::array<std::uint8_t, card_digits_max>;

// By length and first digits, as the networks have them: times in milli-, micro- or nanoseconds
// have as many digits, and one in ten passes Luhn's check.
bool may_be_card(const Digits& digits, std::size_t count) {
  unsigned head = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    head = 10 * head + digits[i];
  }
  const auto within = [](unsigned value, unsigned first, unsigned last) {
    return value >= first && value <= last;
  };
  const unsigned two = head / 100;
  switch (count) {
    case 14:
      return two == 36 || two == 38 || within(head, 3000, 3059);
    case 15:
      return two == 34 || two == 37;
    case 16:
    case 17:
    case 18:
    case 19:
      return head / 1000 == 4 || within(two, 51, 55) || within(head, 2221, 2720) ||
             within(head, 3528, 3589) || head == 6011 || two == 65 || within(head, 6440, 6499) ||
             two == 62;
    default:
      return false;
  }
}

bool passes_luhn(const Digits& digits, std::size_t count) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned digit = digits[count - 1 - i];
    const unsigned doubled = 2 * digit;
    sum += i % 2 == 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 == 0;
}

// The longest number that begins here and ends where a group of digits does: other numbers may
// stand before and behind it.
std::size_t card_at(std::string_view text, std::size_t at) {
  if (!is_digit(text[at]) || (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '.'))) {
    return 0;
  }
  Digits digits{};
  std::size_t count = 0;
  std::size_t length = 0;
  for (std::size_t end = at; end < text.size() && count < card_digits_max;) {
    if (!is_digit(text[end])) {
      const bool goes_on = (text[end] == ' ' || text[end] == '-') && end + 1 < text.size() &&
                           is_digit(text[end + 1]);
      if (!goes_on) {
        break;
      }
      ++end;
    }
    digits[count++] = static_cast<std::uint8_t>(text[end++] - '0');
    const bool ends_here = end == text.size() || !is_word(text[end]);
    if (ends_here && may_be_card(digits, count) && passes_luhn(digits, count)) {
      length = end - at;
    }
  }
  return length;
}

std::size_t jwt_at(std::string_view text, std::size_t at) {
  // Not within a run: each begin would be looked at to its end.
  if ((at > 0 && is_base64url(text[at - 1])) || !text.substr(at).starts_with("eyJ")) {
    return 0;
  }
  std::size_t end = at;
  for (int part = 0; part < 3; ++part) {
    if (part != 0) {
      if (end >= text.size() || text[end] != '.') {
        return 0;
      }
      ++end;
    }
    const std::size_t length = run_of(text, end, is_base64url);
    if (length == 0 && part < 2) {  // one without a signature is told as much
      return 0;
    }
    end += length;
  }
  return end - at >= token_min ? end - at : 0;
}

std::size_t private_key_at(std::string_view text, std::size_t at) {
  constexpr std::string_view begin = "-----BEGIN ";
  constexpr std::string_view head = "PRIVATE KEY-----";
  constexpr std::string_view tail = "-----END ";
  constexpr std::string_view dashes = "-----";
  constexpr std::size_t kind_max = 32;  // "ENCRYPTED ", "EC ", "OPENSSH "
  if (!text.substr(at).starts_with(begin)) {
    return 0;
  }
  const std::size_t named = text.substr(at, begin.size() + kind_max + head.size()).find(head);
  if (named == std::string_view::npos) {
    return 0;
  }
  const std::size_t last = text.find(tail, at + named + head.size());
  const std::size_t close =
      last == std::string_view::npos ? last : text.find(dashes, last + tail.size());
  return (close == std::string_view::npos ? text.size() : close + dashes.size()) - at;
}

struct KeyForm {
  std::string_view prefix;
  std::size_t rest_min;
};

std::size_t access_key_at(std::string_view text, std::size_t at) {
  static constexpr std::array<KeyForm, 18> forms{{{"AKIA", 16},
                                                  {"ASIA", 16},
                                                  {"ghp_", 30},
                                                  {"gho_", 30},
                                                  {"ghs_", 30},
                                                  {"ghu_", 30},
                                                  {"ghr_", 30},
                                                  {"github_pat_", 30},
                                                  {"glpat-", 16},
                                                  {"sk_live_", 16},
                                                  {"rk_live_", 16},
                                                  {"sk_test_", 16},
                                                  {"xoxb-", 16},
                                                  {"xoxp-", 16},
                                                  {"xoxa-", 16},
                                                  {"AIza", 30},
                                                  {"SG.", 30},
                                                  {"dkt_", 32}}};
  if (!begins_word(text, at)) {
    return 0;
  }
  for (const KeyForm& form : forms) {
    if (text.substr(at).starts_with(form.prefix)) {
      const std::size_t rest =
          run_of(text, at + form.prefix.size(), [](char c) { return is_base64url(c) || c == '.'; });
      return rest >= form.rest_min ? form.prefix.size() + rest : 0;
    }
  }
  return 0;
}

constexpr std::array<Matcher, secret_pattern_names.size()> matchers{
    authorization_at, card_at, jwt_at, private_key_at, access_key_at};

// What a secret may begin with, of whatever pattern: most characters begin none.
constexpr std::array<bool, 256> begins = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("0123456789bBeAgsSrxd-")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

}  // namespace

bool replace_secrets(std::string_view text, SecretPatterns patterns, std::string& out) {
  bool found = false;
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    if (begins[static_cast<unsigned char>(text[at])]) {
      for (std::size_t i = 0; i < matchers.size() && length == 0; ++i) {
        if ((patterns & bit_of(static_cast<SecretPattern>(i))) != 0) {
          length = matchers[i](text, at);
        }
      }
    }
    if (length == 0) {
      ++at;
      continue;
    }
    if (!found) {
      out.clear();
      found = true;
    }
    out += text.substr(copied, at - copied);
    out += redacted;
    at += length;
    copied = at;
  }
  if (found) {
    out += text.substr(copied);
  }
  return found;
}

}  // namespace docket::ingest
