// Memory that is not to be had, as an Error: where an allocation may fail in the middle of a change
// of state, or on a thread whose end would be everybody's.
#pragma once

#include <chrono>
#include <new>
#include <thread>
#include <utility>

#include "engine/result.hpp"

namespace docket {

// Retryable. Its text is short enough to need no memory.
[[nodiscard]] inline Error out_of_memory() noexcept {
  return Error{ErrorCode::overloaded, "out of memory", 0, 0, 0};
}

// What `work` returns, which is a Result; out_of_memory() when an allocation fails in it. What it
// has changed by then stays changed.
template <typename Work>
[[nodiscard]] auto within_memory(Work&& work) -> decltype(work()) {
  try {
    return std::forward<Work>(work)();
  } catch (const std::bad_alloc&) {
    return fail(out_of_memory());
  }
}

// What `work` returns, begun again until there is memory for it: for what must be done and may
// block.
template <typename Work>
auto patiently(Work work) -> decltype(work()) {
  constexpr auto pause = std::chrono::milliseconds(5);
  for (;;) {
    try {
      return work();
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(pause);
    }
  }
}

// A copy of the error for whoever is told; without its words when there is no memory for them.
[[nodiscard]] inline Error told(const Error& error) noexcept {
  try {
    return error;
  } catch (const std::bad_alloc&) {
    return Error{error.code, "out of memory", error.sys_errno, error.segment, error.offset};
  }
}

}  // namespace docket
