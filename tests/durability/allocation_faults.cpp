#include "tests/durability/allocation_faults.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace docket::testing {
namespace {

thread_local bool is_exempt = false;
std::atomic<std::uint64_t> fail_at{0};  // 0: never
std::atomic<std::uint64_t> seen{0};
std::atomic<bool> has_failed{false};
std::atomic<std::int64_t> alive{0};

bool is_to_fail() {
  const bool fails = !is_exempt && seen.fetch_add(1) + 1 == fail_at.load();
  if (fails) {
    has_failed = true;
  }
  return fails;
}

void* allocate(std::size_t bytes, std::size_t alignment) {
  void* memory = nullptr;
  if (!is_to_fail()) {
    memory = alignment <= alignof(std::max_align_t) ? std::malloc(bytes == 0 ? 1 : bytes)
                                                    : ::memalign(alignment, bytes);
  }
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  alive.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

void release(void* memory) noexcept {
  if (memory != nullptr) {
    alive.fetch_sub(1, std::memory_order_relaxed);
    std::free(memory);
  }
}

}  // namespace

void fail_allocation(std::uint64_t n) {
  has_failed = false;
  seen = 0;
  fail_at = n;
}

bool allocation_has_failed() {
  fail_at = 0;
  return has_failed;
}

std::uint64_t allocations_seen() {
  return seen;
}

std::int64_t allocations_alive() {
  return alive;
}

std::vector<std::uint64_t> failing_allocations(std::uint64_t all, std::uint64_t count) {
  const char* const every =
      std::getenv("DOCKET_EVERY_ALLOCATION");  // NOLINT(concurrency-mt-unsafe)
  const std::uint64_t stride = every != nullptr ? 1 : std::max<std::uint64_t>(1, all / count);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t n = 1; n <= all; n += stride) {
    numbers.push_back(n);
  }
  return numbers;
}

Exempt::Exempt() : before_(std::exchange(is_exempt, true)) {}
Exempt::~Exempt() {
  is_exempt = before_;
}
Exposed::Exposed() : before_(std::exchange(is_exempt, false)) {}
Exposed::~Exposed() {
  is_exempt = before_;
}

}  // namespace docket::testing

// Asio takes its memory from here.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return docket::testing::is_to_fail() ? nullptr : ::memalign(alignment, bytes);
}

// The other forms of new and delete call these.
void* operator new(std::size_t bytes) {
  return docket::testing::allocate(bytes, 1);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return docket::testing::allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  docket::testing::release(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  docket::testing::release(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  docket::testing::release(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
  docket::testing::release(memory);
}
