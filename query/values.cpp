#include "query/values.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/event.hpp"
#include "query/parser.hpp"

namespace docket::query {

namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [last, error] = std::from_chars(begin, end, number);
  const bool plain = error == std::errc() && last == end;
  return plain ? std::optional(number) : std::nullopt;
}

void keep_bits(IpAddress& ip, std::uint32_t bits) {
  for (std::uint32_t i = 0; i < 16; ++i) {
    const std::uint32_t kept = std::clamp(bits, i * 8, i * 8 + 8) - i * 8;
    ip.bytes[i] = static_cast<std::uint8_t>(ip.bytes[i] & (0xFF00U >> kept));
  }
}

Result<Match> parse_address(const Value& value) {
  constexpr std::string_view expected =
      "expected an address or a network: 10.0.0.1, 10.0.0.0/8, 2001:db8::/32, or * for any";
  Match match;
  if (value.prefix) {
    if (!value.text.empty()) {
      return fail_at(value.offset, std::string(expected));
    }
    match.ip_bits = 0;
    return match;
  }
  const std::string_view text = value.text;
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const auto ip = parse_ip(address);
  if (!ip) {
    return fail_at(value.offset, std::string(expected));
  }
  match.ip = *ip;
  if (slash != std::string_view::npos) {
    // How it is written decides: ::ffff:10.0.0.0/104 counts from the front of 16 bytes.
    const bool quad = address.find(':') == std::string_view::npos;
    const auto bits = parse_number(text.substr(slash + 1));
    if (!bits || *bits > (quad ? 32 : 128)) {
      return fail_at(value.offset, quad ? "expected /0 to /32 behind an IPv4 address"
                                        : "expected /0 to /128 behind an IPv6 address");
    }
    match.ip_bits = static_cast<std::uint32_t>(*bits) + (quad ? 96 : 0);
    keep_bits(match.ip, match.ip_bits);
  }
  return match;
}

Result<Match> parse_seq(const Value& value) {
  const std::string_view text = value.text;
  const std::size_t dots = text.find("..");
  const auto first = parse_number(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : parse_number(text.substr(dots + 2));
  if (value.prefix || !first || !last) {
    return fail_at(value.offset, "expected a number or a range of them: 17 or 17..42");
  }
  if (*first > *last) {
    return fail_at(value.offset, "expected a range that ends at or behind its start");
  }
  Match match;
  match.seq_first = *first;
  match.seq_last = *last;
  return match;
}

Result<Match> parse_outcome_value(const Value& value) {
  Match match;
  match.prefix = value.prefix;
  if (value.prefix) {
    match.text = value.text;
    for (char& c : match.text) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    for (const Outcome outcome : {Outcome::success, Outcome::failure, Outcome::denied}) {
      if (to_string(outcome).starts_with(match.text)) {
        return match;
      }
    }
  } else if (const auto outcome = parse_outcome(value.text)) {
    match.text = to_string(*outcome);
    return match;
  }
  return fail_at(value.offset, "expected success, failure or denied");
}

Result<Match> parse_log(const Value& value) {
  const bool whole_log_names = value.prefix && value.text.empty();
  if (!whole_log_names && !is_log_name(value.text)) {
    return fail_at(value.offset,
                   "expected a log's name (a lower-case letter, then up to 31 of a-z 0-9 _ -), or "
                   "* for every log");
  }
  Match match;
  match.text = value.text;
  match.prefix = value.prefix;
  return match;
}

std::vector<Match> verb_matches(const Value& value) {
  Match match;
  std::string scratch;
  match.text = upper_verb(value.text, scratch);
  match.prefix = value.prefix;
  std::vector<Match> matches{match};
  if (!match.prefix && (match.text == "EDIT" || match.text == "UPDATE")) {
    match.text = match.text == "EDIT" ? "UPDATE" : "EDIT";
    matches.push_back(match);
  }
  return matches;
}

Result<Match> parse_plain(Field field, const Value& value) {
  const bool may_be_empty = field == Field::old_value || field == Field::new_value;
  if (value.text.empty() && !value.prefix && !may_be_empty) {
    return fail_at(value.offset,
                   "expected text between the quotes (a field that is absent is found by "
                   "-" +
                       std::string(field_name(field)) + ":*)");
  }
  Match match;
  match.text = value.text;
  // A substring is found inside longer text anyway; a star alone asks for any payload at all.
  match.prefix = value.prefix && (field != Field::payload || value.text.empty());
  return match;
}

Result<Match> parse_single(Field field, const Value& value) {
  switch (field) {
    case Field::ip:
      return parse_address(value);
    case Field::seq:
      return parse_seq(value);
    case Field::outcome:
      return parse_outcome_value(value);
    case Field::log:
      return parse_log(value);
    default:
      return parse_plain(field, value);
  }
}

}  // namespace

Result<std::vector<Match>> parse_value(Field field, const Value& value) {
  if (field == Field::verb && !value.text.empty()) {
    return verb_matches(value);
  }
  DOCKET_ASSIGN(Match match, parse_single(field, value));
  return std::vector<Match>{std::move(match)};
}

}  // namespace docket::query
