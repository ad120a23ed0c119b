#include "tools/docket/event_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

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
    std::string out;
    std::string bytes;
    const auto done = read_event_file(
        {path}, [&bytes](std::string_view piece) { bytes += piece; },
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

TEST_F(EventFileTest, AMissingFileAndADirectoryAreErrors) {
  const auto sink = [](std::uint64_t, const Result<std::string_view>&) -> Result<void> {
    return {};
  };
  EXPECT_EQ(read_event_file({directory_ / "none"}, {}, sink).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_event_file({directory_.path()}, {}, sink).error().code,
            ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace docket::cli
