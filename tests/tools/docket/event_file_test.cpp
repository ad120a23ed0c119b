#include "tools/docket/event_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "tests/support/temporary_directory.hpp"

namespace docket::cli {
namespace {

using ::testing::HasSubstr;

class EventFileTest : public ::testing::Test {
 protected:
  // "line=json" or "line!error" of everything found.
  std::string read(const std::string& content) {
    const std::string path = directory_ / "events";
    std::ofstream(path, std::ios::binary) << content;
    return read_at(path, content);
  }

  static std::string read_at(const std::string& path, const std::string& content) {
    std::string out;
    std::string bytes;
    const auto file = EventFile::open(path, false);
    if (!file) {
      return "failed " + file.error().message;
    }
    const auto done = file->read(
        [&bytes](std::string_view piece) { bytes += piece; },
        [&out](std::uint64_t line, const Result<std::string_view>& json) -> Result<void> {
          out += std::to_string(line);
          out += json ? "=" + std::string(*json) : "!" + json.error().message;
          out += ";";
          return {};
        });
    EXPECT_EQ(bytes, content);
    return done ? out : out + "failed " + done.error().message;
  }

  const docket::testing::TemporaryDirectory directory_;
};

TEST_F(EventFileTest, NdjsonLinesKeepTheirNumbersAndBlankOnesArePassedOver) {
  EXPECT_EQ(read("{\"a\":1}\n\n \r\n{\"b\":2}\nnot json\n{\"c\":3}"),
            "1={\"a\":1};4={\"b\":2};5=not json;6={\"c\":3};");
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("\n\n"), "");
}

TEST_F(EventFileTest, ALineThatIsTooLongIsNamedAndTheNextIsRead) {
  const std::string text =
      read("{}\n{" + std::string(event_line_bytes_max + 600'000, 'x') + "\n{\"c\":3}\n");
  EXPECT_THAT(text, HasSubstr("1={};2!line: must be at most"));
  EXPECT_THAT(text, HasSubstr(";3={\"c\":3};"));
}

TEST_F(EventFileTest, CsvRecordsBecomeEventObjects) {
  EXPECT_EQ(read("actor_kind,actor_id,verb,target_type\r\nuser,1,EDIT,List\r\n\r\nuser,2\r\n"),
            "2={\"actor\":{\"kind\":\"user\",\"id\":\"1\"},\"verb\":\"EDIT\","
            "\"target\":{\"type\":\"List\"}};"
            "4!2 cells where the heading has 4;");
  EXPECT_THAT(read("a,b\r\n"), HasSubstr("failed"));
}

TEST_F(EventFileTest, WhatIsNeitherFormIsRefusedWithWhatWasExpected) {
  for (const char* content : {"[{\"verb\":\"EDIT\"}]", "Dear all,\nhere are the events.\n",
                              "say \"cheese", "\"unclosed\n"}) {
    EXPECT_THAT(read(content),
                HasSubstr("expected a JSON object with an event on each line, or CSV"))
        << content;
  }
  EXPECT_THAT(read("actor_kind,actor_id,verb,target_type\n\"u"),
              ::testing::Not(HasSubstr("expected a JSON object")));
}

TEST_F(EventFileTest, AMissingFileAndADirectoryAreErrors) {
  EXPECT_EQ(EventFile::open(directory_ / "none", false).error().code, ErrorCode::not_found);
  EXPECT_EQ(EventFile::open(directory_.path(), false).error().code, ErrorCode::invalid_argument);
}

TEST_F(EventFileTest, AByteOrderMarkIsPassedOver) {
  EXPECT_EQ(read("\xEF\xBB\xBF{\"a\":1}\n"), "1={\"a\":1};");
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "actor_kind,actor_id,verb,target_type\r\nuser,1,EDIT,List\r\n"),
            "2={\"actor\":{\"kind\":\"user\",\"id\":\"1\"},\"verb\":\"EDIT\","
            "\"target\":{\"type\":\"List\"}};");
}

TEST_F(EventFileTest, APipeCanBeReadTwice) {
  const std::string path = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string lines;
  for (int i = 0; i < 100'000; ++i) {
    lines += "{\"a\":1}\n";
  }
  std::thread writer([&] { std::ofstream(path, std::ios::binary) << lines; });
  const auto file = EventFile::open(path, false);
  writer.join();
  ASSERT_TRUE(file) << file.error().message;
  for (int reading = 0; reading < 2; ++reading) {
    std::string bytes;
    std::uint64_t last = 0;
    ASSERT_TRUE(file->read([&bytes](std::string_view piece) { bytes += piece; },
                           [&last](std::uint64_t line, const Result<std::string_view>&) {
                             last = line;
                             return Result<void>();
                           }));
    EXPECT_TRUE(bytes == lines);
    EXPECT_EQ(last, 100'000U);
  }
}

TEST_F(EventFileTest, WhatIsAppendedWhileItIsReadIsLeft) {
  const std::string path = directory_ / "growing";
  std::ofstream(path, std::ios::binary) << "{\"a\":1}\n";
  const auto file = EventFile::open(path, false);
  std::ofstream(path, std::ios::binary | std::ios::app) << "{\"a\":2}\n";
  std::uint64_t lines = 0;
  ASSERT_TRUE(file->read({}, [&lines](std::uint64_t, const Result<std::string_view>&) {
    ++lines;
    return Result<void>();
  }));
  EXPECT_EQ(lines, 1U);
}

}  // namespace
}  // namespace docket::cli
