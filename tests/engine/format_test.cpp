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
#include "tests/support/string_list.hpp"

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
  // Beside these it names the files of what would take pages.
  constexpr std::size_t quoted_bytes_max = 400;
  const auto examples = format_examples();
  const auto blocks = quoted(source / "engine/FORMAT.md");
  for (const auto& [name, text] : blocks) {
    ASSERT_TRUE(examples.contains(name)) << "no example is called " << name;
    EXPECT_EQ(text, text_of(golden / (name + ".hex"))) << name;
  }
  for (const auto& [name, bytes] : examples) {
    EXPECT_TRUE(blocks.contains(name) || bytes.size() > quoted_bytes_max) << name;
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

  EXPECT_EQ(manifest->unsealed, (std::vector{SegmentId(3), SegmentId(4)}));

  const auto list = decode_log_list(examples.at("log_list"));
  ASSERT_TRUE(list);
  EXPECT_EQ(list->logs, testing::example_log_list().logs);

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

// With the bytes behind it that a reader of bits needs.
std::vector<std::byte> padded(std::vector<std::byte> bytes) {
  bytes.resize(bytes.size() + bit_source_padding);
  return bytes;
}

TEST(Format, CodesAreReadFromTheGoldenBytes) {
  const auto examples = format_examples();
  const auto code = padded(examples.at("prefix_code"));
  BitSource bits(std::span<const std::byte>(code).first(code.size() - bit_source_padding));
  const auto decoder = PrefixDecoder::make(testing::example_code_lengths);
  ASSERT_TRUE(decoder);
  for (const std::uint32_t symbol : testing::example_symbols) {
    const auto step = decoder->step(bits.peek());
    EXPECT_EQ(step.symbol, symbol);
    bits.skip(step.bits);
  }
  EXPECT_TRUE(bits.is_at_end());

  for (const testing::CodedExample& coded : testing::coded_examples()) {
    const auto& stored = examples.at(coded.name);
    const auto bytes = padded(stored);
    std::vector<std::uint64_t> values;
    const auto order =
        coded.traits.order == nullptr ? std::vector<std::uint32_t>() : coded.traits.order->ids();
    ASSERT_TRUE(decode_coded_ints(std::span(bytes).first(stored.size()), coded.width, order,
                                  static_cast<std::uint32_t>(coded.values.size()),
                                  [&values](std::span<const std::uint64_t> piece) {
                                    values.insert(values.end(), piece.begin(), piece.end());
                                  }))
        << coded.name;
    EXPECT_EQ(values, coded.values) << coded.name;
  }

  const Tokens tokens = testing::example_tokens();
  const auto table =
      TokenTable::make(testing::list_of(tokens.texts), tokens.lengths, tokens.shared_lengths);
  ASSERT_TRUE(table);
  const auto text = padded(examples.at("token_text"));
  std::string raw(testing::example_text.size(), ' ');
  ASSERT_TRUE(table->decode(std::span(text).first(text.size() - bit_source_padding),
                            std::as_writable_bytes(std::span(raw))));
  EXPECT_EQ(raw, testing::example_text);
  const auto page = padded(examples.at("token_page"));
  const auto strings =
      table->decode_strings(std::span(page).first(page.size() - bit_source_padding), 4);
  ASSERT_TRUE(strings);
  for (std::uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ((*strings)[i], testing::example_page()[i]);
  }
}

}  // namespace
}  // namespace docket
