#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/timestamp.hpp"
#include "query/line_text.hpp"
#include "query/render.hpp"

namespace docket::query {

namespace {

constexpr std::string_view app_name = "docket";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr unsigned facility_log_audit = 13;
constexpr std::size_t hostname_bytes_max = 255;
constexpr std::size_t msgid_bytes_max = 32;

// A refusal is a rule at work: significant, but normal. A failure is none.
unsigned severity_of(Outcome outcome) {
  constexpr unsigned warning = 4;
  constexpr unsigned notice = 5;
  constexpr unsigned informational = 6;
  switch (outcome) {
    case Outcome::failure:
      return warning;
    case Outcome::denied:
      return notice;
    case Outcome::success:
      break;
  }
  return informational;
}

// A field of the header, which has no escapes: what does not fit is absent there, and stands in the
// structured data.
void append_header_field(std::string& out, std::string_view text, std::size_t bytes_max) {
  const bool fits = !text.empty() && text.size() <= bytes_max &&
                    std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
  out += ' ';
  out += fits ? text : "-";
}

// RFC 5424 has six digits of a second; `ts` in the structured data has them all.
void append_microseconds(std::string& out, Nanos time) {
  constexpr Nanos step = 1000;
  const Nanos rest = time % step;
  append_rfc3339(out, time - (rest < 0 ? rest + step : rest));
}

// The parameters of the structured data. Absent fields are left out.
class Element {
 public:
  explicit Element(std::string& out) : out_(out) { out_ += "[docket@32473"; }

  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      begin(name);
      append_line_text<'"', '\\', ']'>(out_, value, "\\\\", escape);
      out_ += '"';
    }
  }

  // JSON: what separates its tokens may become blanks, within strings there are no such bytes.
  void add_json(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      begin(name);
      append_line_text<'"', '\\', ']', '\n', '\r', '\t'>(out_, value, "\\\\", escape_json);
      out_ += '"';
    }
  }

  void end() { out_ += ']'; }

 private:
  static void escape(std::string& out, char c) {
    out += '\\';
    out += c;
  }
  static void escape_json(std::string& out, char c) {
    if (c == '"' || c == '\\' || c == ']') {
      escape(out, c);
    } else {
      out += ' ';
    }
  }

  void begin(std::string_view name) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
  }

  std::string& out_;
};

void append_element(std::string& out, const StoredView& event) {
  Element element(out);
  element.add("log", event.log);
  element.add("seq", std::to_string(event.seq.value));
  element.add("received", format_rfc3339(event.received));
  element.add("ts", format_rfc3339(event.ts));
  element.add("actor.kind", event.actor.kind);
  element.add("actor.id", event.actor.id);
  element.add("actor.name", event.actor.name);
  element.add("actor.role", event.actor.role);
  element.add("verb", event.verb);
  element.add("target.type", event.target.type);
  element.add("target.id", event.target.id);
  element.add("target.name", event.target.name);
  if (!event.related.empty()) {
    std::string related;
    append_json_targets(related, event.related);
    element.add_json("related", related);
  }
  element.add("affected", std::to_string(event.affected));
  element.add("ip", event.ip ? format_ip(*event.ip) : "");
  element.add("outcome", to_string(event.outcome));
  element.add("reason", event.reason);
  element.add("session", event.session);
  element.add("request", event.request);
  element.add_json("payload", event.payload);
  element.add("node", event.node);
  element.end();
}

}  // namespace

void append_syslog(std::string& out, const StoredView& event) {
  fmt::format_to(std::back_inserter(out), "<{}>1 ",
                 facility_log_audit * 8 + severity_of(event.outcome));
  append_microseconds(out, event.ts);
  append_header_field(out, event.node, hostname_bytes_max);
  append_header_field(out, app_name, app_name.size());
  append_header_field(out, "", 0);  // PROCID: there is no process to name
  append_header_field(out, event.verb, msgid_bytes_max);
  out += ' ';
  append_element(out, event);
  out += ' ';
  out += byte_order_mark;
  append_line_text(out, summary_of(event), "\\", [](std::string&, char) {});
  out += '\n';
}

}  // namespace docket::query
