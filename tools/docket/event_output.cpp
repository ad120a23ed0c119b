#include "tools/docket/event_output.hpp"

#include <fmt/format.h>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tools/api/units.hpp"

namespace docket::cli {

namespace {

constexpr std::string_view red = "\033[31m";
constexpr std::string_view green = "\033[32m";
constexpr std::string_view bold = "\033[1m";
constexpr std::string_view plain = "\033[0m";

// Appends "  name      value" lines; what is empty is left out.
class Fields {
 public:
  explicit Fields(std::string& out) : out_(out) {}

  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      fmt::format_to(std::back_inserter(out_), "  {:<10}{}\n", name, query::terminal_safe(value));
    }
  }

 private:
  std::string& out_;
};

}  // namespace

std::string event_name(const Event& event) {
  return fmt::format("{}:{}", event.log, event.seq.value);
}

std::string actor_text(const Actor& actor) {
  return fmt::format("{}:{}{}{}", actor.kind, actor.id, actor.name.empty() ? "" : " ", actor.name);
}

std::string target_text(const Target& target) {
  return fmt::format("{}{}{}{}{}", target.type, target.id.empty() ? "" : ":", target.id,
                     target.name.empty() ? "" : " ", target.name);
}

std::string targets_text(const Event& event) {
  std::string text = target_text(event.target);
  if (!event.related.empty()) {
    text += fmt::format(" +{}", event.related.size());
  }
  if (event.affected != 1) {
    text += fmt::format(" ({} objects)", api::readable_count(event.affected));
  }
  return text;
}

std::string outcome_text(const Event& event) {
  return event.reason.empty() ? std::string(to_string(event.outcome))
                              : fmt::format("{}: {}", to_string(event.outcome), event.reason);
}

std::string ip_text(const Event& event) {
  return event.ip ? format_ip(*event.ip) : "";
}

Table events_table(const std::vector<Event>& events) {
  Table table({{"time", Column::Kind::time},
               {"event", Column::Kind::text, false, true},
               {"actor"},
               {"verb"},
               {"target"},
               {"outcome"},
               {"ip"}});
  for (const Event& event : events) {
    table.add({format_rfc3339(event.ts), event_name(event), actor_text(event.actor), event.verb,
               targets_text(event), outcome_text(event), ip_text(event)});
  }
  return table;
}

std::string event_line(const Event& event, const Terminal& terminal, const query::TimeZone& zone) {
  const std::string line = query::terminal_safe(
      fmt::format("{}  {}  {}  {}  {}  {}{}{}", zone.format(event.ts), event_name(event),
                  actor_text(event.actor), event.verb, targets_text(event), outcome_text(event),
                  event.ip ? "  " : "", ip_text(event)));
  return (terminal.columns ? query::fit_width(line, *terminal.columns) : line) + "\n";
}

std::string event_in_full(const Event& event, const Terminal& terminal,
                          const query::TimeZone& zone) {
  const auto styled = [&terminal](std::string_view style, std::string_view text) {
    return terminal.colour ? fmt::format("{}{}{}", style, text, plain) : std::string(text);
  };
  std::string out = styled(bold, event_name(event)) + "\n";
  Fields fields(out);
  fields.add("time", fmt::format("{} ({})", zone.format(event.ts), zone.name()));
  fields.add("received", zone.format(event.received));
  fields.add("actor", actor_text(event.actor));
  fields.add("role", event.actor.role);
  fields.add("verb", event.verb);
  fields.add("target", target_text(event.target));
  std::string_view label = "related";
  for (const Target& target : event.related) {
    fields.add(label, target_text(target));
    label = "";
  }
  fields.add("affected", api::readable_count(event.affected));
  fields.add("outcome", outcome_text(event));
  fields.add("ip", ip_text(event));
  fields.add("session", event.session);
  fields.add("request", event.request);
  fields.add("node", event.node);
  const auto changes = query::payload_changes(event.payload);
  if (!changes.empty()) {
    out += "  changes\n";
    for (const query::FieldChange& change : changes) {
      out += "    " + query::terminal_safe(change.path) + "\n";
      if (!change.before.empty()) {
        out += "      " + styled(red, "- " + json_for_terminal(change.before)) + "\n";
      }
      if (!change.after.empty()) {
        out += "      " + styled(green, "+ " + json_for_terminal(change.after)) + "\n";
      }
    }
  }
  if (!event.payload.empty()) {
    out += "  payload   " + json_for_terminal(event.payload) + "\n";
  }
  return out;
}

std::string EventDocument::add(const Event& event) {
  std::string text = has_events_ ? "," : "{\"events\":[";
  has_events_ = true;
  query::append_json(text, event, query::PayloadForm::as_sent);
  return text;
}

std::string EventDocument::end(std::string_view next, const std::vector<Gap>& gaps) const {
  std::string text = has_events_ ? "],\"next\":" : "{\"events\":[],\"next\":";
  if (next.empty()) {
    text += "null";
  } else {
    query::append_json_string(text, next);
  }
  text += ',';
  query::append_json_gaps(text, gaps);
  return text + '}';
}

}  // namespace docket::cli
