#include "engine/thread_priority.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace docket {

void lower_thread_priority(int niceness) {
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  const int now = ::getpriority(PRIO_PROCESS, thread);
  // Without the right to it the thread stays as it is, which costs others some time and no more.
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, std::max(now, niceness)));
}

}  // namespace docket
