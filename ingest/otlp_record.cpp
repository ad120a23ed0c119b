#include "ingest/otlp_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>

#include "engine/limits.hpp"
#include "ingest/event_json.hpp"
#include "ingest/json_cursor.hpp"
#include "ingest/json_text.hpp"

namespace docket::ingest {
namespace {

using Attributes = std::vector<OtlpAttribute>;

constexpr std::string_view field_prefix = "docket.";
constexpr std::uint32_t severity_error = 17;  // SEVERITY_NUMBER_ERROR
constexpr std::string_view verb_of_records = "LOG";
constexpr std::string_view unknown = "\"unknown\"";

// Members of an object of JSON, one behind the other.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  std::string& begin(std::string_view name) {
    if (out_.back() != '{') {
      out_ += ',';
    }
    append_json_string(out_, name);
    out_ += ':';
    return out_;
  }
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      append_json_string(begin(name), value);
    }
  }
  void number(std::string_view name, std::uint64_t value) {
    if (value != 0) {
      fmt::format_to(std::back_inserter(begin(name)), "{}", value);
    }
  }
  void json(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      begin(name) += value;
    }
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
};

bool is_field(const OtlpAttribute& attribute) {
  return attribute.key.starts_with(field_prefix);
}

bool has_field(const Attributes& attributes, std::string_view name) {
  return std::ranges::any_of(attributes, [name](const OtlpAttribute& each) {
    const std::string_view key = each.key;
    return is_field(each) &&
           (name.ends_with('.') ? key.substr(field_prefix.size()).starts_with(name)
                                : key.substr(field_prefix.size()) == name);
  });
}

// The text of a JSON string; nothing for any other value.
std::string text_of(std::string_view json) {
  std::string text;
  if (json.size() < 2 || json.front() != '"' ||
      !append_unescaped(text, json.substr(1, json.size() - 2))) {
    text.clear();
  }
  return text;
}

// A related target or a payload may come as what it is, or as its JSON in a string.
void append_field_value(std::string& out, std::string_view name, const std::string& json) {
  if (name == "payload" || name == "related" || name == "affected") {
    const std::string text = text_of(json);
    const bool is_number = name == "affected" && is_json_number(text);
    if (is_json_object(text) || is_json_array(text) || is_number) {
      out += text;
      return;
    }
  }
  out += json;
}

// The fields `docket.name.x` as an object `name`.
void append_part(Object& event, std::string_view name, const Attributes& attributes) {
  const std::string prefix = std::string(field_prefix) + std::string(name) + '.';
  Object part(event.begin(name));
  for (const OtlpAttribute& each : attributes) {
    if (each.key.starts_with(prefix)) {
      part.json(std::string_view(each.key).substr(prefix.size()), each.value);
    }
  }
  part.end();
}

// A value that can be an id, as JSON; else `unknown`.
std::string_view id_of(const Attributes& resource, std::string_view key) {
  const auto found = std::ranges::find(resource, key, &OtlpAttribute::key);
  return found != resource.end() && found->value.size() > 2 && found->value.front() == '"'
             ? std::string_view(found->value)
             : unknown;
}

void append_attributes(Object& into, std::string_view name, const Attributes& attributes,
                       bool with_fields) {
  if (std::ranges::all_of(attributes, [with_fields](const OtlpAttribute& each) {
        return !with_fields && is_field(each);
      })) {
    return;
  }
  Object object(into.begin(name));
  for (const OtlpAttribute& each : attributes) {
    if (with_fields || !is_field(each)) {
      object.begin(each.key) += each.value;
    }
  }
  object.end();
}

void append_payload(Object& event, const OtlpRecord& record, const Attributes& resource,
                    const OtlpScope& scope, bool names_time) {
  Object payload(event.begin("payload"));
  payload.text("severity", record.severity_text);
  payload.number("severity_number", record.severity);
  payload.number("time_unix_nano", names_time ? record.time : 0);
  payload.number("observed_time_unix_nano", record.observed);
  payload.text("event_name", record.event_name);
  payload.json("body", record.body);
  append_attributes(payload, "attributes", record.attributes, false);
  append_attributes(payload, "resource", resource, true);
  if (!scope.name.empty() || !scope.attributes.empty()) {
    Object said(payload.begin("scope"));
    said.text("name", scope.name);
    said.text("version", scope.version);
    append_attributes(said, "attributes", scope.attributes, true);
    said.end();
  }
  payload.text("trace_id", record.trace_id);
  payload.text("span_id", record.span_id);
  payload.end();
}

// A time that an event can have; records of a wrong clock are kept all the same.
std::uint64_t usable(std::uint64_t time, Nanos received) {
  const auto latest = static_cast<std::uint64_t>(received + limits::future_ns_max);
  return time <= latest ? time : 0;
}

}  // namespace

void OtlpScope::clear() {
  name.clear();
  version.clear();
  attributes.clear();
}

void OtlpRecord::clear() {
  time = 0;
  observed = 0;
  severity = 0;
  for (std::string* each : {&severity_text, &event_name, &body, &trace_id, &span_id, &fault}) {
    each->clear();
  }
  attributes.clear();
}

void append_otlp_double(std::string& out, double value) {
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(out), "{}", value);
  } else {
    out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
}

void append_otlp_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out += '"';
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= count ? digits[(group >> (18U - 6U * j)) & 63U] : '=';
    }
  }
  out += '"';
}

void append_otlp_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
}

void append_otlp_event(std::string& out, const OtlpRecord& record, const Attributes& resource,
                       const OtlpScope& scope, Nanos received) {
  const Attributes& fields = record.attributes;
  const bool is_named = std::ranges::any_of(fields, is_field);
  Object event(out);
  for (const OtlpAttribute& each : fields) {
    const std::string_view name =
        std::string_view(each.key).substr(std::min(field_prefix.size(), each.key.size()));
    if (is_field(each) && !name.starts_with("actor.") && !name.starts_with("target.")) {
      append_field_value(event.begin(name), name, each.value);
    }
  }
  if (!is_named) {
    event.text("log", otlp_log);
  }
  std::uint64_t time = usable(record.time, received);
  if (time == 0) {
    time = usable(record.observed, received);
  }
  if (!has_field(fields, "ts")) {
    event.number("ts", time);
  }
  if (has_field(fields, "actor.")) {
    append_part(event, "actor", fields);
  } else {
    Object actor(event.begin("actor"));
    actor.text("kind", "system");
    actor.json("id", id_of(resource, "service.name"));
    actor.end();
  }
  if (!has_field(fields, "verb")) {
    const bool fits =
        !record.event_name.empty() && record.event_name.size() <= limits::verb_bytes_max;
    event.text("verb", fits ? record.event_name : verb_of_records);
  }
  if (has_field(fields, "target.")) {
    append_part(event, "target", fields);
  } else {
    Object target(event.begin("target"));
    target.text("type", "Host");
    target.json("id", id_of(resource, "host.name"));
    target.end();
  }
  if (!has_field(fields, "outcome")) {
    event.text("outcome", record.severity >= severity_error ? "failure" : "success");
  }
  if (!has_field(fields, "request")) {
    constexpr std::size_t trace_id_digits = 32;
    event.text("request", record.trace_id.size() == trace_id_digits ? record.trace_id : "");
  }
  if (!has_field(fields, "payload")) {
    append_payload(event, record, resource, scope, record.time != time);
  }
  event.end();
}

}  // namespace docket::ingest
