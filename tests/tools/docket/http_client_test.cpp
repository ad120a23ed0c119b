#include "tools/docket/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::cli {
namespace {

using ::testing::HasSubstr;

TEST(ServerUrl, HasHostPortAndPrefix) {
  const auto url = parse_server_url("http://127.0.0.1:7480");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, "7480");
  EXPECT_EQ(url->prefix, "");
  EXPECT_EQ(parse_server_url("http://[::1]:1/").value().authority(), "[::1]:1");
  EXPECT_EQ(parse_server_url("http://example.com/docket/").value().prefix, "/docket");
  EXPECT_EQ(parse_server_url("http://example.com").value().port, "80");
}

TEST(ServerUrl, OtherFormsAreRefused) {
  for (const char* text : {"", "127.0.0.1:7480", "ftp://x", "http://", "http://:80",
                           "http://x:", "http://x:8o", "http://[::1", "http://x/a?b", "HTTP://x"}) {
    EXPECT_FALSE(parse_server_url(text)) << text;
  }
  EXPECT_TRUE(parse_server_url("https://x").value().is_tls);
  EXPECT_EQ(parse_server_url("https://x").value().port, "443");
  EXPECT_FALSE(parse_server_url("http://x").value().is_tls);
  for (const char* port : {"0", "65536", "99999", "100000", "18446744073709551617"}) {
    EXPECT_THAT(parse_server_url("http://x:" + std::string(port)).error().message,
                HasSubstr("a port is from 1 to 65535"));
  }
  EXPECT_EQ(parse_server_url("http://x:65535").value().port, "65535");
}

TEST(HttpClient, ARefusedConnectionIsOneClearLine) {
  // Port 1 on loopback: nobody listens there.
  HttpClient client(parse_server_url("http://127.0.0.1:1").value());
  const auto answer = client.get("/healthz");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::io);
  EXPECT_EQ(answer.error().message, "cannot reach the server at 127.0.0.1:1: Connection refused");
}

}  // namespace
}  // namespace docket::cli
