// The version of the programs, as CMake's project() says it.
#pragma once

#include <string_view>

namespace docket {

inline constexpr std::string_view version = DOCKET_VERSION;

}  // namespace docket
