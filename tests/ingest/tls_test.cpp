#include "ingest/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <thread>

#include "ingest/tls_stream.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::ingest {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using ::testing::HasSubstr;

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    docket::testing::make_certificate(directory_.path(), "a");
    docket::testing::make_certificate(directory_.path(), "b");
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

  // What a client meets that connects to a server: the error of its handshake, else that of the
  // server's, else what was echoed.
  std::string meet(const TlsFiles& server, const TlsFiles& client, const std::string& host) {
    asio::io_context io;
    asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
    TlsStream far(boost::beast::tcp_stream(io), server_tls(server).value());
    TlsStream near(boost::beast::tcp_stream(io), client_tls(client).value());
    near.socket().connect(acceptor.local_endpoint());
    acceptor.accept(far.socket());
    EXPECT_TRUE(near.expect_host(host));
    std::string outcome;
    std::string echoed(5, '\0');
    error_code far_error;
    far.async_handshake(asio::ssl::stream_base::server, [&](error_code error) {
      far_error = error;
      if (!error) {
        asio::async_write(far, asio::buffer("hello", 5), [](error_code, std::size_t) {});
      }
    });
    near.async_handshake(asio::ssl::stream_base::client, [&](error_code error) {
      if (error) {
        outcome = near.certificate_fault().empty() ? error.message() : near.certificate_fault();
        near.close();
        return;
      }
      asio::async_read(near, asio::buffer(echoed), [&](error_code read_error, std::size_t) {
        outcome = read_error ? read_error.message() : echoed;
      });
    });
    io.run();
    return outcome;
  }

  const docket::testing::TemporaryDirectory directory_;
};

TEST_F(TlsTest, FilesThatAreMissingDamagedOrDoNotGoTogetherAreNamed) {
  EXPECT_THAT(server_tls({path("none"), path("a.key"), ""}).error().message, HasSubstr("none"));
  EXPECT_THAT(server_tls({path("a.crt"), path("none"), ""}).error().message, HasSubstr("none"));
  std::ofstream(path("damaged")) << "-----BEGIN CERTIFICATE-----\nAAAA\n";
  EXPECT_THAT(server_tls({path("damaged"), path("a.key"), ""}).error().message,
              HasSubstr("damaged"));
  const auto crossed = server_tls({path("a.crt"), path("b.key"), ""});
  ASSERT_FALSE(crossed);
  EXPECT_EQ(crossed.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(crossed.error().message, HasSubstr("b.key"));
  EXPECT_THAT(server_tls({path("a.crt"), path("a.key"), path("none")}).error().message,
              HasSubstr("none"));
  EXPECT_TRUE(server_tls({path("a.crt"), path("a.key"), path("b.crt")}));
  EXPECT_FALSE(client_tls({"", "", path("none")}));
  EXPECT_TRUE(client_tls({}));
}

TEST_F(TlsTest, TheClientTrustsItsAuthorityForItsHostAlone) {
  const TlsFiles server{path("a.crt"), path("a.key"), ""};
  EXPECT_EQ(meet(server, {"", "", path("a.crt")}, "localhost"), "hello");
  EXPECT_EQ(meet(server, {"", "", path("a.crt")}, "127.0.0.1"), "hello");
  EXPECT_THAT(meet(server, {"", "", path("b.crt")}, "localhost"), HasSubstr("self-signed"));
  EXPECT_THAT(meet(server, {"", "", path("a.crt")}, "elsewhere"), HasSubstr("verif"));
}

TEST_F(TlsTest, AServerThatKnowsAuthoritiesAsksClientsForOneOfTheirs) {
  const TlsFiles server{path("a.crt"), path("a.key"), path("b.crt")};
  EXPECT_EQ(meet(server, {path("b.crt"), path("b.key"), path("a.crt")}, "localhost"), "hello");
  EXPECT_NE(meet(server, {"", "", path("a.crt")}, "localhost"), "hello");
  EXPECT_NE(meet(server, {path("a.crt"), path("a.key"), path("a.crt")}, "localhost"), "hello");
}

}  // namespace
}  // namespace docket::ingest
