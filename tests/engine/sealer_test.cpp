#include "engine/sealer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/bytes.hpp"
#include "engine/footer.hpp"
#include "engine/limits.hpp"
#include "engine/sealed_segment.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::as_stored;
using testing::HotFile;
using testing::plain_events;
using testing::read_all;

class SealerTest : public ::testing::Test {
 protected:
  SealerTest() { static_cast<void>(disk_.make_directories("log")); }

  // Seals the file; fails the test where that is impossible.
  void seal(HotFile& file) {
    hot_ = file.open(disk_, "log/1.hot", cache_);
    const auto sealed = seal_segment(disk_, {hot_.get(), "log", producers_});
    ASSERT_TRUE(sealed) << sealed.error().describe();
    result_ = *sealed;
    if (result_.info.rows != 0) {
      segment_ = std::make_shared<SealedSegment>(disk_, cache_, result_.info);
    }
  }
  [[nodiscard]] Footer footer() {
    const auto file = disk_.open(result_.info.path, OpenMode::read);
    return load_footer(**file, result_.info.id).value().footer;
  }
  [[nodiscard]] std::vector<std::uint32_t> block_rows() const {
    std::vector<std::uint32_t> rows;
    const auto blocks = segment_->blocks().value();
    for (const BlockInfo& block : blocks) {
      rows.push_back(block.rows);
    }
    return rows;
  }

  testing::SimDisk disk_;
  SectionCache cache_{8 << 20};
  ProducerTable producers_;
  std::shared_ptr<const SegmentBase> hot_;
  SealResult result_;
  std::shared_ptr<SealedSegment> segment_;
};

TEST_F(SealerTest, EveryEventIsTheSameBeforeAndAfter) {
  testing::RandomEvents random(7);
  HotFile file;
  for (const std::size_t rows : {1, 500, 3, 8192, 1, 1, 4000, 8192, 100}) {
    file.add(random.take(rows));
  }
  seal(file);
  EXPECT_TRUE(result_.losses.empty());
  const auto before = read_all(*hot_);
  ASSERT_EQ(before.size(), 20990U);
  EXPECT_TRUE(before == read_all(*segment_));
}

TEST_F(SealerTest, SmallBlocksBecomeFullOnes) {
  HotFile file;
  for (std::uint64_t n = 0; n < 300; ++n) {
    file.add(plain_events(30, n * 30));
  }
  seal(file);
  EXPECT_EQ(block_rows(), (std::vector<std::uint32_t>{8192, 808}));
  EXPECT_TRUE(read_all(*segment_) == as_stored(plain_events(9000)));
}

TEST_F(SealerTest, InfoSaysWhatIsInTheFile) {
  HotFile file(SegmentId(9), Seq(1001));
  file.add(plain_events(10));
  file.add(plain_events(10, 10));
  producers_.stored({"node-1", 7, 1}, Seq(1001), 20, 5);
  seal(file);
  const SegmentInfo& info = result_.info;
  EXPECT_EQ(info.id, SegmentId(9));
  EXPECT_EQ(info.log, "activity");
  EXPECT_EQ(info.first_seq, Seq(1001));
  EXPECT_EQ(info.last_seq, Seq(1020));
  EXPECT_EQ(info.rows, 20U);
  EXPECT_EQ(info.ts_min, testing::plain_event(0).ts);
  EXPECT_EQ(info.ts_max, testing::plain_event(19).ts);
  EXPECT_EQ(info.received_max, testing::receipt_time);
  EXPECT_TRUE(info.sealed);
  EXPECT_EQ(info.path, "log/" + std::string("00000000000000000009.seg"));
  EXPECT_EQ(info.bytes, disk_.content(info.path).size());
  EXPECT_EQ(footer().producers.all().at("node-1").newest.number, 7U);
}

TEST_F(SealerTest, SameEventsInOtherBatchesMakeTheSameFile) {
  const auto sealed_bytes = [this](const std::vector<std::size_t>& sizes) {
    HotFile file;
    std::uint64_t from = 0;
    for (const std::size_t size : sizes) {
      file.add(plain_events(size, from));
      from += size;
    }
    seal(file);
    return disk_.content(result_.info.path);
  };
  EXPECT_EQ(sealed_bytes({100, 1, 99}), sealed_bytes({50, 150}));
}

TEST_F(SealerTest, GapInTheMiddleStaysOneAndSeqsGoOnBehindIt) {
  HotFile file;
  file.add(plain_events(10));
  file.skip(5);
  file.add(plain_events(10, 10));
  seal(file);
  EXPECT_EQ(block_rows(), (std::vector<std::uint32_t>{10, 10}));
  auto expected = as_stored(plain_events(10));
  const auto behind = as_stored(plain_events(10, 10), Seq(16));
  expected.insert(expected.end(), behind.begin(), behind.end());
  EXPECT_TRUE(read_all(*segment_) == expected);
  EXPECT_EQ(result_.info.last_seq, Seq(25));
}

TEST_F(SealerTest, DamagedBlockIsNamedAndTheOthersAreKept) {
  for (const std::size_t damaged : {0, 1, 2}) {
    // In the dictionaries, in the columns, in the payloads: somewhere in each eighth of the body.
    for (std::uint64_t eighth = 0; eighth < 8; ++eighth) {
      HotFile file;
      for (std::uint64_t n = 0; n < 3; ++n) {
        file.add(plain_events(20, n * 20));
      }
      const BlockHeader& header = file.headers()[damaged];
      const std::uint64_t body = header.offset.value + block_header_bytes + header.directory_bytes;
      const std::uint64_t sections = header.body_bytes - header.directory_bytes;
      testing::flip_bit(file.bytes(), (body + sections * eighth / 8 + 1) * 8);
      seal(file);
      ASSERT_EQ(result_.losses.size(), 1U);
      EXPECT_EQ(result_.losses[0].first_seq, header.first_seq);
      EXPECT_EQ(result_.losses[0].last_seq, header.end_seq() - 1);
      EXPECT_FALSE(result_.losses[0].reason.empty());
      auto expected = as_stored(plain_events(60));
      expected.erase(expected.begin() + static_cast<long>(damaged * 20),
                     expected.begin() + static_cast<long>(damaged * 20 + 20));
      EXPECT_TRUE(read_all(*segment_) == expected) << damaged << ' ' << eighth;
    }
  }
}

TEST_F(SealerTest, BlocksThatAreDamagedInARowAreOneLoss) {
  HotFile file;
  for (std::uint64_t n = 0; n < 8; ++n) {
    file.add(plain_events(20, n * 20));
  }
  for (const std::size_t damaged : {1, 2, 3, 6}) {
    const BlockHeader& header = file.headers()[damaged];
    const std::uint64_t body = header.offset.value + block_header_bytes + header.directory_bytes;
    testing::flip_bit(file.bytes(), (body + 1) * 8);
  }
  seal(file);
  ASSERT_EQ(result_.losses.size(), 2U);
  const SealLoss& row = result_.losses[0];
  EXPECT_EQ(row.first_seq, Seq(21));
  EXPECT_EQ(row.last_seq, Seq(80));
  EXPECT_TRUE(row.reason.ends_with(", and 2 more blocks behind it")) << row.reason;
  EXPECT_EQ(row.range.at, file.headers()[1].offset);
  const BlockHeader& last = file.headers()[3];
  EXPECT_EQ(row.range.at.value + row.range.bytes,
            last.offset.value + block_header_bytes + last.body_bytes);
  EXPECT_EQ(result_.losses[1].first_seq, Seq(121));
  EXPECT_EQ(result_.losses[1].last_seq, Seq(140));
  EXPECT_FALSE(result_.losses[1].reason.ends_with("behind it"));
}

TEST_F(SealerTest, NothingReadableMakesNoFile) {
  HotFile file;
  file.add(plain_events(20));
  testing::flip_bit(file.bytes(), (file.block_at(0) + 40) * 8);
  seal(file);
  EXPECT_EQ(result_.info.rows, 0U);
  EXPECT_EQ(result_.losses.size(), 1U);
  EXPECT_EQ(disk_.files(), std::vector<std::string>{"log/1.hot"});
}

TEST_F(SealerTest, ErrorOfTheDiskLeavesNoSegmentFileAndLosesNothing) {
  HotFile file;
  for (std::uint64_t n = 0; n < 3; ++n) {
    file.add(plain_events(50, n * 50));
  }
  for (std::uint64_t n = 1;; ++n) {
    SectionCache cache(1 << 20);
    const auto hot = file.open(disk_, "log/1.hot", cache);
    disk_.inject({.at = n, .seed = n});
    const auto sealed = seal_segment(disk_, {hot.get(), "log", {}});
    if (!disk_.fault_hit()) {
      ASSERT_TRUE(sealed);
      break;
    }
    if (sealed) {
      continue;  // what failed was not needed
    }
    EXPECT_EQ(sealed.error().code, ErrorCode::io) << n;
    disk_.inject({});
    // Whole but of a name that may not be durable, or not there at all.
    auto files = disk_.files();
    std::erase(files, "log/00000000000000000001.seg");
    EXPECT_EQ(files, std::vector<std::string>{"log/1.hot"}) << n;
  }
}

// --- bounds --------------------------------------------------------------------------------------

TEST_F(SealerTest, BlocksOfLargePayloadsDoNotAddUpToMoreThanABlockMayHold) {
  const auto with_payloads = [](std::uint64_t from, std::size_t rows, std::size_t bytes) {
    auto events = plain_events(rows, from);
    std::mt19937_64 random(from);
    for (Event& event : events) {
      std::string text(bytes, ' ');
      for (char& c : text) {
        c = static_cast<char>('a' + random() % 26);
      }
      event.payload = "{" + text + "}";
    }
    return events;
  };
  HotFile file;
  std::vector<Event> all;
  const auto add = [&](std::vector<Event> events) {
    file.add(events);
    all.insert(all.end(), events.begin(), events.end());
  };
  add(with_payloads(0, 63, 65'000));      // just under the target
  add(with_payloads(100, 5, 1'000'000));  // and as much again
  add(with_payloads(200, 5, 1'000'000));
  add(plain_events(10, 300));
  seal(file);
  EXPECT_TRUE(result_.losses.empty());
  EXPECT_TRUE(read_all(*segment_) == as_stored(all));
  const Footer written = footer();
  for (const SealedBlock& block : written.blocks) {
    EXPECT_LT(block.header.body_bytes, 6U << 20);
  }
}

TEST_F(SealerTest, BlockWithTwelveMebibytesOfPayloadsIsCutUp) {
  // As admit_batch lets it through: compressed it is small, in rows that are within bounds.
  constexpr std::uint32_t row_bytes = 60'000;
  constexpr std::uint32_t rows = limits::batch_bytes_max / row_bytes;
  auto events = plain_events(rows);
  std::string all;
  for (Event& event : events) {
    event.payload.clear();
    all += "{" + std::string(row_bytes - 2, ' ') + "}";
  }
  testing::LooseBody body = testing::take_apart(testing::encode(events).bytes);
  BodyWriter writer;
  writer.start(rows);
  writer.add_payloads(std::vector<std::uint32_t>(rows, row_bytes), as_byte_span(all));
  for (auto& section : testing::take_apart(writer.finish()).sections) {
    body.insert(std::move(section));
  }
  HotFile file;
  auto small = plain_events(60, 1000);
  for (Event& event : small) {
    event.payload = "{" + std::string(65'000, ' ') + "}";
  }
  file.add(small);
  file.add_body({testing::put_together(body), rows, events[0].ts, events.back().ts});
  file.add_body({testing::put_together(body), rows, events[0].ts, events.back().ts});
  seal(file);
  EXPECT_TRUE(result_.losses.empty());
  EXPECT_TRUE(read_all(*hot_) == read_all(*segment_));
}

TEST_F(SealerTest, RelatedTargetsDoNotAddUpToMoreThanABlockMayHold) {
  auto events = plain_events(3000);
  for (Event& event : events) {
    event.related.assign(limits::related_max, {"List", "1", ""});
    event.payload.clear();
  }
  HotFile file;
  for (int n = 0; n < 3; ++n) {
    file.add(events);
  }
  seal(file);
  EXPECT_TRUE(result_.losses.empty());
  EXPECT_EQ(result_.info.rows, 9000U);
  EventReader reader(*segment_);
  Event event;
  for (const std::uint32_t row : {0U, 4095U, 4096U, 8191U, 8999U}) {
    const auto read = reader.read(row, event);
    ASSERT_TRUE(read) << row << ": " << read.error().describe();
    EXPECT_EQ(event.related, events[row % 3000].related);
  }
}

TEST_F(SealerTest, ManyPayloadsBecomeTokensAndAreTheSameBytes) {
  testing::RandomEvents random(8);
  HotFile file;
  for (int n = 0; n < 3; ++n) {
    file.add(random.take(limits::block_rows_max));
  }
  seal(file);
  const Footer sealed = footer();
  ASSERT_TRUE(sealed.payload_tokens);
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  for (const SealedBlock& block : sealed.blocks) {
    const SectionEntry* data = block.directory.find(Section::payload_data);
    EXPECT_EQ(data->codec, Codec::chunks_tokens);
    after += data->bytes;
  }
  for (const BlockHeader& header : file.headers()) {
    const auto head =
        std::span<const std::byte>(file.bytes())
            .subspan(header.offset.value + block_header_bytes, header.directory_bytes);
    before += parse_directory(head)->find(Section::payload_data)->bytes;
  }
  EXPECT_LT(after, before);
  EXPECT_TRUE(read_all(*hot_) == read_all(*segment_));
}

TEST_F(SealerTest, ColumnsAndDictionariesAreCodedWhereThatTakesLess) {
  testing::RandomEvents random(9);
  HotFile file;
  file.add(random.take(limits::block_rows_max));
  seal(file);
  const Footer sealed = footer();
  const BodyDirectory& directory = sealed.blocks.at(0).directory;
  for (const Section section : {Section::row_ts, Section::row_affected, Section::row_actor,
                                Section::payload_lengths, Section::related_counts}) {
    const SectionEntry* entry = directory.find(section);
    ASSERT_NE(entry, nullptr) << static_cast<int>(section);
    EXPECT_EQ(entry->codec, Codec::ints_coded) << static_cast<int>(section);
  }
  EXPECT_TRUE(sealed.actor_order);
  EXPECT_TRUE(sealed.strings[string_list_number(DictionaryField::session)].tokens ||
              sealed.strings[string_list_number(TableStrings::target_id)].tokens);
}

TEST_F(SealerTest, TheSameSegmentIsSealedToTheSameBytes) {
  testing::RandomEvents random(10);
  HotFile file;
  file.add(random.take(limits::block_rows_max));
  seal(file);
  const auto first = disk_.content(result_.info.path);
  seal(file);
  EXPECT_TRUE(first == disk_.content(result_.info.path));
}

TEST_F(SealerTest, AColumnInWhichOnlyAbsenceIsFrequentIsTheSame) {
  auto events = plain_events(3000);
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].ip.reset();
    if (i % 30 == 0) {
      events[i].ip = parse_ip("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
    }
  }
  HotFile file;
  file.add(events);
  seal(file);
  EXPECT_EQ(footer().ip_order->entry.items, 1U);
  EXPECT_TRUE(read_all(*hot_) == read_all(*segment_));
}

TEST_F(SealerTest, WhatAFewRowsHaveIsNotSpokenOfInTables) {
  HotFile file;
  file.add(plain_events(20));
  seal(file);
  const Footer sealed = footer();
  EXPECT_FALSE(sealed.payload_tokens);
  EXPECT_FALSE(sealed.actor_order);
  EXPECT_FALSE(sealed.ip_order);
}

}  // namespace
}  // namespace docket
