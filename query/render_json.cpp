#include <algorithm>

#include "query/byte_scan.hpp"
#include "query/json_row.hpp"
#include "query/render.hpp"
#include "query/utf8.hpp"

namespace docket::query {

namespace {

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
template <std::size_t size>
void add_optional(JsonRow& row, const char (&prefix)[size], std::string_view text) {
  if (!text.empty()) {
    row.add(prefix);
    row.add_string(text);
  }
}

void add_target(JsonRow& row, const TargetView& target) {
  row.add("{\"type\":");
  row.add_string(target.type);
  add_optional(row, ",\"id\":", target.id);
  add_optional(row, ",\"name\":", target.name);
  row.add("}");
}

void add_targets(JsonRow& row, std::span<const TargetView> targets) {
  row.add("[");
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (i != 0) {
      row.add(",");
    }
    add_target(row, targets[i]);
  }
  row.add("]");
}

void add_actor(JsonRow& row, const ActorView& actor) {
  row.add("{\"kind\":");
  row.add_string(actor.kind);
  row.add(",\"id\":");
  row.add_string(actor.id);
  add_optional(row, ",\"name\":", actor.name);
  add_optional(row, ",\"role\":", actor.role);
  row.add("}");
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
  JsonRow row(out);
  add_targets(row, targets);
  row.flush();
}

void append_json(std::string& out, const StoredView& event, PayloadForm form) {
  JsonRow row(out);
  row.add("{\"seq\":");
  row.add_number(event.seq.value);
  row.add(",\"received\":");
  row.add_number(event.received);
  row.add(",\"log\":");
  row.add_string(event.log);
  row.add(",\"ts\":");
  row.add_time(event.ts);
  row.add(",\"actor\":");
  add_actor(row, event.actor);
  row.add(",\"verb\":");
  row.add_string(event.verb);
  row.add(",\"target\":");
  add_target(row, event.target);
  if (!event.related.empty()) {
    row.add(",\"related\":");
    add_targets(row, event.related);
  }
  row.add(",\"affected\":");
  row.add_number(event.affected);
  if (event.ip.has_value()) {
    row.add(",\"ip\":");
    row.add_address(*event.ip);
  }
  row.add(",\"outcome\":");
  row.add_string(to_string(event.outcome));
  add_optional(row, ",\"reason\":", event.reason);
  add_optional(row, ",\"session\":", event.session);
  add_optional(row, ",\"request\":", event.request);
  if (!event.payload.empty()) {
    row.add(",\"payload\":");
    row.flush();
    if (form == PayloadForm::as_sent) {
      out += event.payload;
    } else {
      append_on_one_line(out, event.payload);
    }
  }
  add_optional(row, ",\"node\":", event.node);
  row.add("}");
  row.flush();
}

void append_json_gaps(std::string& out, const std::vector<Gap>& gaps) {
  JsonRow row(out);
  row.add("\"gaps\":[");
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    if (i != 0) {
      row.add(",");
    }
    row.add("{\"log\":");
    row.add_string(gaps[i].log);
    row.add(",\"first_seq\":");
    row.add_number(gaps[i].first_seq.value);
    row.add(",\"last_seq\":");
    row.add_number(gaps[i].last_seq.value);
    row.add(",\"reason\":");
    row.add_string(gaps[i].reason);
    row.add("}");
  }
  row.add("]");
  row.flush();
}

}  // namespace docket::query
