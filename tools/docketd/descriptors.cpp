#include "tools/docketd/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace docket::server {

namespace {

// Without a sender more, segments must still be begun, sealed and read. A store has two open files
// a log and those that questions are reading.
constexpr std::uint64_t store_descriptors_min = 256;
constexpr std::uint64_t store_share = 8;

}  // namespace

std::uint64_t raise_descriptor_limit() {
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  const struct rlimit raised{limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur < limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
    limit = raised;
  }
  return limit.rlim_cur;
}

std::uint32_t senders_within(std::uint64_t descriptors, const LimitSettings& limits) {
  const std::uint64_t kept = limits.http_connections + limits.exports +
                             std::max(store_descriptors_min, descriptors / store_share);
  const std::uint64_t left = descriptors > kept ? descriptors - kept : 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(limits.ingest_connections, left));
}

}  // namespace docket::server
