// history: everything that happened to one object, oldest first, and what its fields came to.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/event_output.hpp"
#include "tools/docket/event_walk.hpp"

namespace docket::cli {

namespace {

// What the diffs of all events so far make of one field.
struct FieldState {
  std::string value;  // JSON text; empty: it was removed
  std::uint64_t changes = 0;
  std::string event;  // the last one that changed it
  Nanos ts = 0;
  std::string actor;
};
using FieldStates = std::map<std::string, FieldState>;

struct ObjectName {
  std::string type, id;
};

Result<ObjectName> object_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    return fail(ErrorCode::invalid_argument, "an object is named TYPE:ID, such as List:5");
  }
  return ObjectName{text.substr(0, colon), text.substr(colon + 1)};
}

bool is_object(const Target& target, const ObjectName& object) {
  // Types ignore case, as in a query.
  return target.id == object.id &&
         std::ranges::equal(target.type, object.type, [](unsigned char a, unsigned char b) {
           return std::tolower(a) == std::tolower(b);
         });
}

// `target:` finds names as well.
bool concerns(const Event& event, const ObjectName& object) {
  return is_object(event.target, object) ||
         std::ranges::any_of(event.related,
                             [&](const Target& target) { return is_object(target, object); });
}

// A diff tells of the event's own target, not of related ones.
std::vector<query::FieldChange> own_changes(const Event& event, const ObjectName& object) {
  return is_object(event.target, object) ? query::payload_changes(event.payload)
                                         : std::vector<query::FieldChange>();
}

void fold(const Event& event, const std::vector<query::FieldChange>& changes, FieldStates& states) {
  for (const query::FieldChange& change : changes) {
    FieldState& state = states[change.path];
    state.value = change.after;
    ++state.changes;
    state.event = event_name(event);
    state.ts = event.ts;
    state.actor = event.actor.kind + ":" + event.actor.id;
  }
}

std::string shown_value(const std::string& json) {
  return json.empty() ? "(none)" : json_for_terminal(json);
}

void write_entry(Context& context, const Event& event,
                 const std::vector<query::FieldChange>& changes) {
  context.out.write(event_line(event, context.terminal, context.zone));
  for (const query::FieldChange& change : changes) {
    const std::string line = fmt::format("    {}: {} -> {}", query::terminal_safe(change.path),
                                         shown_value(change.before), shown_value(change.after));
    context.out.write(
        (context.terminal.columns ? query::fit_width(line, *context.terminal.columns) : line) +
        "\n");
  }
}

void write_states(Context& context, const FieldStates& states) {
  if (states.empty()) {
    return;
  }
  Table table({{"field"},
               {"value"},
               {"changes", Column::Kind::count},
               {"last_event", Column::Kind::text, false, true},
               {"time", Column::Kind::time},
               {"actor"}});
  for (const auto& [field, state] : states) {
    table.add({field, state.value.empty() ? "(none)" : state.value, std::to_string(state.changes),
               state.event, format_rfc3339(state.ts), state.actor});
  }
  context.out.write("\nThe fields that were changed, as the last change left them:\n");
  context.out.write(table.text(context.terminal, context.zone));
}

// Ends the object that began with the events.
std::string json_end(const FieldStates& states, const std::vector<Gap>& gaps) {
  std::string text = "],\"fields\":[";
  const char* separator = "";
  for (const auto& [field, state] : states) {
    text += separator;
    text += "{\"field\":";
    query::append_json_string(text, field);
    text += ",\"value\":" + (state.value.empty() ? "null" : state.value);
    fmt::format_to(std::back_inserter(text),
                   ",\"removed\":{},\"changes\":{},\"event\":", state.value.empty(), state.changes);
    query::append_json_string(text, state.event);
    text += ",\"ts\":\"" + format_rfc3339(state.ts) + "\",\"actor\":";
    query::append_json_string(text, state.actor);
    text += '}';
    separator = ",";
  }
  text += "],";
  query::append_json_gaps(text, gaps);
  return text + '}';
}

}  // namespace

int run_history(Context& context, Source& source) {
  const auto object = object_of(context.arguments.object);
  if (!object) {
    return complain(object.error());
  }
  api::Parameters parameters;
  // What the system did to it, or with it, is in a log that has to be named.
  parameters.set("q", "log:* " + condition("target", context.arguments.object));
  parameters.set("oldest", "1");
  const Format format = context.arguments.format;
  const auto write_part = [&context](std::string_view json) {
    context.out.write(context.terminal.is_terminal ? json_for_terminal(json) : std::string(json));
  };
  FieldStates states;
  std::uint64_t events = 0;
  write_heading(context);
  const auto walked = walk_events(source, parameters, UINT64_MAX, [&](const Event& event) {
    if (!concerns(event, *object)) {
      return true;
    }
    const auto changes = own_changes(event, *object);
    fold(event, changes, states);
    if (format == Format::table) {
      write_entry(context, event, changes);
    } else if (format == Format::json) {
      std::string text = events == 0 ? "{\"target\":" : ",";
      if (events == 0) {
        query::append_json_string(text, context.arguments.object);
        text += ",\"events\":[";
      }
      query::append_json(text, event, query::PayloadForm::as_sent);
      write_part(text);
    } else {
      write_event_record(context, event);
    }
    ++events;
    return !context.out.gone();
  });
  if (!walked) {
    context.out.flush();
    return complain(walked.error());
  }
  if (format == Format::json) {
    std::string text;
    if (events == 0) {
      text = "{\"target\":";
      query::append_json_string(text, context.arguments.object);
      text += ",\"events\":[";
    }
    write_part(text + json_end(states, walked->gaps) + "\n");
  } else if (format == Format::table) {
    write_states(context, states);
  }
  context.out.flush();
  if (events == 0) {
    static_cast<void>(std::fprintf(stderr, "docket: nothing is recorded of %s\n",
                                   query::terminal_safe(context.arguments.object).c_str()));
  }
  return report_gaps(context, walked->gaps);
}

}  // namespace docket::cli
