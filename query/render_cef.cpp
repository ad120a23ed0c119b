#include <fmt/format.h>

#include <iterator>

#include "engine/timestamp.hpp"
#include "query/line_text.hpp"
#include "query/render.hpp"

namespace docket::query {

namespace {

// Of 0 to 10: up to 3 is low, up to 6 medium. The order is that of the syslog severities.
unsigned severity_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::failure:
      return 6;
    case Outcome::denied:
      return 5;
    case Outcome::success:
      break;
  }
  return 3;
}

void append_header_field(std::string& out, std::string_view text) {
  append_line_text<'|', '\\'>(out, text, "\\\\", [](std::string& to, char c) {
    to += '\\';
    to += c;
  });
  out += '|';
}

// The key=value pairs. Absent fields are left out.
class Extension {
 public:
  explicit Extension(std::string& out) : out_(out) {}

  void add(std::string_view key, std::string_view value) {
    if (!value.empty()) {
      begin(key);
      append_line_text<'=', '\\', '\n', '\r'>(out_, value, "\\\\", escape);
    }
  }

  void add_number(std::string_view key, std::int64_t value) {
    begin(key);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }

  // A field that CEF has no key for, in one of those whose meaning a label tells.
  void add_labelled(std::string_view key, std::string_view label, std::string_view value) {
    if (!value.empty()) {
      add(key, value);
      add(std::string(key) + "Label", label);
    }
  }

  // JSON: what separates its tokens may become blanks, within strings there are no such bytes.
  void add_json(std::string_view key, std::string_view label, std::string_view value) {
    if (!value.empty()) {
      begin(key);
      append_line_text<'=', '\\', '\n', '\r', '\t'>(out_, value, "\\\\", escape_json);
      add(std::string(key) + "Label", label);
    }
  }

 private:
  static void escape(std::string& out, char c) {
    out += '\\';
    out += c == '\n' ? 'n' : c == '\r' ? 'r' : c;
  }
  static void escape_json(std::string& out, char c) {
    if (c == '=' || c == '\\') {
      escape(out, c);
    } else {
      out += ' ';
    }
  }

  void begin(std::string_view key) {
    out_ += first_ ? "" : " ";
    out_ += key;
    out_ += '=';
    first_ = false;
  }

  std::string& out_;
  bool first_ = true;
};

// Milliseconds since the Unix epoch, rounded down.
std::int64_t milliseconds_of(Nanos time) {
  constexpr Nanos millisecond = 1'000'000;
  return time / millisecond - (time % millisecond < 0 ? 1 : 0);
}

void append_extension(std::string& out, const StoredView& event) {
  Extension extension(out);
  extension.add_number("rt", milliseconds_of(event.ts));
  extension.add("externalId", fmt::format("{}:{}", event.log, event.seq.value));
  extension.add("cat", event.log);
  extension.add_labelled("cs1", "actor.kind", event.actor.kind);
  extension.add("suid", event.actor.id);
  extension.add("suser", event.actor.name);
  extension.add("spriv", event.actor.role);
  extension.add("act", event.verb);
  extension.add_labelled("cs2", "target.type", event.target.type);
  extension.add_labelled("cs3", "target.id", event.target.id);
  extension.add_labelled("cs4", "target.name", event.target.name);
  if (!event.related.empty()) {
    std::string related;
    append_json_targets(related, event.related);
    extension.add_json("cs5", "related", related);
  }
  extension.add("cnt", std::to_string(event.affected));
  if (event.ip) {
    if (event.ip->is_v4()) {
      extension.add("src", format_ip(*event.ip));
    } else {
      extension.add_labelled("c6a2", "Source IPv6 Address", format_ip(*event.ip));
    }
  }
  extension.add("outcome", to_string(event.outcome));
  extension.add("reason", event.reason);
  extension.add_labelled("flexString1", "session", event.session);
  extension.add_labelled("flexString2", "request", event.request);
  extension.add_json("cs6", "payload", event.payload);
  extension.add("dvchost", event.node);
  extension.add_number("cn1", event.ts);
  extension.add("cn1Label", "ts in nanoseconds");
  extension.add_number("deviceCustomDate1", milliseconds_of(event.received));
  extension.add("deviceCustomDate1Label", "received");
  extension.add("msg", summary_of(event));
}

}  // namespace

void append_cef(std::string& out, const StoredView& event) {
  out += "CEF:0|Docket|docket|1|";
  append_header_field(out, event.verb);
  append_header_field(out, fmt::format("{} {}", event.verb, event.target.type));
  fmt::format_to(std::back_inserter(out), "{}|", severity_of(event.outcome));
  append_extension(out, event);
  out += '\n';
}

}  // namespace docket::query
