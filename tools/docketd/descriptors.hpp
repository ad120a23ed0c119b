// How many files and sockets this process may have open.
#pragma once

#include <cstdint>

#include "tools/docketd/settings.hpp"

namespace docket::server {

// Raises the soft limit of open files to the hard one. Returns what may be open now.
std::uint64_t raise_descriptor_limit();

// How many senders may be connected when so many descriptors may be open: at most what the limits
// say, and no more than leaves enough to the store, to HTTP and to whoever is refused. At least 1.
[[nodiscard]] std::uint32_t senders_within(std::uint64_t descriptors, const LimitSettings& limits);

}  // namespace docket::server
