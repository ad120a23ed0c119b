#include "tools/docket/export_series.hpp"

#include <gmock/gmock.h>

#include <span>
#include <vector>

#include "tests/support/sim_disk.hpp"
#include "tools/api/digest.hpp"

namespace docket::cli {
namespace {

using docket::testing::Fault;
using docket::testing::SimDisk;
using ::testing::HasSubstr;

const std::string cursor = "/jobs/audit.cursor";
const std::string out = "/jobs/audit.txt";
const ExportQuestion question{"verb:DELETE", "UTC", "csv", false};

std::unique_ptr<SimDisk> new_disk() {
  auto disk = std::make_unique<SimDisk>();
  EXPECT_TRUE(disk->make_directories("/jobs"));
  EXPECT_TRUE(disk->sync_directory("/"));
  EXPECT_TRUE(disk->sync_directory("/jobs"));
  return disk;
}

std::string content(const SimDisk& disk, const std::string& path) {
  const auto bytes = disk.content(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The store is a growing number of events, its position their number. One run exports what is
// behind the cursor, a line an event.
Result<void> run(Disk& disk, int events) {
  DOCKET_ASSIGN(ExportSeries series, ExportSeries::open(disk, cursor, out, question));
  const int after = series.after().empty() ? 0 : std::stoi(series.after());
  api::Sha256 digest;
  for (int i = after + 1; i <= events; ++i) {
    const std::string line = std::to_string(i) + "\n";
    digest.update(line);
    DOCKET_TRY(series.write(line));
  }
  if (after == events) {
    return series.advance(std::to_string(events));
  }
  DOCKET_TRY(series.keep(std::to_string(events), digest.finish()));
  return {};
}

std::vector<std::string> complete_files(const SimDisk& disk) {
  std::vector<std::string> found;
  for (const std::string& path : disk.files()) {
    if (path.ends_with(".txt")) {
      found.push_back(path);
    }
  }
  return found;
}

// Somebody who takes complete files away as they appear.
struct Consumer {
  std::string taken;
  void take(SimDisk& disk) {
    for (const std::string& path : complete_files(disk)) {
      taken += content(disk, path);
      EXPECT_TRUE(disk.unlink(path));
    }
    EXPECT_TRUE(disk.sync_directory("/jobs"));
  }
};

std::string lines_to(int events) {
  std::string lines;
  for (int i = 1; i <= events; ++i) {
    lines += std::to_string(i) + "\n";
  }
  return lines;
}

std::string all_of(const SimDisk& disk) {
  std::string text;
  for (const std::string& path : complete_files(disk)) {
    text += content(disk, path);
  }
  return text;
}

TEST(ExportSeries, EachRunMakesOneFileOfWhatIsNew) {
  const auto disk = new_disk();
  ASSERT_TRUE(run(*disk, 2));
  ASSERT_TRUE(run(*disk, 2));  // nothing new: no file
  ASSERT_TRUE(run(*disk, 3));
  EXPECT_EQ(disk->files(),
            (std::vector<std::string>{"/jobs/audit.000001.txt", "/jobs/audit.000002.txt", cursor,
                                      cursor + ".lock"}));
  EXPECT_EQ(content(*disk, "/jobs/audit.000001.txt"), "1\n2\n");
  EXPECT_EQ(content(*disk, "/jobs/audit.000002.txt"), "3\n");
}

TEST(ExportSeries, FilesAreNumberedInFrontOfTheirExtension) {
  EXPECT_EQ(numbered_file("/a.b/c.csv", 7), "/a.b/c.000007.csv");
  EXPECT_EQ(numbered_file("/a.b/c", 7), "/a.b/c.000007");
  EXPECT_EQ(numbered_file("/a/.c", 7), "/a/.c.000007");
  EXPECT_EQ(numbered_file("c.csv", 1234567), "c.1234567.csv");
}

TEST(ExportSeries, ACursorOfAnotherQuestionIsRefused) {
  const auto disk = new_disk();
  ASSERT_TRUE(run(*disk, 2));
  const auto before = content(*disk, cursor);
  for (const auto& [other, what] :
       {std::pair{ExportQuestion{"verb:EDIT", "UTC", "csv", false}, "query: 'verb:DELETE', not"},
        {ExportQuestion{"verb:DELETE", "Asia/Tokyo", "csv", false}, "time zone: 'UTC', not"},
        {ExportQuestion{"verb:DELETE", "UTC", "cef", false}, "format: 'csv', not 'cef'"},
        {ExportQuestion{"verb:DELETE", "UTC", "csv", true}, "form of cells: '', not '--raw'"}}) {
    const auto refused = ExportSeries::open(*disk, cursor, out, other);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(refused.error().message, HasSubstr(what));
  }
  EXPECT_EQ(content(*disk, cursor), before);
}

TEST(ExportSeries, WhatIsNoCursorIsRefusedAndLeftAsItIs) {
  for (const std::string text : {"", "{}", "time,log\n", "{\"docket_export\":1}", "[1]"}) {
    const auto disk = new_disk();
    disk->plant(cursor, std::as_bytes(std::span(text)));
    const auto refused = ExportSeries::open(*disk, cursor, out, question);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, cursor + " is no cursor of an export");
    EXPECT_EQ(content(*disk, cursor), text);
  }
  const auto disk = new_disk();
  const std::string newer = "{\"docket_export\":2}";
  disk->plant(cursor, std::as_bytes(std::span(newer)));
  EXPECT_EQ(ExportSeries::open(*disk, cursor, out, question).error().code, ErrorCode::newer_format);
}

TEST(ExportSeries, TwoRunsDoNotUseOneCursorAtATime) {
  const auto disk = new_disk();
  const auto first = ExportSeries::open(*disk, cursor, out, question);
  ASSERT_TRUE(first);
  const auto second = ExportSeries::open(*disk, cursor, out, question);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "another export is using " + cursor);
}

TEST(ExportSeries, AFileThatIsThereIsNotReplaced) {
  const auto disk = new_disk();
  const std::string text = "mine";
  disk->plant("/jobs/audit.000001.txt", std::as_bytes(std::span(text)));
  EXPECT_EQ(run(*disk, 2).error().code, ErrorCode::exists);
  EXPECT_EQ(content(*disk, "/jobs/audit.000001.txt"), "mine");
}

TEST(ExportSeries, AFailedRunLeavesNoPartBehind) {
  const auto disk = new_disk();
  {
    auto series = ExportSeries::open(*disk, cursor, out, question);
    ASSERT_TRUE(series);
    ASSERT_TRUE(series->write("half"));
  }
  EXPECT_EQ(disk->files(), std::vector<std::string>{cursor + ".lock"});
}

// What a killed run has promised: the cursor says so, and the part has no name yet.
std::unique_ptr<SimDisk> promised_disk() {
  for (std::uint64_t n = 1;; ++n) {
    const auto disk = new_disk();
    disk->inject({.at = n, .kinds = docket::testing::Io::rename});
    if (run(*disk, 2) || n == 2) {
      return disk->after_kill();
    }
  }
}

TEST(ExportSeries, APromisedPartGetsItsNameWhereverTheNextRunWritesTo) {
  const auto disk = promised_disk();
  ASSERT_THAT(disk->files(), ::testing::Contains("/jobs/audit.000001.txt.part"));
  ASSERT_THAT(content(*disk, cursor), HasSubstr("\"promised\""));
  const auto series = ExportSeries::open(*disk, cursor, "/jobs/other.txt", question);
  ASSERT_TRUE(series);
  EXPECT_EQ(series->completed(), "/jobs/audit.000001.txt");
  EXPECT_EQ(series->after(), "2");
  EXPECT_EQ(content(*disk, "/jobs/audit.000001.txt"), "1\n2\n");
}

TEST(ExportSeries, APromisedPartThatSomebodyChangedIsWrittenAnew) {
  for (const bool again : {false, true}) {
    const auto disk = promised_disk();
    disk->flip_bit("/jobs/audit.000001.txt.part", 1);
    if (again) {  // a run that gives up on the way changes nothing about it
      ASSERT_TRUE(ExportSeries::open(*disk, cursor, out, question));
    }
    ASSERT_TRUE(run(*disk, 3));
    EXPECT_EQ(all_of(*disk), lines_to(3));
  }
}

// Every call fails in turn: for good, as it does for a process that is killed there, or alone, and
// the run ends as it ends after an error. Then the power is lost, or not; then a second run is hit
// the same way at every third of its calls.
TEST(ExportSeries, WhateverIsCutOffNoEventIsTwiceInCompleteFilesAndNoneIsMissing) {
  int cut_off = 0;
  for (const auto& [is_killed, is_power_loss] :
       {std::pair{true, false}, {true, true}, {false, false}, {false, true}}) {
    for (const bool is_consumed : {false, true}) {
      bool first_hit = true;
      for (std::uint64_t n = 1; first_hit; ++n) {
        bool second_hit = true;
        for (std::uint64_t m = 1; second_hit; m += 3) {
          auto disk = new_disk();
          Consumer consumer;
          ASSERT_TRUE(run(*disk, 2));
          const auto crash = [&](std::uint64_t call, int events) {
            disk->inject({.at = call, .forever = is_killed, .seed = n * 1000 + m});
            static_cast<void>(run(*disk, events));
            const bool hit = disk->fault_hit();
            disk = is_power_loss ? disk->after_power_loss(n * 1000 + m) : disk->after_kill();
            if (is_consumed) {
              consumer.take(*disk);
            }
            cut_off += hit ? 1 : 0;
            return hit;
          };
          first_hit = crash(n, 5);
          second_hit = crash(m, 7);
          ASSERT_TRUE(run(*disk, 8));
          if (is_consumed) {
            consumer.take(*disk);
          }
          ASSERT_EQ(is_consumed ? consumer.taken : all_of(*disk), lines_to(8))
              << "call " << n << ", then " << m << (is_power_loss ? ", power lost" : "")
              << (is_killed ? ", killed" : "");
          ASSERT_TRUE(run(*disk, 8));
        }
      }
    }
  }
  EXPECT_GT(cut_off, 500);
}

}  // namespace
}  // namespace docket::cli
