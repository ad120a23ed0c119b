#include "ingest/local_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "ingest/client.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::ingest {
namespace {

using testing::eventually;
using testing::FakeStore;
using testing::line_of;
using testing::Peer;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

class LocalSocketTest : public ::testing::Test {
 protected:
  void start(std::uint32_t mode = 0660) {
    auto started = try_start(mode);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server_ = std::move(*started);
  }
  Result<std::unique_ptr<Server>> try_start(std::uint32_t mode = 0660) {
    ServerOptions options;
    options.port = 0;
    options.socket = path_;
    options.socket_mode = mode;
    return Server::start(store_, options);
  }
  std::unique_ptr<Peer> connect() const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(path_);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return std::make_unique<Peer>(Peer::Accepted{fd});
  }
  // What a server leaves that is killed.
  void leave_stale_socket() const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(path_);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
  }
  [[nodiscard]] bool is_there() const { return std::filesystem::exists(path_); }

  testing::TemporaryDirectory directory_;
  const std::string path_ = std::string(directory_.path()) + "/in.sock";
  const std::string sender_ = "unix:" + std::to_string(::getuid());
  FakeStore store_;
  std::unique_ptr<Server> server_;
};

TEST_F(LocalSocketTest, EveryProtocolIsTakenAndItsSenderIsTheUser) {
  start();
  const auto lines = connect();
  lines->send(line_of(1) + "\n");
  EXPECT_EQ(lines->line(), R"({"durable":1})");
  ASSERT_EQ(store_.events("activity").size(), 1U);
  EXPECT_EQ(store_.events("activity")[0].node, sender_);

  const auto messages = connect();
  messages->send("<13>one\n");
  messages->close_sending();
  EXPECT_EQ(messages->rest(), "");
  ASSERT_EQ(store_.events("syslog").size(), 1U);
  EXPECT_EQ(store_.events("syslog")[0].target.id, sender_);

  const auto frames = connect();
  ASSERT_TRUE(frames->shake_hands("web-1"));
  frames->send_batch("activity", 1, testing::body_of(3));
  const auto ack = frames->ack();
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->rows, 3U);
}

TEST_F(LocalSocketTest, TheClientSendsThroughIt) {
  start();
  client::Options options;
  options.address = std::string(local_prefix) + path_;
  options.port = 0;
  options.node = "web-1";
  const auto client = client::Client::start(options).value();
  EventView event;
  event.ts = 1;
  event.actor = {"user", "1", {}, {}};
  event.verb = "EDIT";
  event.target = {"List", "1", {}};
  ASSERT_TRUE(client->emit("activity", event));
  ASSERT_TRUE(client->flush(10'000));
  EXPECT_EQ(store_.events("activity").size(), 1U);
}

TEST_F(LocalSocketTest, TheClientSaysWhatItCannotReach) {
  for (const std::string& path : {path_, std::string(200, 'x'), std::string()}) {
    client::Options options;
    options.address = std::string(local_prefix) + path;
    options.node = "web-1";
    const auto client = client::Client::start(options).value();
    const std::string wanted = "cannot connect to unix:" + path + ": ";
    EXPECT_TRUE(eventually([&] { return client->last_error().starts_with(wanted); }))
        << client->last_error();
  }
}

TEST_F(LocalSocketTest, TheFileHasItsModeAndGoesWithTheServer) {
  for (const std::uint32_t mode : {0660U, 0600U, 0666U}) {
    start(mode);
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, mode);
    server_->stop(1'000);
    EXPECT_FALSE(is_there());
    server_.reset();
  }
}

TEST_F(LocalSocketTest, WhatADeadServerLeftIsReplaced) {
  leave_stale_socket();
  ASSERT_TRUE(is_there());
  start();
  const auto peer = connect();
  peer->send(line_of(1) + "\n");
  EXPECT_EQ(peer->line(), R"({"durable":1})");
}

TEST_F(LocalSocketTest, ALiveServerKeepsItsSocket) {
  start();
  const auto second = try_start();
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  EXPECT_NE(second.error().message.find("another server does"), std::string::npos);
  const auto peer = connect();
  peer->send(line_of(1) + "\n");
  EXPECT_EQ(peer->line(), R"({"durable":1})");
}

TEST_F(LocalSocketTest, AFileThatIsNoSocketIsNotTouched) {
  std::ofstream(path_) << "precious";
  const auto started = try_start();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(started.error().message.find("it is no socket"), std::string::npos);
  std::string content;
  std::ifstream(path_) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(LocalSocketTest, ASocketThatTookItsPlaceIsNotTakenAway) {
  start();
  std::filesystem::remove(path_);
  leave_stale_socket();
  server_->stop(1'000);
  EXPECT_TRUE(is_there());
}

TEST_F(LocalSocketTest, APathMustFitTheSystem) {
  EXPECT_TRUE(local_endpoint(std::string(107, 'x')).has_value());
  EXPECT_FALSE(local_endpoint(std::string(108, 'x')).has_value());
  EXPECT_FALSE(local_endpoint("").has_value());
}

}  // namespace
}  // namespace docket::ingest
