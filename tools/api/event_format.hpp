// The forms in which events leave as records one behind the other: one list for the API's exports
// and the inspector.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "query/stored_view.hpp"

namespace docket::api {

enum class EventFormat : std::uint8_t { csv, ndjson, syslog, cef };

// Error: invalid_argument, which names them all.
[[nodiscard]] Result<EventFormat> parse_event_format(std::string_view name);
[[nodiscard]] std::string_view to_string(EventFormat format);
[[nodiscard]] std::string_view content_type_of(EventFormat format);
// Of an export: "docket-export.csv".
[[nodiscard]] std::string_view file_name_of(EventFormat format);

// What stands in front of the first record, with its line end; empty for most.
[[nodiscard]] std::string_view heading_of(EventFormat format);
// One record with its line end. `raw`: CSV cells as they are; nothing to the others.
void append_record(std::string& out, const query::StoredView& event, EventFormat format, bool raw);

}  // namespace docket::api
