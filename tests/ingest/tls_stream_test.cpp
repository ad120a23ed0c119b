#include "ingest/tls_stream.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

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

}  // namespace
}  // namespace docket::ingest
