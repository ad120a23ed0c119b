// Counters of the HTTP listener.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/duration_counts.hpp"
#include "tools/api/routes.hpp"

namespace docket::server {

// The lines of the histogram `name`, in cumulative buckets, as Prometheus takes them; `labels` as
// in `endpoint="count"`, without braces.
void append_histogram(std::string& out, std::string_view name, std::string_view labels,
                      const DurationCounts& counts);

// Thread-safe.
class DurationHistogram {
 public:
  void observe(std::int64_t duration_ns);
  [[nodiscard]] DurationCounts counts() const;

 private:
  std::array<std::atomic<std::uint64_t>, DurationCounts::bounds_us.size() + 1> counts_{};
  std::atomic<std::int64_t> sum_ns_{0};
};

struct HttpMetrics {
  std::atomic<std::uint64_t> connections{0};            // now
  std::atomic<std::uint64_t> connections_accepted{0};   // since start, as all below
  std::atomic<std::uint64_t> connections_refused{0};    // there were too many
  std::atomic<std::uint64_t> tls_failures{0};           // TLS did not come to be
  std::array<std::atomic<std::uint64_t>, 6> answers{};  // by the first digit of the status
  std::atomic<std::uint64_t> exported_rows{0};
  std::atomic<std::uint64_t> duplicate_posts{0};  // by their idempotency key

  // How long answering a question of this endpoint has taken.
  void observe(api::Endpoint endpoint, std::int64_t duration_ns);

  void append(std::string& out) const;

 private:
  std::array<DurationHistogram, api::endpoint_count> durations_;  // by endpoint
};

}  // namespace docket::server
