// An event that owns what a decoder's view only points to.
#pragma once

#include "engine/event.hpp"

namespace docket::testing {

inline Event copy_of(const EventView& view) {
  Event event;
  assign(event, view);
  return event;
}

}  // namespace docket::testing
