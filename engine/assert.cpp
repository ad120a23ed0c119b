#include "engine/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace docket {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  // The result is of no use on the way to abort().
  static_cast<void>(
      std::fprintf(stderr, "docket: assertion failed: %s (%s:%d)\n", condition, file, line));
  std::abort();
}

}  // namespace docket
