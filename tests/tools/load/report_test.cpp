#include "tools/load/report.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tools/load/json_writer.hpp"
#include "tools/load/measured_run.hpp"

namespace docket::load {
namespace {

std::string run_json(double rate) {
  MeasuredRun run;
  run.rate = rate;
  run.report.durable = 1000;
  run.report.seconds = 1000 / rate;
  run.report.latency.add(2'000'000, 990);
  run.report.latency.add(static_cast<std::int64_t>(rate * 9'000), 10);
  run.server = RunUsage{0.5, 1 << 20, 2 << 20, 50'000};
  run.store = RunStore{1000, 50'000, 10, 1, 0};
  run.timeline = {{0.1, 600, 1, 5, 1, 0}, {0.2, 400, 1, 9, 0, 2}};
  run.slice_ms = 100;
  std::string text;
  JsonWriter json(text);
  write_json(json, run);
  return text;
}

std::string sweep_json() {
  const std::string questions =
      R"([{"name":"newest <50>","asked":9,"failed":1,"latency_ms":{"p50":1,"p90":2,"p99":3,)"
      R"("p99.9":3,"max":4,"mean":1},"latency_histogram_ns":{"max":5000000,"sum":9000000,)"
      R"("buckets":[[2000000,2],[5013503,1]]}}])";
  const auto step = [&](double rate) {
    return R"({"sustained":true,"run":)" + run_json(rate) + R"(,"questions":)" + questions + "}";
  };
  return R"({"kind":"sweep","format":1,"version":"9.9","when":"x",)"
         R"("machine":{"processor":"CPU <1>",)"
         R"("cores":2,"memory_bytes":1073741824,"kernel":"Linux 6"},"disk":null,)"
         R"("protocol":"native","connections":1,"batch_rows":1,"seconds":1,"warm_up_seconds":0,)"
         R"("capacity_events_per_second":5000,"knee":{"step":1,"rate":2000,)"
         R"("events_per_second":2000,"ack_p99_ms":18},"steps":[)" +
         step(1000) + "," + step(2000) + "," + step(4000) + R"(],"questions_at_rest":)" +
         questions + "}";
}

TEST(Report, ASweepShowsItsKneeItsCurvesAndItsMarks) {
  const auto page = render_report({{"night.json", sweep_json()}});
  ASSERT_TRUE(page) << page.error().message;
  for (const char* part :
       {"2000 (knee)", "class=\"mark knee\"", "Durable-ack latency against offered rate",
        "1 segments sealed", "2 segments retired", "50.0", "newest &lt;50&gt;", "CPU &lt;1&gt;",
        "<td>6</td><td>2</td><td>2.01</td>", "<td>3</td><td>1</td><td>2.01</td>", "night.json",
        "prefers-color-scheme:dark"}) {
    EXPECT_NE(page->find(part), std::string::npos) << part;
  }
  EXPECT_EQ(page->find("<1>"), std::string::npos) << "what stands in a file is no markup";
}

TEST(Report, ThePageNeedsNothingElse) {
  const auto page = render_report({{"", sweep_json()}});
  ASSERT_TRUE(page);
  for (const char* part : {"<script", "http://", "https://", "url(", "@import", "src=", "href="}) {
    EXPECT_EQ(page->find(part), std::string::npos) << part;
  }
}

TEST(Report, SeveralFilesMakeOnePage) {
  const std::string send =
      R"({"kind":"send","format":1,"version":"9.9","machine":{"processor":"CPU","cores":2,)"
      R"("memory_bytes":1,"kernel":"Linux 6"},"disk":{"file_system":"ext4","free_bytes":1,)"
      R"("fdatasync_4k_p50_ms":0.078,"fdatasync_4k_p99_ms":0.2},"runs":[)" +
      run_json(1000) + "]}";
  const auto page = render_report({{"a.json", sweep_json()}, {"b.json", send}});
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_NE(page->find("0.078"), std::string::npos);
  EXPECT_NE(page->find("<h2>Runs</h2>"), std::string::npos);
  EXPECT_NE(page->find("<h2>Sweep"), std::string::npos);
}

TEST(Report, WhatIsNoSuchDocumentIsNamed) {
  for (const char* text : {"", "{", "[]", R"({"kind":"sweep","format":1})",
                           R"({"kind":"other","format":1})", R"({"kind":"sweep","format":2})"}) {
    const auto page = render_report({{"bad.json", text}});
    ASSERT_FALSE(page) << text;
    EXPECT_TRUE(page.error().message.starts_with("bad.json: ")) << page.error().message;
  }
}

TEST(Report, ADocumentOfANewerFormIsToldAsSuch) {
  const auto page = render_report({{"new.json", R"({"kind":"sweep","format":2})"}});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::newer_format);
}

TEST(Report, APlanShowsItsFiguresHowTheyWereDerivedAndWhatDoesNotHold) {
  const auto page = render_report(
      {{"", R"({"kind":"plan","format":1,"version":"9.9","when":"x","machine":{"processor":"CPU",)"
            R"("cores":2,"memory_bytes":1,"kernel":"Linux 6"},"disk":null,"asked":{)"
            R"("events_per_day":5000000,"retention_days":365,"peak_factor":4},"forecast":[)"
            R"({"key":"a","name":"Disk <x>","value":1073741824,"unit":"bytes","how":"a x b"},)"
            R"({"key":"b","name":"Ack","value":null,"unit":"ms","how":"beyond"}],)"
            R"("tolerance":0.15,"verification":[)"
            R"({"name":"Disk","unit":"bytes","forecast":100,"measured":100,"deviation":0,)"
            R"("within":true},{"name":"Ack","unit":"ms","forecast":3,"measured":2,)"
            R"("deviation":0.5,"within":false}]})"}});
  ASSERT_TRUE(page) << page.error().message;
  for (const char* part : {"5 M events a day", "Disk &lt;x&gt;", "1.00 GiB", "a x b", "unknown",
                           "within 15 %", "+50.0 % (beyond)", "+0.0 %"}) {
    EXPECT_NE(page->find(part), std::string::npos) << part;
  }
}

TEST(Report, FilesAreReadAndWrittenWhole) {
  const auto path = std::filesystem::temp_directory_path() / "docket-report-test";
  ASSERT_TRUE(write_file(path, std::string("a\0b\n", 4)));
  EXPECT_EQ(read_file(path).value(), std::string("a\0b\n", 4));
  std::filesystem::remove(path);
  EXPECT_FALSE(read_file(path));
  EXPECT_FALSE(write_file("/nowhere/at/all", "x"));
}

}  // namespace
}  // namespace docket::load
