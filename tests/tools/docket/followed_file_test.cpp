#include "tools/docket/followed_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/temporary_directory.hpp"

namespace docket::cli {
namespace {

using Lines = std::vector<std::string>;

class Followed : public ::testing::Test {
 protected:
  void append(const std::string& text, const std::string& name = "log") {
    std::ofstream(directory_ / name, std::ios::app | std::ios::binary) << text;
  }
  void rotate(const std::string& from = "log", const std::string& to = "log.1") {
    std::filesystem::rename(directory_ / from, directory_ / to);
  }
  FollowedFile follow(FollowedPosition from = {}, std::uint32_t patience = 0) const {
    return FollowedFile(directory_ / "log", from, patience);
  }
  static Lines read(FollowedFile& file) {
    Lines lines;
    for (;;) {
      const auto line = file.next();
      EXPECT_TRUE(line) << line.error().message;
      if (!line || !*line) {
        return lines;
      }
      lines.emplace_back((*line)->is_too_long ? "too long" : std::string((*line)->text));
    }
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(Followed, LinesComeOnceTheyHaveTheirEnd) {
  FollowedFile file = follow();
  EXPECT_EQ(read(file), Lines{}) << "there is no file yet";
  append("a\nb\r\n\nc");
  EXPECT_EQ(read(file), (Lines{"a", "b", ""}));
  EXPECT_EQ(file.unfinished_bytes(), 1U);
  append("d\ne\n");
  EXPECT_EQ(read(file), (Lines{"cd", "e"}));
  EXPECT_EQ(file.unfinished_bytes(), 0U);
  EXPECT_TRUE(file.take_notices().empty());
}

TEST_F(Followed, APositionAsTextGoesOnWhereItWasTaken) {
  append("one\ntwo\nthree\n");
  for (int taken = 1; taken <= 3; ++taken) {
    FollowedFile file = follow();
    for (int i = 0; i < taken; ++i) {
      ASSERT_TRUE(file.next().value());
    }
    const auto position = FollowedPosition::parse(file.position().text());
    ASSERT_TRUE(position);
    FollowedFile again = follow(*position);
    Lines rest = {"one", "two", "three"};
    rest.erase(rest.begin(), rest.begin() + taken);
    EXPECT_EQ(read(again), rest);
  }
  for (const char* text : {"", "1", "1:2", "1:2:", "1:2:3:", "1:2:x", "-1:2:3", "1::3"}) {
    EXPECT_FALSE(FollowedPosition::parse(text)) << text;
  }
}

TEST_F(Followed, ARenamedFileIsReadToItsEndBeforeTheNewOne) {
  append("a\n");
  FollowedFile file = follow();
  EXPECT_EQ(read(file), Lines{"a"});
  append("b\n");
  rotate();
  append("late, and without an end", "log.1");
  append("c\n");
  EXPECT_EQ(read(file), (Lines{"b", "late, and without an end", "c"}));
  EXPECT_TRUE(file.take_notices().empty());
}

TEST_F(Followed, ARenamedFileIsLookedAtForAsLongAsItsWritersMayTake) {
  append("a\n");
  FollowedFile file = follow({}, 2);
  EXPECT_EQ(read(file), Lines{"a"});
  rotate();
  append("d\n");
  EXPECT_EQ(read(file), Lines{});
  append("b\n", "log.1");
  EXPECT_EQ(read(file), Lines{"b"});
  append("c\n", "log.1");
  EXPECT_EQ(read(file), (Lines{"c", "d"}));
}

TEST_F(Followed, WhatWasRotatedWhileNobodyLookedIsReadInItsOrder) {
  append("a\nb\n");
  FollowedPosition position;
  {
    FollowedFile file = follow();
    ASSERT_TRUE(file.next().value());
    position = file.position();
  }
  const auto now = std::filesystem::file_time_type::clock::now();
  rotate("log", "log.2");
  append("c\n");
  rotate("log", "log.1");
  append("d\n");
  append("older\n", "log.3");
  append("packed\n", "log.4.gz");
  std::filesystem::last_write_time(directory_ / "log.3", now - std::chrono::seconds(9));
  std::filesystem::last_write_time(directory_ / "log.2", now - std::chrono::seconds(5));
  std::filesystem::last_write_time(directory_ / "log.1", now - std::chrono::seconds(3));
  FollowedFile file = follow(position);
  EXPECT_EQ(read(file), (Lines{"b", "c", "d"}));
  EXPECT_TRUE(file.take_notices().empty());
}

TEST_F(Followed, RotationsInARowAreReadInTheirOrder) {
  append("a\n");
  FollowedFile file = follow();
  EXPECT_EQ(read(file), Lines{"a"});
  const FollowedPosition first = file.position();
  append("b\n");
  const auto now = std::filesystem::file_time_type::clock::now();
  rotate("log", "log-20260501");
  append("c\n");
  rotate("log", "log-20260502");
  append("d\n");
  rotate("log", "log.1");
  append("e\n");
  append("a copy\n", "log.bak");
  int age = 9;
  for (const char* name : {"log-20260501", "log-20260502", "log.1"}) {
    std::filesystem::last_write_time(directory_ / name, now - std::chrono::seconds(age--));
  }
  EXPECT_EQ(read(file), (Lines{"b", "c", "d", "e"}));
  EXPECT_TRUE(file.take_notices().empty());
  // With patience, that is for the last of them alone.
  FollowedFile patient = follow(first, 1);
  EXPECT_EQ(read(patient), (Lines{"b", "c", "d"}));
  EXPECT_EQ(read(patient), Lines{"e"});
}

TEST_F(Followed, WhatWasRotatedIsReadThoughNoNewFileHasCome) {
  append("a\n");
  FollowedFile file = follow({}, 2);
  EXPECT_EQ(read(file), Lines{"a"});
  const auto now = std::filesystem::file_time_type::clock::now();
  rotate("log", "log.2");
  EXPECT_EQ(read(file), Lines{});
  append("b\n");
  rotate("log", "log.1");
  std::filesystem::last_write_time(directory_ / "log.2", now - std::chrono::seconds(1));
  EXPECT_EQ(read(file), Lines{"b"});
  append("c\n");
  EXPECT_EQ(read(file), Lines{}) << "log.1 may get more";
  EXPECT_EQ(read(file), Lines{});
  EXPECT_EQ(read(file), Lines{"c"});
  EXPECT_TRUE(file.take_notices().empty());
}

TEST_F(Followed, RotationsWithinATickOfTheClockAreReadInTheirOrder) {
  append("a\n");
  // Times of birth cannot be set: they are to differ here, unlike those of the last write.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  FollowedFile file = follow();
  EXPECT_EQ(read(file), Lines{"a"});
  const auto now = std::filesystem::file_time_type::clock::now();
  rotate("log", "log.2");
  append("b\n");
  rotate("log", "log.1");
  append("c\n");
  for (const char* name : {"log.2", "log.1"}) {
    std::filesystem::last_write_time(directory_ / name, now);
  }
  EXPECT_EQ(read(file), (Lines{"b", "c"}));
}

TEST_F(Followed, ATruncatedFileIsReadFromItsStartAndThatIsTold) {
  append("a long line\nb\n");
  FollowedFile file = follow();
  EXPECT_EQ(read(file), (Lines{"a long line", "b"}));
  const FollowedPosition before = file.position();
  std::filesystem::resize_file(directory_ / "log", 0);
  append("c\n");
  EXPECT_EQ(read(file), Lines{"c"});
  EXPECT_EQ(file.take_notices().size(), 1U);
  // It has grown past where it was: the size alone would not tell.
  std::filesystem::resize_file(directory_ / "log", 0);
  append("quite another line\nand more\n");
  EXPECT_EQ(read(file), (Lines{"quite another line", "and more"}));
  EXPECT_EQ(file.take_notices().size(), 1U);
  FollowedFile again = follow(before);
  EXPECT_EQ(read(again), (Lines{"quite another line", "and more"}));
  EXPECT_EQ(again.take_notices().size(), 1U);
}

TEST_F(Followed, AFileThatHasGoneIsTold) {
  append("a\n");
  FollowedPosition position;
  {
    FollowedFile file = follow();
    ASSERT_TRUE(file.next().value());
    position = file.position();
  }
  rotate("log", "elsewhere");
  append("b\n");
  FollowedFile file = follow(position);
  EXPECT_EQ(read(file), Lines{"b"});
  EXPECT_EQ(file.take_notices().size(), 1U);
}

TEST_F(Followed, ALineThatIsTooLongIsPassedOver) {
  append("a\n");
  append(std::string(FollowedFile::line_bytes_max + 100'000, 'x'));
  FollowedFile file = follow();
  EXPECT_EQ(read(file), Lines{"a"});
  append(std::string(100'000, 'x') + "\nb\n");
  EXPECT_EQ(read(file), (Lines{"too long", "b"}));
}

}  // namespace
}  // namespace docket::cli
