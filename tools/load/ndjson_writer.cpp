#include "tools/load/ndjson_writer.hpp"

#include <charconv>
#include <cstddef>

#include "engine/timestamp.hpp"

namespace docket::load {
namespace {

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
  out.append(std::begin(digits), end);
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') {
      continue;
    }
    out.append(text, clean, i - clean);
    clean = i + 1;
    if (byte < 0x20) {
      constexpr std::string_view hex = "0123456789abcdef";
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += '\\';
      out += text[i];
    }
  }
  out.append(text, clean);
  out += '"';
}

// `,"name":"value"`, or nothing where the value is absent.
void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    out += ",\"";
    out += name;
    out += "\":";
    append_string(out, value);
  }
}

void append_target(std::string& out, const TargetView& target) {
  out += "{\"type\":";
  append_string(out, target.type);
  append_member(out, "id", target.id);
  append_member(out, "name", target.name);
  out += '}';
}

}  // namespace

void append_ndjson(std::string& out, std::string_view log, const EventView& event) {
  out += "{\"ts\":\"";
  append_rfc3339(out, event.ts);
  out += '"';
  append_member(out, "log", log == "activity" ? std::string_view{} : log);
  out += ",\"actor\":{\"kind\":";
  append_string(out, event.actor.kind);
  append_member(out, "id", event.actor.id);
  append_member(out, "name", event.actor.name);
  append_member(out, "role", event.actor.role);
  out += '}';
  append_member(out, "verb", event.verb);
  out += ",\"target\":";
  append_target(out, event.target);
  if (!event.related.empty()) {
    out += ",\"related\":[";
    for (std::size_t i = 0; i < event.related.size(); ++i) {
      out += i == 0 ? "" : ",";
      append_target(out, event.related[i]);
    }
    out += ']';
  }
  if (event.affected != 1) {
    out += ",\"affected\":";
    append_number(out, event.affected);
  }
  if (event.ip) {
    append_member(out, "ip", format_ip(*event.ip));
  }
  if (event.outcome != Outcome::success) {
    append_member(out, "outcome", to_string(event.outcome));
  }
  append_member(out, "reason", event.reason);
  append_member(out, "session", event.session);
  append_member(out, "request", event.request);
  if (!event.payload.empty()) {
    out += ",\"payload\":";
    out += event.payload;
  }
  out += "}\n";
}

}  // namespace docket::load
