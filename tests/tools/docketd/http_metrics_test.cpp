#include "tools/docketd/http_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(HttpMetrics, BucketsAreCumulativeAndEndWithTheCount) {
  DurationHistogram histogram;
  histogram.observe(50'000);
  histogram.observe(2'000'000);
  histogram.observe(60'000'000'000);
  std::string out;
  append_histogram(out, "t_seconds", "log=\"api\"", histogram.counts());
  EXPECT_THAT(out, StartsWith("t_seconds_bucket{log=\"api\",le=\"0.0001\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("t_seconds_bucket{log=\"api\",le=\"0.001\"} 1\n"
                             "t_seconds_bucket{log=\"api\",le=\"0.0025\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("t_seconds_bucket{log=\"api\",le=\"10\"} 2\n"
                             "t_seconds_bucket{log=\"api\",le=\"+Inf\"} 3\n"
                             "t_seconds_sum{log=\"api\"} 60.00205\n"
                             "t_seconds_count{log=\"api\"} 3\n"));
}

TEST(HttpMetrics, EveryEndpointHasItsSeriesBeforeItIsAsked) {
  HttpMetrics metrics;
  std::string out;
  metrics.append(out);
  EXPECT_THAT(out, HasSubstr("docket_query_duration_seconds_count{endpoint=\"search\"} 0\n"));
  metrics.observe(api::Endpoint::search, 1);
  out.clear();
  metrics.append(out);
  EXPECT_THAT(out, HasSubstr("docket_query_duration_seconds_count{endpoint=\"search\"} 1\n"));
}

}  // namespace
}  // namespace docket::server
