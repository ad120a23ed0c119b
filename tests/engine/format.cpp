#include "tests/engine/format.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/footer.hpp"
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
  manifest.gaps = {{"", Seq(103), Seq(110), "block checksum does not match"}};
  manifest.next_seq = Seq(111);
  manifest.next_segment = SegmentId(3);
  manifest.retired_events = 100;
  manifest.retired_below = Seq(101);
  manifest.proven = Seq(112);
  manifest.producers.stored({"node-1", 1, 1}, Seq(101), 2, receipt_time);
  manifest.producers.stored({"node-1", 2, 1}, Seq(103), 8, receipt_time);
  return manifest;
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
