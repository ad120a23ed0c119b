// Assertions for our own bugs. They stay on in release builds: a storage engine that has lost an
// invariant must stop before it writes. Never used on bytes from disk or network.
#pragma once

namespace docket {

// Prints the condition and its place on stderr and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace docket

#define DOCKET_ASSERT(condition)                       \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::docket::assertion_failed(#condition, __FILE__, __LINE__))
