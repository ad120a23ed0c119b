// An event that owns what a decoder's view only points to.
#pragma once

#include <string>

#include "engine/event.hpp"

namespace docket::testing {

inline Event copy_of(const EventView& view) {
  Event event;
  event.ts = view.ts;
  event.actor = {std::string(view.actor.kind), std::string(view.actor.id),
                 std::string(view.actor.name), std::string(view.actor.role)};
  event.verb = view.verb;
  event.target = {std::string(view.target.type), std::string(view.target.id),
                  std::string(view.target.name)};
  for (const auto& target : view.related) {
    event.related.push_back(
        {std::string(target.type), std::string(target.id), std::string(target.name)});
  }
  event.affected = view.affected;
  event.ip = view.ip;
  event.outcome = view.outcome;
  event.reason = view.reason;
  event.session = view.session;
  event.request = view.request;
  event.payload = view.payload;
  return event;
}

}  // namespace docket::testing
