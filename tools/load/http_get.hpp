// One question over HTTP, on a connection of its own.
#pragma once

#include <cstdint>
#include <string>

#include "engine/result.hpp"
#include "tools/load/access.hpp"

namespace docket::load {

// The body of the answer to `GET target`, however long it takes up to two minutes without a byte.
// Error: io; invalid_argument for an answer other than 200, with the answer.
[[nodiscard]] Result<std::string> http_get(const std::string& address, std::uint16_t port,
                                           const std::string& target, const Access& access = {});

}  // namespace docket::load
