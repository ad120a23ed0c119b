#include "ingest/client_spool_reader.hpp"

#include <gtest/gtest.h>

#include "engine/bytes.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::client {
namespace {

using testing::SimDisk;

const std::string path = spool_file_path("spool", 3);

// Bodies of many sizes, some larger than what is read at once.
std::vector<std::byte> file_of(std::size_t records, std::vector<std::size_t>* starts = nullptr) {
  std::vector<std::byte> bytes;
  append_spool_head(bytes, {3, 1, 0, 0, "web-1"});
  for (std::size_t i = 0; i < records; ++i) {
    if (starts != nullptr) {
      starts->push_back(bytes.size());
    }
    const std::size_t begun = begin_spool_record(bytes);
    bytes.resize(bytes.size() + (i % 7 == 3 ? std::size_t{300'000} : i * 13 % 900), std::byte{'x'});
    finish_spool_record(bytes, begun, 3, SpoolRecordType::event, 0, i);
  }
  return bytes;
}

std::vector<std::uint64_t> values_in(Disk& disk, std::uint64_t bytes) {
  auto reader = SpoolFileReader::open(disk, path).value();
  std::vector<std::uint64_t> values;
  for (;;) {
    const auto record = reader.next(bytes).value();
    if (!record) {
      return values;
    }
    values.push_back(record->value);
  }
}

TEST(SpoolFileReader, ReadsRecordsOfAnySizeUpToAnEnd) {
  std::vector<std::size_t> starts;
  const auto bytes = file_of(40, &starts);
  SimDisk disk;
  disk.plant(path, bytes);
  EXPECT_EQ(values_in(disk, bytes.size()).size(), 40U);
  EXPECT_EQ(values_in(disk, starts[10]).size(), 10U);
  EXPECT_EQ(values_in(disk, starts[11] - 1).size(), 10U);
}

TEST(SpoolFileReader, ReadsOverWhatIsNoRecordAndGoesOnBehindIt) {
  std::vector<std::size_t> starts;
  auto bytes = file_of(20, &starts);
  bytes[starts[4] + 30] ^= std::byte{1};  // a body
  bytes[starts[9]] ^= std::byte{1};       // a mark
  bytes[starts[12] + 5] ^= std::byte{1};  // a size
  SimDisk disk;
  disk.plant(path, bytes);
  const std::vector<std::uint64_t> expected = {0,  1,  2,  3,  5,  6,  7,  8, 10,
                                               11, 13, 14, 15, 16, 17, 18, 19};
  EXPECT_EQ(values_in(disk, bytes.size()), expected);
}

TEST(SpoolReader, GoesFromFileToFileAndOverThoseThatHaveGone) {
  SimDisk disk;
  std::vector<SpoolFile> files;
  for (std::uint64_t number = 1; number <= 4; ++number) {
    std::vector<std::byte> bytes;
    append_spool_head(bytes, {number, 1, 0, 0, "web-1"});
    for (std::uint64_t i = 0; i < 2; ++i) {
      const std::size_t begun = begin_spool_record(bytes);
      finish_spool_record(bytes, begun, number, SpoolRecordType::event, 0, number * 10 + i);
    }
    if (number != 2) {
      disk.plant(spool_file_path("spool", number), bytes);
    }
    files.push_back({number, bytes.size(), {}, false});
  }
  SpoolReader reader(disk, "spool");
  reader.seek({1, spool_head_bytes + spool_record_bytes});
  std::vector<std::uint64_t> values;
  while (const auto record = reader.next(files).value()) {
    values.push_back(record->value);
  }
  EXPECT_EQ(values, (std::vector<std::uint64_t>{11, 30, 31, 40, 41}));
}

}  // namespace
}  // namespace docket::client
