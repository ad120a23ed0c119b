#include "tests/engine/format.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/footer.hpp"
#include "engine/prefix_code.hpp"
#include "engine/sealer.hpp"
#include "engine/segment_file.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::testing {
namespace {

constexpr Nanos may_first = 1'777'593'600'000'000'000;  // 2026-05-01T00:00:00Z

}  // namespace

std::vector<Event> example_events() {
  Event created;
  created.ts = may_first;
  created.actor = {"user", "17", "Ann", "owner"};
  created.verb = "CREATE";
  created.target = {"List", "5", "News"};
  created.ip = parse_ip("192.0.2.7");
  Event deleted;
  deleted.ts = may_first + 3'600'000'000'000;
  deleted.actor = {"api_token", "t-1", "", ""};
  deleted.verb = "DELETE";
  deleted.target = {"Contact", "c-1", ""};
  deleted.related = {{"List", "5", "News"}};
  deleted.affected = 2;
  deleted.outcome = Outcome::denied;
  deleted.payload = R"({"a":1})";
  return {created, deleted};
}

Manifest example_manifest() {
  Manifest manifest;
  manifest.generation = 4;
  manifest.log = "activity";
  SegmentInfo info;
  info.id = SegmentId(2);
  info.first_seq = Seq(101);
  info.last_seq = Seq(102);
  info.rows = 2;
  info.ts_min = may_first;
  info.ts_max = may_first + 3'600'000'000'000;
  info.received_max = receipt_time;
  info.bytes = 4096;
  info.sealed = true;
  info.digest = 0x0123456789abcdef;
  manifest.segments = {info};
  manifest.unsealed = {SegmentId(3), SegmentId(4)};
  manifest.gaps = {{"", Seq(103), Seq(110), "block checksum does not match"}};
  manifest.next_seq = Seq(111);
  manifest.next_segment = SegmentId(5);
  manifest.retired_events = 100;
  manifest.retired_below = Seq(101);
  manifest.proven = Seq(112);
  manifest.reserved = Seq(10'502'255);
  manifest.producers.stored({"node-1", 1, 1}, Seq(101), 2, receipt_time);
  manifest.producers.stored({"node-1", 2, 1}, Seq(103), 8, receipt_time);
  return manifest;
}

LogList example_log_list() {
  LogList list;
  list.generation = 2;
  list.put({"activity", SegmentId(4), Seq(101), Seq(10'502'255)});
  list.put({"api", SegmentId(1), Seq(1), Seq(3)});
  return list;
}

Tokens example_tokens() {
  Tokens tokens;
  tokens.texts.emplace_back();
  for (int byte = 0; byte < 256; ++byte) {
    tokens.texts.emplace_back(1, static_cast<char>(byte));
  }
  tokens.texts.insert(tokens.texts.end(), {"News", "contact-", "list"});
  std::ranges::sort(tokens.texts);
  const auto number_of = [&tokens](std::string_view text) {
    return std::ranges::find(tokens.texts, text) - tokens.texts.begin();
  };
  std::vector<std::uint64_t> counts(tokens.texts.size(), 1);
  counts[0] = 200;
  counts[static_cast<std::size_t>(number_of("contact-"))] = 400;
  counts[static_cast<std::size_t>(number_of("list"))] = 150;
  tokens.lengths = prefix_code_lengths(counts, prefix_bits_max);
  std::vector<std::uint64_t> shared(10, 0);
  shared[0] = 1;
  shared[8] = 1;
  shared[9] = 2;
  tokens.shared_lengths = prefix_code_lengths(shared, prefix_bits_max);
  return tokens;
}

std::vector<std::string> example_page() {
  return {"contact-1", "contact-12", "contact-13", "list"};
}

std::vector<CodedExample> coded_examples() {
  std::vector<CodedExample> examples(3);
  examples[0].name = "coded_differences";
  examples[0].width = 12;
  examples[0].traits.is_series = true;
  for (std::uint64_t i = 0; i < 24; ++i) {
    examples[0].values.push_back(1000 + i * 100 + i % 3);
  }
  examples[1].name = "coded_runs";
  examples[1].width = 7;
  examples[1].values = std::vector<std::uint64_t>(64, 5);
  examples[1].values[20] = 90;
  examples[1].values[61] = 90;
  // Of 1,000 ids three stand often, and one only here.
  static const ValueOrder order = [] {
    std::vector<std::uint32_t> counts(1000, 1);
    counts[700] = 900;
    counts[3] = 800;
    counts[999] = 700;
    return ValueOrder::by_frequency(counts);
  }();
  examples[2].name = "coded_ranks";
  examples[2].width = 10;
  examples[2].traits.order = &order;
  for (std::uint64_t i = 0; i < 96; ++i) {
    examples[2].values.push_back(i == 50 ? 250 : i % 8 == 7 ? 999 : i % 3 == 2 ? 3 : 700);
  }
  return examples;
}

std::map<std::string, std::vector<std::byte>> format_examples() {
  std::map<std::string, std::vector<std::byte>> examples;
  examples["segment_header"] =
      encode_segment_header({SegmentKind::active, "activity", SegmentId(2), Seq(101)});
  examples["batch"] = encode(example_events()).bytes;
  HotFile hot(SegmentId(2), Seq(101));
  hot.add(example_events(), Seq(100), 1);
  examples["block"] = {hot.bytes().begin() + static_cast<long>(hot.block_at(0)), hot.bytes().end()};
  SimDisk disk;
  EXPECT_TRUE(disk.make_directories("log"));
  SectionCache cache(1 << 20);
  const auto source = hot.open(disk, "log/hot", cache);
  const auto sealed = seal_segment(disk, {source.get(), "log", example_manifest().producers});
  EXPECT_TRUE(sealed);
  const auto file = disk.content(sealed->info.path);
  examples["sealed"] = file;
  examples["trailer"] = {file.end() - static_cast<long>(trailer_bytes), file.end()};
  examples["manifest"] = encode_manifest(example_manifest());
  examples["log_list"] = encode_log_list(example_log_list());
  PrefixEncoder codes(example_code_lengths);
  BitSink sink(examples["prefix_code"]);
  for (const std::uint32_t symbol : example_symbols) {
    codes.put(symbol, sink);
  }
  sink.finish();
  for (const CodedExample& coded : coded_examples()) {
    EXPECT_TRUE(encode_coded_ints(coded.values, coded.traits,
                                  (coded.values.size() * coded.width + 7) / 8,
                                  examples[coded.name]))
        << coded.name;
  }
  const Tokens tokens = example_tokens();
  const TokenEncoder encoder(tokens);
  encoder.encode(example_text, examples["token_text"]);
  const std::vector<std::string> page = example_page();
  encoder.encode_strings(std::vector<std::string_view>(page.begin(), page.end()),
                         examples["token_page"]);
  return examples;
}

std::string hex_dump(std::span<const std::byte> bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    text += fmt::format("{:04x}:", at);
    for (const std::byte b : bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at))) {
      text += fmt::format(" {:02x}", std::to_integer<unsigned>(b));
    }
    text += '\n';
  }
  return text;
}

}  // namespace docket::testing
