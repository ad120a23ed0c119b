// What a scrub remembers across restarts: how far the round is, and what it has told of.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "engine/counts.hpp"

namespace docket::server {

// A damaged place: file and byte offset.
using ScrubPlace = std::pair<std::string, std::uint64_t>;

struct ScrubState {
  Nanos begun = 0;  // of the round at hand, or of the last one; 0: there has been none
  Nanos ended = 0;  // of the last whole round; 0: there has been none
  // The last that has been looked at in the round at hand, in the order of (log, segment).
  // `log` is empty where it stands at its beginning, or none is at hand.
  std::string log;
  std::uint64_t segment = 0;  // 0: the log's files beside its sealed segments
  std::set<ScrubPlace> told;

  // Whether a round has been begun and not ended.
  [[nodiscard]] bool is_under_way() const { return begun > ended; }
  friend bool operator==(const ScrubState&, const ScrubState&) = default;
};

// Text, with a checksum: engine/FORMAT.md, "Directory".
[[nodiscard]] std::string encode_scrub_state(const ScrubState& state);
// A state of before the first round where the text is not what was written: the scrub begins anew.
[[nodiscard]] ScrubState decode_scrub_state(std::string_view text);

}  // namespace docket::server
