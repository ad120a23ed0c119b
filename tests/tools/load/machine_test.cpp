#include "tools/load/machine.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>

#include "tools/load/json_writer.hpp"

namespace docket::load {
namespace {

TEST(Machine, HasCoresMemoryAndAKernel) {
  const Machine machine = describe_machine();
  EXPECT_GE(machine.cores, 1U);
  EXPECT_GT(machine.memory_bytes, std::uint64_t{64} << 20);
  EXPECT_TRUE(machine.kernel.starts_with("Linux ")) << machine.kernel;
  EXPECT_NE(readable(machine).find(machine.kernel), std::string::npos);
}

TEST(Machine, TheProbeLeavesNothingBehind) {
  const auto directory = std::filesystem::temp_directory_path() / "docket-machine-test";
  std::filesystem::create_directories(directory);
  const auto probe = probe_disk(directory);
  ASSERT_TRUE(probe) << probe.error().describe();
  EXPECT_NE(probe->file_system, "unknown");
  EXPECT_GT(probe->free_bytes, 0U);
  EXPECT_GT(probe->fdatasync_p50, 0);
  EXPECT_GE(probe->fdatasync_p99, probe->fdatasync_p50);
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  std::filesystem::remove(directory);
}

TEST(Machine, ADirectoryThatIsNotThereIsAnError) {
  const auto probe = probe_disk("/nowhere/at/all");
  ASSERT_FALSE(probe);
  EXPECT_NE(probe.error().message.find("/nowhere/at/all"), std::string::npos);
}

TEST(Machine, IsWrittenAsJson) {
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  write_json(json, Machine{"A \"quoted\" one", 2, 1024, "Linux 6.1"});
  write_json(json, DiskProbe{"ext4", 5, 78'000, 200'000});
  json.end_array();
  simdjson::dom::parser parser;
  const simdjson::dom::array read = parser.parse(text);
  EXPECT_EQ(read.at(0)["processor"].get_string().value(), "A \"quoted\" one");
  EXPECT_EQ(read.at(0)["cores"].get_uint64().value(), 2U);
  EXPECT_EQ(read.at(1)["fdatasync_4k_p50_ms"].get_double().value(), 0.078);
}

}  // namespace
}  // namespace docket::load
