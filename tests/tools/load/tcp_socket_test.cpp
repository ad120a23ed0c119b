#include "tools/load/tcp_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <thread>

#include "ingest/server.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::load {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t patience_ms = 10'000;

// A server of NDJSON, in the clear or under TLS.
class TcpSocketTest : public ::testing::TestWithParam<bool> {
 protected:
  TcpSocketTest() {
    docket::testing::make_certificate(directory_.path(), "a");
    docket::testing::make_certificate(directory_.path(), "b");
    ingest::ServerOptions options;
    options.port = 0;
    if (GetParam()) {
      const auto context =
          ingest::server_tls({directory_ / "a.crt", directory_ / "a.key", ""}).value();
      options.tls = [context] { return context; };
    }
    server_ = ingest::Server::start(store_, options).value();
  }
  Result<TcpSocket> connect(const std::string& trusted) {
    std::optional<ingest::TlsFiles> tls;
    if (!trusted.empty()) {
      tls = ingest::TlsFiles{"", "", directory_ / (trusted + ".crt")};
    }
    return TcpSocket::connect("127.0.0.1", server_->port(), tls);
  }

  const docket::testing::TemporaryDirectory directory_;
  docket::testing::FakeStore store_;
  std::unique_ptr<ingest::Server> server_;
};

TEST_P(TcpSocketTest, OneThreadSendsWhileAnotherReceives) {
  auto socket = connect(GetParam() ? "a" : "");
  ASSERT_TRUE(socket) << socket.error().message;
  const auto nothing_yet = socket->wait(1);
  EXPECT_TRUE(nothing_yet && !*nothing_yet);
  std::string answers;
  std::thread reader([&] {
    std::array<char, 64> room{};
    while (socket->wait(patience_ms).value_or(false)) {
      const std::size_t bytes = socket->receive(room).value_or(0);
      if (bytes == 0) {
        break;
      }
      answers.append(room.data(), bytes);
    }
  });
  for (int i = 0; i < 3000; ++i) {
    EXPECT_TRUE(socket->send(R"({"actor":{"kind":"user","id":"1"},"verb":"EDIT",)"
                             R"("target":{"type":"List","id":"7"}})"
                             "\n"));
  }
  EXPECT_TRUE(socket->close_sending());
  reader.join();
  EXPECT_THAT(answers, HasSubstr("{\"durable\":3000}\n"));
}

TEST_P(TcpSocketTest, AServerThatCannotBeTrustedIsNotSentTo) {
  const auto socket = connect("b");
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().message,
              HasSubstr(GetParam() ? "TLS: the certificate is not accepted"
                                   : "TLS: the other side does not speak TLS"));
}

INSTANTIATE_TEST_SUITE_P(InTheClearAndUnderTls, TcpSocketTest, ::testing::Bool(),
                         [](const auto& tls) { return tls.param ? "Tls" : "Clear"; });

}  // namespace
}  // namespace docket::load
