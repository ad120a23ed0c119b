#include <algorithm>
#include <charconv>
#include <limits>

#include "engine/timestamp.hpp"
#include "query/byte_scan.hpp"
#include "query/render.hpp"
#include "query/utf8.hpp"

namespace docket::query {

namespace {

void append_number(std::string& out, std::uint64_t number) {
  char text[std::numeric_limits<std::uint64_t>::digits10 + 1];
  const auto [end, error] = std::to_chars(std::begin(text), std::end(text), number);
  static_cast<void>(error);  // The buffer holds every number.
  out.append(text, static_cast<std::size_t>(end - text));
}

// The character at `at` where it may not stand as it is; returns its bytes.
std::size_t append_special(std::string& out, std::string_view text, std::size_t at) {
  const char c = text[at];
  constexpr std::string_view short_escapes = "\"\\\b\f\n\r\t";
  constexpr std::string_view short_names = "\"\\bfnrt";
  if (const std::size_t i = short_escapes.find(c); i != std::string_view::npos) {
    out += '\\';
    out += short_names[i];
    return 1;
  }
  const Utf8Character character = utf8_at(text, at);
  if (!character.valid) {
    append_unicode_escape(out, 0xFFFD);
  } else if (is_hidden(character.code)) {
    append_unicode_escape(out, character.code);
  } else {
    out.append(text, at, character.bytes);
  }
  return character.bytes;
}

// `,"name":"text"`, nothing where the text is absent. `prefix` is all up to the text's quote.
void append_optional(std::string& out, std::string_view prefix, std::string_view text) {
  if (!text.empty()) {
    out += prefix;
    append_json_string(out, text);
  }
}

void append_target(std::string& out, const TargetView& target) {
  out += "{\"type\":";
  append_json_string(out, target.type);
  append_optional(out, ",\"id\":", target.id);
  append_optional(out, ",\"name\":", target.name);
  out += '}';
}

void append_actor(std::string& out, const ActorView& actor) {
  out += "{\"kind\":";
  append_json_string(out, actor.kind);
  out += ",\"id\":";
  append_json_string(out, actor.id);
  append_optional(out, ",\"name\":", actor.name);
  append_optional(out, ",\"role\":", actor.role);
  out += '}';
}

// Line breaks in JSON can only be white space between its tokens, never in a string.
void append_on_one_line(std::string& out, std::string_view payload) {
  const std::size_t start = out.size();
  out += payload;
  for (const char c : {'\n', '\r'}) {
    if (payload.find(c) != std::string_view::npos) {
      std::replace(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), c, ' ');
    }
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t plain = plain_bytes<'"', '\\'>(text, at);
    out.append(text, at, plain);
    at += plain;
    if (at < text.size()) {
      at += append_special(out, text, at);
    }
  }
  out += '"';
}

void append_json_targets(std::string& out, std::span<const TargetView> targets) {
  char separator = '[';
  for (const TargetView& target : targets) {
    out += separator;
    append_target(out, target);
    separator = ',';
  }
  out += targets.empty() ? "[]" : "]";
}

void append_json(std::string& out, const StoredView& event, PayloadForm form) {
  out += "{\"seq\":";
  append_number(out, event.seq.value);
  out += ",\"received\":";
  out += std::to_string(event.received);
  out += ",\"log\":";
  append_json_string(out, event.log);
  out += ",\"ts\":\"";
  append_rfc3339(out, event.ts);
  out += "\",\"actor\":";
  append_actor(out, event.actor);
  out += ",\"verb\":";
  append_json_string(out, event.verb);
  out += ",\"target\":";
  append_target(out, event.target);
  if (!event.related.empty()) {
    out += ",\"related\":";
    append_json_targets(out, event.related);
  }
  out += ",\"affected\":";
  append_number(out, event.affected);
  if (event.ip.has_value()) {
    out += ",\"ip\":\"";
    out += format_ip(*event.ip);
    out += '"';
  }
  out += ",\"outcome\":\"";
  out += to_string(event.outcome);
  out += '"';
  append_optional(out, ",\"reason\":", event.reason);
  append_optional(out, ",\"session\":", event.session);
  append_optional(out, ",\"request\":", event.request);
  if (!event.payload.empty()) {
    out += ",\"payload\":";
    if (form == PayloadForm::as_sent) {
      out += event.payload;
    } else {
      append_on_one_line(out, event.payload);
    }
  }
  append_optional(out, ",\"node\":", event.node);
  out += '}';
}

void append_json_gaps(std::string& out, const std::vector<Gap>& gaps) {
  out += "\"gaps\":";
  char separator = '[';
  for (const Gap& gap : gaps) {
    out += separator;
    out += "{\"log\":";
    append_json_string(out, gap.log);
    out += ",\"first_seq\":";
    append_number(out, gap.first_seq.value);
    out += ",\"last_seq\":";
    append_number(out, gap.last_seq.value);
    out += ",\"reason\":";
    append_json_string(out, gap.reason);
    out += '}';
    separator = ',';
  }
  out += gaps.empty() ? "[]" : "]";
}

}  // namespace docket::query
