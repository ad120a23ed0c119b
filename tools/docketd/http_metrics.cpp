#include "tools/docketd/http_metrics.hpp"

#include <fmt/format.h>

#include "engine/assert.hpp"

namespace docket::server {

namespace {

struct EndpointName {
  api::Endpoint endpoint;
  std::string_view name;
};

// The operations that ask something of the store.
constexpr std::array query_names{
    EndpointName{api::Endpoint::search, "search"},
    EndpointName{api::Endpoint::count, "count"},
    EndpointName{api::Endpoint::facets, "facets"},
    EndpointName{api::Endpoint::histogram, "histogram"},
    EndpointName{api::Endpoint::explain, "explain"},
    EndpointName{api::Endpoint::event, "event"},
    EndpointName{api::Endpoint::export_events, "export"},
    EndpointName{api::Endpoint::post_events, "post_events"},
    EndpointName{api::Endpoint::post_otlp, "post_otlp"},
};

}  // namespace

void append_histogram(std::string& out, std::string_view name, std::string_view labels,
                      const DurationCounts& counts) {
  std::uint64_t up_to = 0;
  for (std::size_t i = 0; i < DurationCounts::bounds_us.size(); ++i) {
    up_to += counts.counts[i];
    fmt::format_to(std::back_inserter(out), "{}_bucket{{{},le=\"{}\"}} {}\n", name, labels,
                   static_cast<double>(DurationCounts::bounds_us[i]) / 1e6, up_to);
  }
  up_to += counts.counts.back();
  fmt::format_to(std::back_inserter(out),
                 "{0}_bucket{{{1},le=\"+Inf\"}} {2}\n{0}_sum{{{1}}} {3}\n{0}_count{{{1}}} {2}\n",
                 name, labels, up_to, static_cast<double>(counts.sum) / 1e9);
}

void DurationHistogram::observe(std::int64_t duration_ns) {
  ++counts_[DurationCounts::bucket_of(duration_ns)];
  sum_ns_ += duration_ns;
}

DurationCounts DurationHistogram::counts() const {
  DurationCounts counts;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts.counts[i] = counts_[i].load();
  }
  counts.sum = sum_ns_.load();
  return counts;
}

void HttpMetrics::observe(api::Endpoint endpoint, std::int64_t duration_ns) {
  const auto place = static_cast<std::size_t>(endpoint);
  DOCKET_ASSERT(place < durations_.size());
  durations_[place].observe(duration_ns);
}

void HttpMetrics::append(std::string& out) const {
  const auto single = [&out](std::string_view name, std::string_view type, std::string_view help,
                             std::uint64_t value) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help,
                   type, value);
  };
  single("docket_http_connections", "gauge", "HTTP connections open now.", connections.load());
  single("docket_http_connections_accepted_total", "counter", "HTTP connections accepted.",
         connections_accepted.load());
  single("docket_http_connections_refused_total", "counter",
         "HTTP connections refused because there were too many.", connections_refused.load());
  single("docket_http_tls_failures_total", "counter",
         "HTTP connections that said something and did not come to speak TLS.",
         tls_failures.load());
  single("docket_exported_rows_total", "counter", "Rows given to exports.", exported_rows.load());
  single("docket_http_posts_duplicate_total", "counter",
         "Posts repeated under an idempotency key although they were stored.",
         duplicate_posts.load());
  out +=
      "# HELP docket_http_answers_total Answers by class of status.\n"
      "# TYPE docket_http_answers_total counter\n";
  for (std::size_t digit = 2; digit < answers.size(); ++digit) {
    fmt::format_to(std::back_inserter(out), "docket_http_answers_total{{class=\"{}xx\"}} {}\n",
                   digit, answers[digit].load());
  }
  out +=
      "# HELP docket_query_duration_seconds From the request's head to the answer.\n"
      "# TYPE docket_query_duration_seconds histogram\n";
  for (const EndpointName& row : query_names) {
    append_histogram(out, "docket_query_duration_seconds", fmt::format("endpoint=\"{}\"", row.name),
                     durations_[static_cast<std::size_t>(row.endpoint)].counts());
  }
}

}  // namespace docket::server
