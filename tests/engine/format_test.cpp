// The bytes on disk are those of the golden files, and FORMAT.md quotes them.
#include "tests/engine/format.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/block.hpp"
#include "engine/footer.hpp"
#include "engine/sealed_segment.hpp"
#include "engine/segment_file.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::example_events;
using testing::format_examples;
using testing::hex_dump;

const std::filesystem::path source = DOCKET_SOURCE_DIR;
const std::filesystem::path golden = source / "tests/engine/golden";

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// What the ```hex name=NAME blocks of the text say, by name.
std::map<std::string, std::string> quoted(const std::filesystem::path& path) {
  std::map<std::string, std::string> blocks;
  std::string* into = nullptr;
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  const std::string opening = "```hex name=";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(opening)) {
      into = &blocks[line.substr(opening.size())];
    } else if (line.starts_with("```")) {
      into = nullptr;
    } else if (into != nullptr) {
      *into += line + "\n";
    }
  }
  return blocks;
}

TEST(Format, EncodersWriteTheGoldenBytes) {
  const char* asked = std::getenv("DOCKET_WRITE_GOLDEN");  // NOLINT(concurrency-mt-unsafe)
  for (const auto& [name, bytes] : format_examples()) {
    const auto path = golden / (name + ".hex");
    if (asked != nullptr && std::string(asked) == "1") {
      std::ofstream(path) << hex_dump(bytes);
    }
    EXPECT_EQ(hex_dump(bytes), text_of(path)) << name;
  }
}

TEST(Format, EveryGoldenFileIsAnExample) {
  const auto examples = format_examples();
  for (const auto& entry : std::filesystem::directory_iterator(golden)) {
    EXPECT_TRUE(examples.contains(entry.path().stem().string())) << entry.path();
  }
}

TEST(Format, TextQuotesTheGoldenBytes) {
  const auto examples = format_examples();
  for (const auto& [name, text] : quoted(source / "engine/FORMAT.md")) {
    const std::string stem = std::filesystem::path(name).stem().string();
    ASSERT_TRUE(examples.contains(stem)) << "no example is called " << name;
    EXPECT_EQ(text, text_of(golden / (stem + ".hex"))) << name;
  }
}

TEST(Format, ReadersTakeTheGoldenBytes) {
  const auto examples = format_examples();
  EXPECT_EQ(testing::events_of(examples.at("batch")), example_events());

  const auto header = decode_segment_header(examples.at("segment_header"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->log, "activity");
  EXPECT_EQ(header->first_seq, Seq(101));

  const auto block = decode_block_header(examples.at("block"));
  ASSERT_TRUE(block);
  EXPECT_EQ(block->rows, 2U);
  EXPECT_EQ(block->producer_batch, 1U);

  const auto manifest = decode_manifest(examples.at("manifest"));
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->gaps[0].last_seq, Seq(110));

  testing::SimDisk disk;
  disk.plant("2.seg", examples.at("sealed"));
  const auto file = disk.open("2.seg", OpenMode::read);
  const auto loaded = load_footer(**file, SegmentId(2));
  ASSERT_TRUE(loaded);
  SegmentInfo info;
  info.log = "activity";
  info.id = SegmentId(2);
  info.first_seq = loaded->footer.summary.first_seq;
  info.rows = loaded->footer.summary.rows;
  info.digest = loaded->digest;
  info.path = "2.seg";
  SectionCache cache(1 << 20);
  EXPECT_EQ(testing::read_all(SealedSegment(disk, cache, info)),
            testing::as_stored(example_events(), Seq(101)));
}

}  // namespace
}  // namespace docket
