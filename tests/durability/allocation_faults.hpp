// Memory that runs out on request: operator new and aligned_alloc() of the whole program count, and
// fail where they are told to.
#pragma once

#include <cstdint>
#include <vector>

namespace docket::testing {

// The n-th allocation from now on, counted from 1 over all threads that are exposed, throws
// std::bad_alloc; once. Threads are exposed from their start; see Exempt.
void fail_allocation(std::uint64_t n);
// Nothing fails any more. Whether something has, since fail_allocation().
bool allocation_has_failed();
// Allocations of exposed threads since fail_allocation().
[[nodiscard]] std::uint64_t allocations_seen();
// Allocations of all threads that are not freed.
[[nodiscard]] std::int64_t allocations_alive();

// Which of `all` allocations a loop lets fail: about `count`, evenly spread, or every one where
// DOCKET_EVERY_ALLOCATION is set.
[[nodiscard]] std::vector<std::uint64_t> failing_allocations(std::uint64_t all,
                                                             std::uint64_t count);

// While one lives, the allocations of its thread are not counted and do not fail: for what a test
// does itself. The other takes that back within. They nest.
class Exempt {
 public:
  Exempt();
  ~Exempt();
  Exempt(const Exempt&) = delete;
  Exempt& operator=(const Exempt&) = delete;

 private:
  bool before_;
};
class Exposed {
 public:
  Exposed();
  ~Exposed();
  Exposed(const Exposed&) = delete;
  Exposed& operator=(const Exposed&) = delete;

 private:
  bool before_;
};

}  // namespace docket::testing
