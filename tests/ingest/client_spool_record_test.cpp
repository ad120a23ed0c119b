#include "ingest/client_spool_record.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "tests/support/random_events.hpp"

namespace docket::client {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint64_t epoch = 1'777'638'123'250'000'000;

Bytes record(std::uint64_t file, SpoolRecordType type, std::uint64_t value, const Bytes& body) {
  Bytes bytes;
  const std::size_t begun = begin_spool_record(bytes);
  append_bytes(bytes, body);
  finish_spool_record(bytes, begun, file, type, 0, value);
  return bytes;
}

Bytes numbers(std::initializer_list<std::uint64_t> values) {
  Bytes bytes;
  for (const std::uint64_t value : values) {
    append_le(bytes, value);
  }
  return bytes;
}

// The bytes of every ```hex NAME block.
std::map<std::string, Bytes> examples() {
  std::ifstream file(DOCKET_SOURCE_DIR "/ingest/SPOOL.md");
  std::map<std::string, Bytes> examples;
  Bytes* into = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```hex ")) {
      into = &examples[line.substr(7)];
    } else if (line.starts_with("```")) {
      into = nullptr;
    } else if (into != nullptr) {
      std::istringstream words(line);
      for (std::string word; words >> word;) {
        into->push_back(static_cast<std::byte>(std::strtoul(word.c_str(), nullptr, 16)));
      }
    }
  }
  return examples;
}

std::string hex(const Bytes& bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    char digits[8];
    std::snprintf(digits, sizeof(digits), "%02x%c", std::to_integer<unsigned>(bytes[i]),
                  i % 16 == 15 || i + 1 == bytes.size() ? '\n' : ' ');
    text += digits;
  }
  return text;
}

TEST(SpoolRecord, TheExamplesOfTheFormatAreWhatTheCodeMakes) {
  std::map<std::string, Bytes> made;
  append_spool_head(made["head"], {1, epoch, 0, 0x0123'4567'89ab'cdefU, "web-1"});
  Bytes body;
  append_spool_log(body, {0, 0, 0, 0, "activity"});
  made["log"] = record(1, SpoolRecordType::log, 1, body);
  EventView event;
  event.ts = static_cast<Nanos>(epoch);
  event.actor = {"user", "17", "", ""};
  event.verb = "EDIT";
  event.target = {"List", "7", ""};
  event.payload = R"({"a":1})";
  body.clear();
  append_spool_event(body, event);
  made["event"] = record(1, SpoolRecordType::event, 0, body);
  made["batch"] = record(1, SpoolRecordType::batch, 1, numbers({0, 1}));
  made["settled"] = record(1, SpoolRecordType::settled, 1, numbers({1}));
  made["epoch"] = record(1, SpoolRecordType::epoch, epoch + 1, {});
  const auto documented = examples();
  for (const auto& [name, bytes] : made) {
    const auto found = documented.find(name);
    ASSERT_NE(found, documented.end()) << name << '\n' << hex(bytes);
    EXPECT_EQ(hex(found->second), hex(bytes)) << name;
  }
}

TEST(SpoolRecord, EveryFieldOfAnEventComesBack) {
  testing::RandomEvents random(5);
  std::vector<TargetView> scratch;
  std::vector<TargetView> related;
  for (const Event& event : random.take(3000)) {
    Bytes body;
    append_spool_event(body, view_of(event, scratch));
    ASSERT_LE(body.size(), spool_body_bytes_max);
    const auto back = parse_spool_event(body, related);
    ASSERT_TRUE(back);
    Event copy;
    assign(copy, *back);
    ASSERT_EQ(copy, event);
    // Every shorter one lacks a field or has a shorter payload.
    for (std::size_t bytes = 0; bytes + event.payload.size() < body.size(); ++bytes) {
      ASSERT_FALSE(parse_spool_event(std::span(body).first(bytes), related)) << bytes;
    }
  }
}

TEST(SpoolRecord, AnyFlippedBitOfARecordIsSeen) {
  Bytes bytes = record(7, SpoolRecordType::batch, 3, numbers({10, 12}));
  ASSERT_TRUE(parse_spool_record(bytes, 7));
  EXPECT_FALSE(parse_spool_record(bytes, 8)) << "of another file";
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const std::byte mask{static_cast<unsigned char>(1U << bit % 8)};
    bytes[bit / 8] ^= mask;
    const std::size_t size = spool_record_size(bytes);
    EXPECT_FALSE(size == bytes.size() && parse_spool_record(bytes, 7)) << bit;
    bytes[bit / 8] ^= mask;
  }
  const auto record = parse_spool_record(bytes, 7);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->value, 3U);
}

TEST(SpoolRecord, AHeadOfANewerVersionIsToldApartFromDamage) {
  Bytes bytes;
  append_spool_head(bytes, {1, 2, 3, 4, "web-1"});
  ASSERT_EQ(bytes.size(), spool_head_bytes);
  EXPECT_EQ(parse_spool_head(bytes).value().node, "web-1");
  bytes[8] = std::byte{2};
  EXPECT_EQ(parse_spool_head(bytes).error().code, ErrorCode::corrupt);
  bytes.resize(spool_head_bytes - 8);
  append_le(bytes, checksum64(bytes));
  EXPECT_EQ(parse_spool_head(bytes).error().code, ErrorCode::newer_format);
}

}  // namespace
}  // namespace docket::client
