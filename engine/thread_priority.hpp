// Who gives way to whom on a busy processor.
#pragma once

namespace docket {

// Work that keeps up where the processor has time to spare, and goes on, slowly, where it has not:
// about a quarter of a core beside a thread in the way of an answer.
inline constexpr int background_niceness = 5;
// Work that nobody waits for.
inline constexpr int idle_niceness = 19;

// The calling thread alone gives way from here on, as Linux has it (setpriority(2) of a thread). It
// is never less nice than before: that would need a privilege.
void lower_thread_priority(int niceness);

}  // namespace docket
