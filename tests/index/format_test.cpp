// The example of index/FORMAT.md, byte for byte.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "index/index_builder.hpp"
#include "tests/support/memory_segment.hpp"

namespace docket::index {
namespace {

// The hexadecimal lines behind the heading "Example": offset, two blanks, bytes.
std::vector<std::byte> example_of(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::vector<std::byte> bytes;
  bool in_example = false;
  for (std::string line; std::getline(file, line);) {
    in_example = in_example || line == "## Example";
    if (!in_example || !line.starts_with("    0")) {
      continue;
    }
    std::istringstream words(line.substr(line.find("  ", 4)));
    for (std::string word; words >> word;) {
      bytes.push_back(static_cast<std::byte>(std::stoul(word, nullptr, 16)));
    }
  }
  return bytes;
}

std::vector<Event> events_of_the_example() {
  Event made;
  made.ts = 1'777'593'600'000'000'000;
  made.actor = Actor{"user", "7", "Ann", ""};
  made.verb = "CREATE";
  made.target = Target{"List", "5", ""};
  made.ip = parse_ip("10.0.0.1");
  Event deleted = made;
  deleted.ts += 60'000'000'000;
  deleted.verb = "DELETE";
  return {made, deleted};
}

std::string hexadecimal(const std::vector<std::byte>& bytes) {
  std::ostringstream out;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    char text[32];
    if (at % 16 == 0) {
      std::snprintf(text, sizeof text, "%s    %04zx ", at == 0 ? "" : "\n", at);
      out << text;
    }
    std::snprintf(text, sizeof text, " %02x", std::to_integer<unsigned>(bytes[at]));
    out << text;
  }
  return out.str();
}

TEST(IndexFormat, TheExampleIsWhatTheBuilderMakes) {
  const std::vector<Event> events = events_of_the_example();
  const auto segment =
      docket::testing::MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  segment->set_digest(0x0102030405060708);
  const auto bytes = build_index(*segment);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(example_of(DOCKET_SOURCE_DIR "/index/FORMAT.md"), *bytes) << "what it makes now:\n"
                                                                      << hexadecimal(*bytes);
}

}  // namespace
}  // namespace docket::index
