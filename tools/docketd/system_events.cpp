#include "tools/docketd/system_events.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tools/docketd/address.hpp"
#include "tools/version.hpp"

namespace docket::server {

namespace {

// A payload keeps so much of one text; queries may be longer than a payload may be.
constexpr std::size_t text_bytes_max = std::size_t{16} << 10;

// At most `bytes` bytes, cut between characters; with bytes that are no UTF-8 made visible.
std::string clipped(std::string_view text, std::size_t bytes) {
  std::string safe = is_utf8(text) ? std::string(text) : query::terminal_safe(text);
  if (safe.size() > bytes) {
    std::size_t end = bytes;
    while (end > 0 && (static_cast<unsigned char>(safe[end]) & 0xc0) == 0x80) {
      --end;
    }
    safe.resize(end);
  }
  return safe;
}

// Builds a payload object member by member.
class Payload {
 public:
  Payload& text(std::string_view name, std::string_view value) {
    member(name);
    query::append_json_string(json_, clipped(value, text_bytes_max));
    return *this;
  }
  Payload& number(std::string_view name, std::uint64_t value) {
    return raw(name, std::to_string(value));
  }
  Payload& raw(std::string_view name, std::string_view json) {
    member(name);
    json_ += json;
    return *this;
  }
  [[nodiscard]] std::string finish() { return json_ + '}'; }

 private:
  void member(std::string_view name) {
    json_ += json_.size() > 1 ? "," : "";
    query::append_json_string(json_, name);
    json_ += ':';
  }
  std::string json_ = "{";
};

// The first gaps, as many as a payload has room for, as a JSON array.
std::string gaps_json(const std::vector<Gap>& gaps) {
  std::string list = "[";
  for (const Gap& gap : gaps) {
    const std::string json = Payload()
                                 .text("log", gap.log)
                                 .number("first_seq", gap.first_seq.value)
                                 .number("last_seq", gap.last_seq.value)
                                 .text("reason", clipped(gap.reason, limits::reason_bytes_max))
                                 .finish();
    if (list.size() + json.size() > text_bytes_max) {
      break;
    }
    list += list.size() > 1 ? "," : "";
    list += json;
  }
  return list + ']';
}

Event event_of_system(std::string_view verb, Target target) {
  Event event;
  event.log = system_log_name;
  event.ts = now_ns();
  event.actor.kind = "system";
  event.actor.id = "docketd";
  event.verb = verb;
  event.target = std::move(target);
  return event;
}

std::optional<IpAddress> ip_of(const std::string& peer) {
  if (const auto address = parse_address(peer)) {
    return parse_ip(address->host);
  }
  return parse_ip(peer);
}

struct NoticeRow {
  std::string_view kind, verb;
  Outcome outcome;
};

constexpr std::array notices{
    NoticeRow{"damage_quarantined", "QUARANTINE", Outcome::failure},
    NoticeRow{"damage_met", "QUARANTINE", Outcome::failure},
    NoticeRow{"damage_found", "VERIFY", Outcome::failure},
    NoticeRow{"scrub_failed", "VERIFY", Outcome::failure},
    NoticeRow{"torn_tail_cut", "RECOVER", Outcome::success},
    NoticeRow{"seal_failed", "SEAL", Outcome::failure},
    NoticeRow{"commit_failed", "COMMIT", Outcome::failure},
};

// Whoever was kept out of a port, so many times for this reason.
Event refusal(const std::string& port, const std::string& kind, const std::string& id,
              const std::string& peer, const std::string& reason, std::uint64_t times) {
  Event event = event_of_system("REJECT", {port, "", ""});
  event.actor.kind = kind;
  event.actor.id = clipped(id, limits::id_bytes_max);
  event.affected = times;
  event.outcome = Outcome::denied;
  event.ip = ip_of(peer);
  event.reason = clipped(reason, limits::reason_bytes_max);
  event.payload = Payload().text("peer", peer).text("error", reason).finish();
  return event;
}

}  // namespace

Event started_event(const Settings& settings, std::string_view ingest, std::string_view http) {
  Event event = event_of_system("START", {"Server", "docketd", ""});
  event.payload = Payload()
                      .text("version", version)
                      .number("pid", static_cast<std::uint64_t>(::getpid()))
                      .text("data", settings.data)
                      .text("ingest", ingest)
                      .text("socket", settings.socket)
                      .text("http", http)
                      .finish();
  return event;
}

Event stopped_event(std::string_view cause) {
  Event event = event_of_system("STOP", {"Server", "docketd", ""});
  event.reason = clipped(cause, limits::reason_bytes_max);
  return event;
}

Event reloaded_event(const std::vector<SettingChange>& changes) {
  Event event = event_of_system("CONFIGURE", {"Configuration", "docketd", ""});
  event.affected = changes.size();
  std::string list = "[";
  for (const SettingChange& change : changes) {
    list += list.size() > 1 ? "," : "";
    list += Payload()
                .text("field", change.name)
                .text("old", change.before)
                .text("new", change.after)
                .finish();
    if (list.size() > text_bytes_max) {
      break;
    }
  }
  event.payload = Payload().raw("changes", list + ']').finish();
  return event;
}

Event reload_failed_event(std::string_view error) {
  Event event = event_of_system("CONFIGURE", {"Configuration", "docketd", ""});
  event.outcome = Outcome::failure;
  event.reason = "invalid_configuration";
  event.affected = 0;
  event.payload = Payload().text("error", error).finish();
  return event;
}

Event retired_event(const RetirementPlan& plan) {
  Event event = event_of_system(
      "RETIRE", {"Segment", fmt::format("{}/{}", plan.log, plan.segment.value), ""});
  event.affected = plan.last_seq - plan.first_seq + 1;
  event.reason = clipped(plan.reason, limits::reason_bytes_max);
  event.payload = Payload()
                      .text("log", plan.log)
                      .number("segment", plan.segment.value)
                      .number("first_seq", plan.first_seq.value)
                      .number("last_seq", plan.last_seq.value)
                      .number("bytes", plan.bytes)
                      .finish();
  return event;
}

Event retire_failed_event(const RetirementPlan& plan, std::string_view error) {
  Event event = event_of_system(
      "RETIRE", {"Segment", fmt::format("{}/{}", plan.log, plan.segment.value), ""});
  event.affected = 0;
  event.outcome = Outcome::failure;
  event.reason = clipped(plan.reason, limits::reason_bytes_max);
  event.payload = Payload().text("error", error).finish();
  return event;
}

Event notice_event(const std::string& log, const std::string& kind, const std::string& detail) {
  Event event = event_of_system("NOTICE", {"Log", clipped(log, limits::id_bytes_max), ""});
  event.outcome = Outcome::failure;
  for (const NoticeRow& row : notices) {
    if (row.kind == kind) {
      event.verb = row.verb;
      event.outcome = row.outcome;
    }
  }
  event.reason = clipped(kind, limits::reason_bytes_max);
  event.payload = Payload().text("detail", detail).finish();
  return event;
}

Event rejected_event(const std::string& node, const std::string& peer, const std::string& reason,
                     std::uint64_t times) {
  return refusal("Ingest", "node", node.empty() ? "unknown" : node, peer, reason, times);
}

Event denied_event(const std::string& who, const std::string& peer, const std::string& reason,
                   std::uint64_t times) {
  const std::size_t colon = who.find(':');
  const bool has_kind = colon != std::string::npos && colon + 1 < who.size();
  return refusal("Http", has_kind ? who.substr(0, colon) : "api",
                 has_kind ? who.substr(colon + 1) : who, peer, reason, times);
}

Event read_event(const api::ReadRecord& read, const std::string& token, const std::string& peer,
                 std::string_view failure) {
  Event event = event_of_system(read.operation == "export" ? "EXPORT" : "READ", {"Log", "", ""});
  event.actor.kind = token.empty() ? "api" : "api_token";
  event.actor.id = token.empty() ? "anonymous" : token;
  event.affected = read.rows;
  event.ip = ip_of(peer);
  if (!failure.empty()) {
    event.outcome = Outcome::failure;
    event.reason = clipped(failure, limits::reason_bytes_max);
  }
  Payload payload;
  payload.text("operation", read.operation).text("query", read.query).number("rows", read.rows);
  if (!read.gaps.empty()) {
    payload.raw("gaps", gaps_json(read.gaps)).number("gaps_in_all", read.gaps.size());
  }
  event.payload = payload.finish();
  return event;
}

Event dropped_event(std::uint64_t times) {
  Event event = event_of_system("DROP", {"Log", std::string(system_log_name), ""});
  event.affected = times;
  event.outcome = Outcome::failure;
  event.reason = "queue_full";
  return event;
}

}  // namespace docket::server
