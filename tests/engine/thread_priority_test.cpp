#include "engine/thread_priority.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace docket {
namespace {

int niceness() {
  return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)));
}

TEST(ThreadPriority, OnlyTheCallingThreadGivesWay) {
  const int mine = niceness();
  std::thread([mine] {
    lower_thread_priority(background_niceness);
    EXPECT_EQ(niceness(), std::max(mine, background_niceness));
    lower_thread_priority(idle_niceness);
    EXPECT_EQ(niceness(), idle_niceness);
    lower_thread_priority(background_niceness);
    EXPECT_EQ(niceness(), idle_niceness) << "never less nice than before";
  }).join();
  EXPECT_EQ(niceness(), mine);
}

}  // namespace
}  // namespace docket
