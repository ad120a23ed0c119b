// Counters of the HTTP listener.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "tools/api/routes.hpp"

namespace docket::server {

// Durations in cumulative buckets, as Prometheus takes them. Thread-safe.
class DurationHistogram {
 public:
  void observe(std::int64_t duration_ns);
  // The lines of the metric `name`; `labels` as in `endpoint="count"`, without braces.
  void append(std::string& out, std::string_view name, std::string_view labels) const;
  [[nodiscard]] bool empty() const { return counts_.back() == 0; }

 private:
  // Upper bounds; one count more is of all.
  static constexpr std::array<std::int64_t, 14> bounds_us{
      100,    250,    500,     1'000,   2'500,     5'000,     10'000,
      25'000, 50'000, 100'000, 250'000, 1'000'000, 2'500'000, 10'000'000};
  std::array<std::atomic<std::uint64_t>, bounds_us.size() + 1> counts_{};
  std::atomic<std::int64_t> sum_ns_{0};
};

struct HttpMetrics {
  std::atomic<std::uint64_t> connections{0};            // now
  std::atomic<std::uint64_t> connections_accepted{0};   // since start, as all below
  std::atomic<std::uint64_t> connections_refused{0};    // there were too many
  std::atomic<std::uint64_t> tls_failures{0};           // TLS did not come to be
  std::array<std::atomic<std::uint64_t>, 6> answers{};  // by the first digit of the status
  std::atomic<std::uint64_t> exported_rows{0};

  // How long answering a question of this endpoint has taken.
  void observe(api::Endpoint endpoint, std::int64_t duration_ns);

  void append(std::string& out) const;

 private:
  std::array<DurationHistogram, api::endpoint_count> durations_;  // by endpoint
};

}  // namespace docket::server
