#include "ingest/tls_stream.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::ingest {
namespace {

namespace asio = boost::asio;

TEST(TlsStream, WithoutAContextItIsInTheClear) {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  TlsStream stream(boost::beast::tcp_stream(io), nullptr);
  EXPECT_FALSE(stream.is_tls());
  stream.socket().connect(acceptor.local_endpoint());
  asio::ip::tcp::socket peer = acceptor.accept();
  asio::write(peer, asio::buffer("abc", 3));
  std::string got(3, '\0');
  asio::async_read(stream, asio::buffer(got),
                   [](boost::system::error_code error, std::size_t) { EXPECT_FALSE(error); });
  asio::async_write(stream, asio::buffer("xyz", 3), [](boost::system::error_code, std::size_t) {});
  io.run();
  EXPECT_EQ(got, "abc");
  asio::read(peer, asio::buffer(got));
  EXPECT_EQ(got, "xyz");
}

TEST(TlsStream, ItKnowsWhetherThePeerOfAFailedHandshakeHasSaidAnything) {
  const docket::testing::TemporaryDirectory directory;
  docket::testing::make_certificate(directory.path(), "a");
  const TlsContext context = server_tls({directory / "a.crt", directory / "a.key", ""}).value();
  for (const std::string said : {"", "\x16", "GET / HTTP/1.1\r\n\r\n"}) {
    asio::io_context io;
    asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
    TlsStream stream(boost::beast::tcp_stream(io), context);
    asio::ip::tcp::socket peer(io);
    peer.connect(acceptor.local_endpoint());
    acceptor.accept(stream.socket());
    asio::write(peer, asio::buffer(said));
    peer.close();
    stream.async_handshake(asio::ssl::stream_base::server,
                           [](boost::system::error_code error) { EXPECT_TRUE(error); });
    io.run();
    EXPECT_EQ(stream.has_heard(), !said.empty()) << said;
  }
}

}  // namespace
}  // namespace docket::ingest
