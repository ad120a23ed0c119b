#include "tools/api/export.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "query/render.hpp"
#include "tests/tools/api/store_fixture.hpp"
#include "tools/api/digest.hpp"

namespace docket::api {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ExportTest : public StoreFixture {
 protected:
  // The whole text; `summary_` is what was said of it.
  std::string text(const Parameters& parameters) {
    std::string out;
    auto opened = Export::open(*service_, parameters, nullptr);
    EXPECT_TRUE(opened);
    const auto summary = opened->run([&](std::string_view piece) {
      out += piece;
      return true;
    });
    EXPECT_TRUE(summary);
    summary_ = *summary;
    EXPECT_EQ(opened->record().rows, summary_.rows);
    return out;
  }

  ExportSummary summary_;
};

TEST_F(ExportTest, CsvHasAHeadingAndOneRecordPerEventOldestFirst) {
  add("activity", {event(2, "DELETE"), event(1)});
  const std::string csv = text({});
  EXPECT_THAT(csv,
              StartsWith(std::string(query::csv_header()) + "2026-05-01T00:00:01Z,activity,2"));
  EXPECT_THAT(csv, HasSubstr("\r\n2026-05-01T00:00:02Z,activity,1,user,1,Ada,,DELETE"));
  EXPECT_EQ(summary_.rows, 2U);
}

TEST_F(ExportTest, TheDigestIsOfEveryByte) {
  add("activity", {event(1), event(2)});
  const std::string ndjson = text({{"format", "ndjson"}});
  Sha256 digest;
  digest.update(ndjson);
  EXPECT_EQ(summary_.sha256, digest.finish());
}

TEST_F(ExportTest, AnEmptyExportIsTheHeadingAlone) {
  EXPECT_EQ(text({}), query::csv_header());
  EXPECT_EQ(summary_.rows, 0U);
  EXPECT_EQ(text({{"format", "ndjson"}}), "");
}

TEST_F(ExportTest, SyslogAndCefAreOneLineForEachEvent) {
  add("activity", {event(2), event(1)});
  for (const auto& [format, begin] : {std::pair{"syslog", "<110>1 2026-05-01T00:00:0"},
                                      {"cef", "CEF:0|Docket|docket|1|EDIT|EDIT Contact|3|rt="}}) {
    const std::string lines = text({{"format", format}});
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2) << lines;
    EXPECT_THAT(lines, StartsWith(begin));
    EXPECT_THAT(lines, HasSubstr(std::string("\n") + begin));
    EXPECT_EQ(summary_.rows, 2U);
  }
}

TEST_F(ExportTest, EachFormatHasItsTypeAndFileName) {
  for (const auto& [format, type, name] :
       {std::tuple{"csv", "text/csv; charset=utf-8; header=present", "docket-export.csv"},
        {"ndjson", "application/x-ndjson", "docket-export.ndjson"},
        {"syslog", "text/plain; charset=utf-8", "docket-export.syslog"},
        {"cef", "text/plain; charset=utf-8", "docket-export.cef"}}) {
    const auto opened = Export::open(*service_, {{"format", format}}, nullptr);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->content_type(), type);
    EXPECT_EQ(opened->file_name(), name);
  }
}

TEST_F(ExportTest, RowsEqualTheCountOfTheSameQuery) {
  std::vector<Event> events;
  for (int i = 0; i < 8000; ++i) {
    events.push_back(event(i, i % 3 == 0 ? "DELETE" : "EDIT"));
  }
  add("activity", events);
  text({{"q", "verb:DELETE"}});
  EXPECT_EQ(get("/api/v1/count", {{"q", "verb:DELETE"}}).body,
            "{\"count\":" + std::to_string(summary_.rows) + ",\"gaps\":[]}");
  EXPECT_EQ(summary_.rows, 2667U);
}

TEST_F(ExportTest, AReaderThatStopsEndsItAndOnlyWhatItTookIsRecorded) {
  std::vector<Event> events;
  for (int i = 0; i < 8000; ++i) {
    events.push_back(event(i));
  }
  add("activity", events);
  auto opened = Export::open(*service_, {}, nullptr);
  ASSERT_TRUE(opened);
  int pieces = 0;
  const auto summary = opened->run([&](std::string_view) { return ++pieces < 2; });
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, ErrorCode::cancelled);
  EXPECT_EQ(pieces, 2);
  EXPECT_GT(opened->record().rows, 0U);
  EXPECT_LT(opened->record().rows, 8000U);
}

TEST_F(ExportTest, WhatCannotBeReadIsTheSummarysAndTheRecordsGap) {
  add("activity", {event(1), event(2)});
  ASSERT_TRUE(store_->find_log("activity")->seal());
  add("activity", {event(3)});
  ASSERT_TRUE(store_->close());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    if (entry.path().extension() == ".seg") {
      std::filesystem::remove(entry.path());
    }
  }
  service_.reset();
  store_.reset();
  SetUp();
  auto opened = Export::open(*service_, {{"format", "ndjson"}}, nullptr);
  ASSERT_TRUE(opened);
  const auto summary = opened->run([](std::string_view) { return true; });
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->rows, 1U);
  ASSERT_EQ(summary->gaps.size(), 1U);
  EXPECT_EQ(summary->gaps[0].first_seq, Seq(1));
  EXPECT_EQ(summary->gaps[0].last_seq, Seq(2));
  EXPECT_EQ(opened->record().gaps, summary->gaps);
}

TEST_F(ExportTest, AnExportGoesOnWhereAnEarlierOneEndedWithLateEventsAndNewLogs) {
  add("activity", {event(5), event(6)});
  add("api", {event(7)});
  const std::string first = text({{"format", "ndjson"}});
  EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 3);
  EXPECT_EQ(summary_.position, "activity:2,api:1");
  const std::string position = summary_.position;
  EXPECT_EQ(text({{"format", "ndjson"}, {"after", position}}), "");
  EXPECT_EQ(summary_.position, position);
  add("activity", {event(1)});  // late, before all that was exported
  add("campaign", {event(8)});
  const std::string rest = text({{"format", "ndjson"}, {"after", position}});
  EXPECT_EQ(std::count(rest.begin(), rest.end(), '\n'), 2);
  EXPECT_THAT(rest, StartsWith("{\"seq\":3,"));
  EXPECT_THAT(rest, HasSubstr("\"log\":\"campaign\""));
  EXPECT_EQ(summary_.position, "activity:3,api:1,campaign:1");
}

TEST_F(ExportTest, WhatWasRetiredSinceThePositionIsAGap) {
  add("activity", {event(1)});
  add("api", {event(1)});
  text({});
  const std::string position = summary_.position;
  for (int i = 2; i < 5; ++i) {
    add("activity", {event(i)});
    ASSERT_TRUE(store_->find_log("activity")->seal());
  }
  policy_.max_bytes = 1;
  const auto plans = store_->plan_retirement([&](std::string_view) { return policy_; }, 0, 0);
  ASSERT_GE(plans.size(), 2U);
  for (const RetirementPlan& plan : plans) {
    ASSERT_TRUE(store_->retire(plan));
  }
  const std::string rest = text({{"format", "ndjson"}, {"after", position}});
  ASSERT_EQ(summary_.gaps.size(), 1U);
  EXPECT_EQ(summary_.gaps[0].first_seq, Seq(2));
  EXPECT_EQ(summary_.gaps[0].last_seq.value, 4 - summary_.rows);
  EXPECT_EQ(summary_.gaps[0].reason, "retired before it was looked at");
  text({{"q", "log:api"}, {"after", position}});
  EXPECT_TRUE(summary_.gaps.empty()) << "of a log that is not asked about";
  text({});
  EXPECT_TRUE(summary_.gaps.empty()) << "a first export begins with what there is";
}

TEST_F(ExportTest, ThePositionCoversWhatTheQueryDoesNotFind) {
  add("activity", {event(1, "DELETE"), event(2)});
  add("docket", {event(3)});
  text({{"q", "verb:DELETE"}});
  EXPECT_EQ(summary_.rows, 1U);
  EXPECT_EQ(summary_.position, "activity:2");
  text({{"q", "log:*"}});
  EXPECT_EQ(summary_.position, "activity:2,docket:1");
}

TEST_F(ExportTest, APositionOfAnotherStoreIsRefused) {
  add("activity", {event(1)});
  for (const char* after : {"activity:2", "activity:1,api:1", "nonsense"}) {
    const auto opened = Export::open(*service_, {{"after", after}}, nullptr);
    ASSERT_FALSE(opened) << after;
    EXPECT_EQ(opened.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(opened.error().message, StartsWith("after: "));
  }
}

TEST_F(ExportTest, UnknownFormatsAndOptionsAreRefused) {
  const auto unknown = Export::open(*service_, {{"format", "xml"}}, nullptr);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "format: must be csv, ndjson, syslog or cef");
  EXPECT_FALSE(Export::open(*service_, {{"format", "ndjson"}, {"raw", "1"}}, nullptr));
  EXPECT_FALSE(Export::open(*service_, {{"limit", "5"}}, nullptr));
  EXPECT_FALSE(Export::open(*service_, {{"q", "verb:"}}, nullptr));
}

}  // namespace
}  // namespace docket::api
