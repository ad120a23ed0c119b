// How events look: in a table, on a line, in full.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/snapshot.hpp"
#include "query/time_zone.hpp"
#include "tools/docket/table.hpp"

namespace docket::cli {

// The parts of an event as one text each, not made safe for a terminal: `activity:17`;
// `user:17 Ana Lima`; `List:5 Newsletter`; the same with how many more targets and objects there
// are; `denied: rate_limited`; the address or nothing.
[[nodiscard]] std::string event_name(const Event& event);
[[nodiscard]] std::string actor_text(const Actor& actor);
[[nodiscard]] std::string target_text(const Target& target);
[[nodiscard]] std::string targets_text(const Event& event);
[[nodiscard]] std::string outcome_text(const Event& event);
[[nodiscard]] std::string ip_text(const Event& event);

// One row per event: time, name, actor, verb, target, outcome, address.
[[nodiscard]] Table events_table(const std::vector<Event>& events);

// The same on one line with the zone's offset in the time, for a stream that has no end; cut to
// the terminal's width. With the newline.
[[nodiscard]] std::string event_line(const Event& event, const Terminal& terminal,
                                     const query::TimeZone& zone);

// Everything about one event, with its field-level diff.
[[nodiscard]] std::string event_in_full(const Event& event, const Terminal& terminal,
                                        const query::TimeZone& zone);

// Events as one JSON document, as /api/v1/search answers, made while they come: its text is what
// add() returned for each event in turn, and then end().
class EventDocument {
 public:
  [[nodiscard]] std::string add(const Event& event);
  // `next` empty: there are no more. Without a newline.
  [[nodiscard]] std::string end(std::string_view next, const std::vector<Gap>& gaps) const;

 private:
  bool has_events_ = false;
};

}  // namespace docket::cli
