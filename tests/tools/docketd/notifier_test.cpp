#include "tools/docketd/notifier.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace docket::server {
namespace {

class NotifierTest : public ::testing::Test {
 protected:
  ~NotifierTest() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
    }
    ::close(socket_);
  }
  static void set(const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  // A manager that listens at `path`; @ begins an abstract one.
  void listen(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (path[0] == '@') {
      address.sun_path[0] = '\0';
    }
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    ASSERT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    set("NOTIFY_SOCKET", path);
  }
  std::string heard() const {
    std::array<char, 100> bytes{};
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(size));
  }

  testing::TemporaryDirectory directory_;
  const int socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST_F(NotifierTest, TheManagerHearsWhatIsSaid) {
  listen(directory_ / "notify");
  Notifier::from_environment().send("READY=1");
  EXPECT_EQ(heard(), "READY=1");
}

TEST_F(NotifierTest, AnAbstractSocketIsASocket) {
  listen("@docket-test-" + std::to_string(::getpid()));
  Notifier::from_environment().send("STOPPING=1");
  EXPECT_EQ(heard(), "STOPPING=1");
}

TEST_F(NotifierTest, WithoutAManagerNothingIsSaid) {
  Notifier::from_environment().send("READY=1");
  for (const std::string& path :
       {directory_ / "nobody", std::string("relative"), std::string("/"), std::string(200, '/')}) {
    set("NOTIFY_SOCKET", path);
    Notifier::from_environment().send("READY=1");
  }
  EXPECT_EQ(heard(), "");
}

TEST_F(NotifierTest, ASignOfLifeIsDueTwiceInTheTime) {
  EXPECT_FALSE(Notifier::from_environment().watchdog_interval());
  set("WATCHDOG_USEC", "60000000");
  EXPECT_EQ(Notifier::from_environment().watchdog_interval(), std::chrono::seconds(30));
  set("WATCHDOG_PID", std::to_string(::getpid()));
  EXPECT_EQ(Notifier::from_environment().watchdog_interval(), std::chrono::seconds(30));
  set("WATCHDOG_PID", "1");
  EXPECT_FALSE(Notifier::from_environment().watchdog_interval());
  set("WATCHDOG_PID", "");
  for (const char* period : {"", "0", "1", "x", "-5"}) {
    set("WATCHDOG_USEC", period);
    EXPECT_FALSE(Notifier::from_environment().watchdog_interval()) << period;
  }
}

}  // namespace
}  // namespace docket::server
