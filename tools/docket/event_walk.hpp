// Walking through the events that a query finds, page by page.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/result.hpp"
#include "engine/snapshot.hpp"
#include "tools/api/url.hpp"
#include "tools/docket/source.hpp"

namespace docket::cli {

// The API's answer about the event `LOG:SEQ`, one JSON object. Errors: invalid_argument (no such
// name can be), and the source's own.
[[nodiscard]] Result<std::string> event_json(Source& source, const std::string& name);

struct Walked {
  std::vector<Gap> gaps;  // of all pages, each once
  bool more = false;      // there were more than asked for
};

// Gives at most `wanted` events of a search to `sink`, in the order asked for, until it returns
// false. `parameters` are those of /api/v1/search without `limit` and `cursor`.
[[nodiscard]] Result<Walked> walk_events(Source& source, api::Parameters parameters,
                                         std::uint64_t wanted,
                                         const std::function<bool(const Event&)>& sink);

// A condition on one exact value, whatever characters it has: `actor:"user:17"`.
[[nodiscard]] std::string condition(std::string_view field, std::string_view value);

}  // namespace docket::cli
