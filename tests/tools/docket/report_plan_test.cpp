#include "tools/docket/report_plan.hpp"

#include <gtest/gtest.h>

#include "engine/timestamp.hpp"
#include "query/parser.hpp"
#include "query/searcher.hpp"

namespace docket::cli {
namespace {

const Nanos now = parse_rfc3339("2026-05-10T12:00:00Z").value();

ReportScope scope(const Report& report, const std::string& query) {
  auto found = scope_of(report, query, query::TimeZone::utc(), now);
  EXPECT_TRUE(found) << query;
  return found.value_or(ReportScope());
}

TEST(ReportPlan, EveryReportIsFoundByItsNameAndNoOther) {
  for (const Report& report : reports()) {
    ASSERT_NE(find_report(report.name), nullptr);
    EXPECT_EQ(find_report(report.name)->name, report.name);
  }
  EXPECT_EQ(find_report("weather"), nullptr);
  EXPECT_EQ(find_report(""), nullptr);
}

TEST(ReportPlan, EverySectionCanBeAskedWhateverItIsRestrictedTo) {
  for (const Report& report : reports()) {
    for (const char* query : {"", "actor:17 OR verb:DELETE", "log:api", "-(a OR b) since:3d"}) {
      const ReportScope asked = scope(report, query);
      for (const ReportSection& section : report.sections) {
        SCOPED_TRACE(std::string(section.title) + " of " + query);
        const auto parsed = query::parse(query_of(asked, section), {});
        ASSERT_TRUE(parsed) << parsed.error().message;
        EXPECT_EQ(parsed->since, asked.since) << "a section is about the same time";
        EXPECT_EQ(parsed->until, asked.until);
        if (section.part == ReportPart::histogram) {
          EXPECT_TRUE(query::parse_bucket_width(section.by));
        }
        std::string_view fields = section.part == ReportPart::facets ? section.by : "";
        while (!fields.empty()) {
          const std::string_view field = fields.substr(0, fields.find(','));
          EXPECT_TRUE(query::parse_facet_field(field)) << field;
          fields.remove_prefix(std::min(fields.size(), field.size() + 1));
        }
      }
    }
  }
}

TEST(ReportPlan, TheTimeIsTheQuerysOrTheReportsOwnUpToNow) {
  const Report& handover = *find_report("handover");
  EXPECT_EQ(scope(handover, "").since, now - Nanos{12} * 3600 * 1'000'000'000);
  EXPECT_EQ(scope(handover, "").until, now);
  EXPECT_EQ(scope(handover, "since:2026-05-01").since,
            parse_rfc3339("2026-05-01T00:00:00Z").value());
  EXPECT_EQ(scope(handover, "since:2026-05-01").until, now);
  EXPECT_EQ(scope(handover, "until:2026-05-01").since, INT64_MIN);
  EXPECT_EQ(scope(handover, "until:2026-05-01").until,
            parse_rfc3339("2026-05-01T00:00:00Z").value());
  // A time that only some events must keep to is none of the whole.
  EXPECT_EQ(scope(handover, "verb:EDIT OR since:2026-05-01").since,
            now - Nanos{12} * 3600 * 1'000'000'000);
}

TEST(ReportPlan, LongTimesAreToldInWiderSpans) {
  constexpr std::uint64_t day = 24ULL * 3'600'000'000'000;
  EXPECT_EQ(width_for("1h", 0), "1h");
  EXPECT_EQ(width_for("1h", day), "1h");
  EXPECT_EQ(width_for("1h", 30 * day), "1d");
  EXPECT_EQ(width_for("1d", day), "1d");
  EXPECT_EQ(width_for("1d", 400 * day), "1d");
  EXPECT_EQ(width_for("1d", 401 * day), "1w");
  EXPECT_EQ(width_for("1h", 3000 * day), "4w");
  EXPECT_EQ(width_for("1d", UINT64_MAX), "52w");
}

TEST(ReportPlan, AnErrorOfTheQueryIsToldAsItIs) {
  const auto wrong = scope_of(*find_report("access"), "vreb:SEND", query::TimeZone::utc(), now);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(wrong.error().message.find('^'), std::string::npos);
}

}  // namespace
}  // namespace docket::cli
