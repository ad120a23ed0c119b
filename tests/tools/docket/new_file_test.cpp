#include "tools/docket/new_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/temporary_directory.hpp"

namespace docket::cli {
namespace {

using ::testing::StartsWith;
namespace fs = std::filesystem;

class NewFileTest : public ::testing::Test {
 protected:
  static void write(const std::string& path, std::string_view text) {
    NewFile file(path);
    const auto descriptor = file.open();
    ASSERT_TRUE(descriptor) << descriptor.error().message;
    ASSERT_EQ(::write(*descriptor, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    const auto completed = file.complete();
    ASSERT_TRUE(completed) << completed.error().message;
  }
  static std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  docket::testing::TemporaryDirectory directory_;
  const std::string path_ = directory_ / "file";
};

TEST_F(NewFileTest, AppearsWhenItIsComplete) {
  std::ofstream(path_) << "old";
  {
    NewFile file(path_);
    const auto descriptor = file.open();
    ASSERT_TRUE(descriptor);
    ASSERT_EQ(::write(*descriptor, "new", 3), 3);
    EXPECT_EQ(read(path_), "old");
    EXPECT_TRUE(fs::exists(path_ + ".part"));
  }
  EXPECT_EQ(read(path_), "old");
  EXPECT_FALSE(fs::exists(path_ + ".part"));
  write(path_, "new");
  EXPECT_EQ(read(path_), "new");
  EXPECT_FALSE(fs::exists(path_ + ".part"));
}

TEST_F(NewFileTest, ALinkIsFollowedAndStays) {
  fs::create_directory(directory_ / "there");
  fs::create_symlink("there/second", path_);
  fs::create_symlink("third", directory_ / "there/second");
  write(path_, "a");  // the last link points at nothing yet
  write(path_, "b");
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_TRUE(fs::is_symlink(directory_ / "there/second"));
  EXPECT_EQ(read(directory_ / "there/third"), "b");
  fs::create_symlink("loop", directory_ / "loop");
  EXPECT_FALSE(NewFile(directory_ / "loop").open());
}

TEST_F(NewFileTest, APipeIsWrittenStraightThrough) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const int reader = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  write(path_, "text");
  char got[8] = {};
  EXPECT_EQ(::read(reader, got, sizeof got), 4);
  ::close(reader);
  EXPECT_TRUE(fs::is_fifo(path_));
  EXPECT_FALSE(fs::exists(path_ + ".part"));
}

TEST_F(NewFileTest, ADeviceStaysADevice) {
  fs::create_symlink("/dev/null", path_);
  write(path_, "text");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(NewFileTest, AnOpenDescriptorIsWrittenBehindWhatItHas) {
  std::ofstream(path_) << "first ";
  const int open = ::open(path_.c_str(), O_WRONLY | O_APPEND);
  ASSERT_GE(open, 0);
  write("/dev/fd/" + std::to_string(open), "second");
  ::close(open);
  EXPECT_EQ(read(path_), "first second");
}

TEST_F(NewFileTest, ErrorsNameThePathAsGiven) {
  for (const std::string& path : {directory_ / "no/file", directory_.path()}) {
    NewFile file(path);
    const auto opened = file.open();
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, StartsWith(path + ":"));
  }
}

}  // namespace
}  // namespace docket::cli
