#include "tools/docketd/logger.hpp"

#include <gtest/gtest.h>

namespace docket::server {
namespace {

constexpr Nanos time = 1'000'000'000;

TEST(Logger, LogfmtQuotesWhatIsNotAPlainWord) {
  EXPECT_EQ(format_log_line(LogFormat::logfmt, time, LogLevel::warning, "segment sealed",
                            {{"log", "activity"}, {"detail", "a \"b\"\nc=d"}, {"empty", ""}}),
            "ts=1970-01-01T00:00:01Z level=warning msg=\"segment sealed\" log=activity "
            "detail=\"a \\\"b\\\"\\nc=d\" empty=\"\"");
}

TEST(Logger, JsonIsOneObjectALine) {
  EXPECT_EQ(
      format_log_line(LogFormat::json, time, LogLevel::info, "started", {{"data", "/a \"b\"\n"}}),
      "{\"ts\":\"1970-01-01T00:00:01Z\",\"level\":\"info\",\"msg\":\"started\","
      "\"data\":\"/a \\\"b\\\"\\n\"}");
}

}  // namespace
}  // namespace docket::server
