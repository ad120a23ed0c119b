// Events as lines of NDJSON, as a platform node would write them.
#pragma once

#include <string>
#include <string_view>

#include "engine/event.hpp"

namespace docket::load {

// Appends one object and a newline. Members that have their default are left out.
void append_ndjson(std::string& out, std::string_view log, const EventView& event);

}  // namespace docket::load
