#include "tools/docketd/http_server.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <mutex>
#include <thread>

#include "tests/tools/api/store_fixture.hpp"
#include "tools/api/digest.hpp"
#include "tools/docket/http_client.hpp"
#include "tools/docketd/content_coding.hpp"

namespace docket::server {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace asio = boost::asio;

constexpr std::string_view event_json =
    R"({"actor":{"kind":"user","id":"1"},"verb":"EDIT","target":{"type":"List","id":"1"}})";

class HttpServerTest : public api::StoreFixture {
 protected:
  HttpParts parts() {
    const auto fine = [] { return api::Answer{}; };
    const auto on_read = [this](const api::ReadRecord& read, const std::string& token,
                                const std::string&, std::string_view failure) {
      const std::lock_guard lock(mutex_);
      reads_.push_back(read.operation + " " + std::to_string(read.rows) + " " +
                       std::string(failure) + token);
    };
    return {*service_, EventRules{},
            metrics_,  access_,
            on_read,   fine,
            fine,      [] { return std::string("metrics"); },
            visible_,  [this] { return tls_; }};
  }

  void start(const LimitSettings& limits = {}) {
    auto started = HttpServer::start({"127.0.0.1", 0}, limits, parts());
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }

  cli::HttpClient client() {
    return cli::HttpClient(
        cli::parse_server_url("http://127.0.0.1:" + std::to_string(server_->port())).value());
  }

  cli::HttpAnswer ask(const std::string& target) {
    cli::HttpClient asker = client();
    const auto answer = asker.get(target);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer.value_or(cli::HttpAnswer{});
  }

  // A connection of its own, with `text` sent.
  asio::ip::tcp::socket raw(const std::string& text) {
    asio::ip::tcp::socket socket(io_);
    socket.connect({asio::ip::make_address("127.0.0.1"), server_->port()});
    asio::write(socket, asio::buffer(text));
    return socket;
  }

  // Everything that is answered until the server closes.
  std::string answer_to(const std::string& text) {
    auto socket = raw(text);
    std::string out;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(out), error);
    return out;
  }

  static std::string post(const std::string& body, const std::string& headers = "") {
    return "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  std::vector<std::string> reads() {
    const std::lock_guard lock(mutex_);
    return reads_;
  }

  static void wait_until(const std::function<bool()>& done) {
    // Not asked again once it holds: asking may itself be what makes it wait.
    bool holds = done();
    for (int i = 0; i < 5000 && !holds; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      holds = done();
    }
    EXPECT_TRUE(holds);
  }

  // About 40 MiB of export, more than sockets buffer.
  void fill() {
    std::vector<Event> events;
    for (int i = 0; i < 100; ++i) {
      events.push_back(event(i));
      events.back().payload = "{\"a\":\"" + std::string(32'000, 'x') + "\"}";
    }
    for (int i = 0; i < 13; ++i) {
      add("activity", events);
    }
  }

  asio::io_context io_;
  HttpMetrics metrics_;
  Access access_;
  ingest::TlsContext tls_;
  std::atomic<std::uint64_t> visible_{0};
  std::mutex mutex_;
  std::vector<std::string> reads_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersAreThoseOfTheServiceAndEachReadIsRecordedOnce) {
  add("activity", {event(1), event(2)});
  start();
  EXPECT_EQ(ask("/api/v1/count?q=verb:EDIT").body, R"({"count":2,"gaps":[]})");
  EXPECT_EQ(ask("/api/v1/search").body, get("/api/v1/search").body);
  EXPECT_EQ(ask("/api/v1/segments").body, get("/api/v1/segments").body);
  EXPECT_THAT(ask("/metrics").body, StartsWith("metrics# HELP docket_http_questions "));
  EXPECT_EQ(ask("/api/v1/count?q=verb:(").status, 400U);
  wait_until([this] { return reads().size() == 2; });
  EXPECT_EQ(reads(), (std::vector<std::string>{"count 2 ", "search 2 "}));
}

TEST_F(HttpServerTest, OneConnectionServesManyRequestsAlsoPipelined) {
  start();
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string answers = answer_to(
      request + request + "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::size_t count = 0;
  for (std::size_t at = answers.find("HTTP/1.1 200"); at != std::string::npos;
       at = answers.find("HTTP/1.1 200", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(metrics_.connections_accepted, 1U);
}

TEST_F(HttpServerTest, HeadIsGetWithoutTheBody) {
  add("activity", {event(1)});
  start();
  const std::string answer =
      answer_to("HEAD /api/v1/count HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 21\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, AnAnswerThatTheClientHasIsNotSentAgain) {
  add("activity", {event(1)});
  start();
  const auto with = [this](const std::string& field) {
    return answer_to("GET /api/v1/search HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                     field + "\r\n");
  };
  const std::string first = with("");
  const std::size_t at = first.find("ETag: ") + 6;
  const std::string tag = first.substr(at, first.find('\r', at) - at);
  EXPECT_THAT(tag, StartsWith("W/\""));
  const std::string again = with("If-None-Match: " + tag + "\r\n");
  EXPECT_THAT(again, StartsWith("HTTP/1.1 304 Not Modified\r\n"));
  EXPECT_THAT(again, HasSubstr("ETag: " + tag));
  EXPECT_THAT(again, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(again, EndsWith("\r\n\r\n"));
  add("activity", {event(2)});
  EXPECT_THAT(with("If-None-Match: " + tag + "\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(reads().size(), 3U) << "the reader of a 304 has read it, too";
}

TEST_F(HttpServerTest, AnswersAndExportsAreCompressedForWhoTakesIt) {
  std::vector<Event> events(200, event(1));
  add("activity", events);
  start();
  for (const char* path : {"/api/v1/search?limit=100", "/api/v1/export?format=ndjson"}) {
    const auto with = [&](const std::string& field) {
      return answer_to("GET " + std::string(path) +
                       " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + field + "\r\n");
    };
    const std::string plain = with("");
    const std::string compressed = with("Accept-Encoding: gzip\r\n");
    EXPECT_THAT(plain, Not(HasSubstr("Content-Encoding"))) << path;
    EXPECT_THAT(compressed, HasSubstr("Content-Encoding: gzip\r\n")) << path;
    EXPECT_LT(compressed.size() * 5, plain.size()) << path;
  }
  // The digest is that of the events, whatever they came in.
  const auto digest = [&](const std::string& field) {
    const std::string text = answer_to(
        "GET /api/v1/export HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + field + "\r\n");
    return text.substr(text.find("X-Docket-SHA256: "), 81);
  };
  EXPECT_EQ(digest("Accept-Encoding: gzip\r\n"), digest(""));
}

TEST_F(HttpServerTest, AnExportEndsWithRowsAndDigestAsTrailers) {
  add("activity", {event(1), event(2)});
  start();
  cli::HttpClient asker = client();
  std::string body;
  const auto take = [&body](std::string_view piece) {
    body += piece;
    return true;
  };
  const auto answer = asker.stream("/api/v1/export?format=ndjson", take, {});
  ASSERT_TRUE(answer) << answer.error().message;
  api::Sha256 digest;
  digest.update(body);
  EXPECT_EQ(answer->rows, "2");
  EXPECT_EQ(answer->sha256, digest.finish());
  EXPECT_EQ(answer->gaps, "[]");
  EXPECT_EQ(reads(), (std::vector<std::string>{"export 2 "}));
}

TEST_F(HttpServerTest, AnHttp10ExportIsTheBodyAlone) {
  add("activity", {event(1)});
  start();
  const std::string answer = answer_to("GET /api/v1/export?format=ndjson HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.0 200 OK\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n{\"seq\":1,"));
  EXPECT_THAT(answer, EndsWith("}\n"));
}

TEST_F(HttpServerTest, AReaderThatStallsHoldsAnExportAndNothingElse) {
  fill();
  LimitSettings limits;
  limits.exports = 1;
  start(limits);
  {
    auto stalled = raw("GET /api/v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n");
    char first = 0;
    asio::read(stalled, asio::buffer(&first, 1));  // it has begun
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(ask("/api/v1/count").status, 200U);
    }
    EXPECT_EQ(ask("/api/v1/export").status, 429U);
  }
  // Once the reader has gone its place is free, and what it took is on record as broken off.
  wait_until([this] {
    return std::ranges::any_of(reads(), [](const std::string& read) {
      return read.starts_with("export") && read.ends_with(" cancelled");
    });
  });
  cli::HttpClient asker = client();
  const auto take = [](std::string_view) { return true; };
  wait_until([&] {
    const auto answer = asker.stream("/api/v1/export", take, {});
    return answer && answer->status == 200 && answer->rows == "1300";
  });
}

TEST_F(HttpServerTest, PostedEventsAreStoredWhenItAnswers) {
  start();
  const std::string two = "[" + std::string(event_json) + "," + std::string(event_json) + "]";
  EXPECT_THAT(answer_to(post(two)),
              HasSubstr(R"({"accepted":2,"rejected":[],"first_seq":1,"last_seq":2})"));
  EXPECT_EQ(ask("/api/v1/count").body, R"({"count":2,"gaps":[]})");
  EXPECT_THAT(answer_to(post(two, "Idempotency-Key: k\r\n")), HasSubstr("\"first_seq\":3"));
  EXPECT_THAT(answer_to(post(two, "Idempotency-Key: k\r\n")), HasSubstr("\"first_seq\":3"));
  EXPECT_EQ(ask("/api/v1/count").body, R"({"count":4,"gaps":[]})");
  EXPECT_THAT(answer_to(post("[" + std::string(event_json) + ",{}]")), StartsWith("HTTP/1.1 207"));
  EXPECT_THAT(answer_to(post("[{}]")), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer_to(post("[")), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, BodiesAreBoundedBeforeTheyAreRead) {
  LimitSettings limits;
  limits.http_body_bytes = 1000;
  limits.http_bytes = 1500;
  start(limits);
  EXPECT_THAT(answer_to(post(std::string(1001, ' '))), StartsWith("HTTP/1.1 413"));
  // Two bodies of a thousand bytes are more than may be on their way at once.
  auto first =
      raw("POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
          "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n");
  std::string go_ahead(25, ' ');
  asio::read(first, asio::buffer(go_ahead));
  EXPECT_EQ(go_ahead, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(answer_to(post(std::string(1000, ' '))), StartsWith("HTTP/1.1 429"));
}

// What is no gzip, or only its beginning, ends in any four bytes: they say nothing of a size.
TEST_F(HttpServerTest, ABodyIsTooLargeOnceSoMuchOfItIsInflated) {
  LimitSettings limits;
  limits.http_body_bytes = 100'000;
  start(limits);
  const auto zipped = [](std::string_view text) {
    std::string out;
    Gzip gzip;
    gzip.add(text, out);
    gzip.finish(out);
    return out;
  };
  const std::string coded = "Content-Encoding: gzip\r\n";
  const std::string whole = zipped(std::string(event_json) + std::string(90'000, ' '));
  EXPECT_THAT(answer_to(post(whole, coded)), StartsWith("HTTP/1.1 200"));
  std::string cut = whole.substr(0, whole.size() - 20) + "\xff\xff\xff\xff";
  for (const std::string& body : {std::string(event_json), cut, std::string("\x1f\x8b\x08")}) {
    const std::string answer = answer_to(post(body, coded));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(answer, HasSubstr("body: is not one whole stream of gzip"));
    std::string otlp = post(body, coded + "Content-Type: application/json\r\n");
    otlp.replace(otlp.find("/api/v1/events"), 14, "/v1/logs");
    EXPECT_THAT(answer_to(otlp), StartsWith("HTTP/1.1 400"));
  }
  EXPECT_THAT(answer_to(post(zipped(std::string(100'001, ' ')), coded)),
              StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, APostKnowsNoParametersAndNoEmptyKey) {
  start();
  for (const char* path : {"/api/v1/events?log=api", "/v1/logs?x=1"}) {
    std::string text = post(std::string(event_json), "Content-Type: application/json\r\n");
    text.replace(text.find("/api/v1/events"), 14, path);
    const std::string answer = answer_to(text);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400")) << path;
    EXPECT_THAT(answer, HasSubstr("is not known here")) << path;
  }
  const std::string answer = answer_to(post(std::string(event_json), "Idempotency-Key:\r\n"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer, HasSubstr("Idempotency-Key: must be 1 to 128 bytes of UTF-8"));
  EXPECT_EQ(ask("/api/v1/count").body, R"({"count":0,"gaps":[]})");
}

// More than the buffers of a connection hold: who sends it all first must be read to the end.
TEST_F(HttpServerTest, ARefusalReachesClientsThatSendTheirWholeBodyFirst) {
  LimitSettings limits;
  limits.http_body_bytes = 1000;
  start(limits);
  const std::string large(std::size_t{40} << 20, ' ');
  EXPECT_THAT(answer_to(post(large)), StartsWith("HTTP/1.1 413"));
  server_->stop(60'000);
  limits.http_body_bytes = large.size();
  start(limits);
  EXPECT_THAT(answer_to("DELETE /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                        std::to_string(large.size()) + "\r\n\r\n" + large),
              StartsWith("HTTP/1.1 405"));
  EXPECT_EQ(ask("/healthz").status, 200U);
}

TEST_F(HttpServerTest, WhatIsNotHttpIsRefusedAndHarmsNobody) {
  start();
  for (const std::string& garbage :
       {std::string(300, '\x01'), std::string("GET /\r\n\r\n"), std::string("\x16\x03\x01"),
        std::string("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"),
        std::string("GET / HTTP/9.9\r\n\r\n")}) {
    EXPECT_THAT(answer_to(garbage + "\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  }
  EXPECT_THAT(answer_to("GET /" + std::string(300'000, 'a') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_EQ(ask("/healthz").status, 200U);
}

TEST_F(HttpServerTest, AFieldThatIsTooLongIsAnsweredThoughTheHeadIsNot) {
  start();
  const std::string head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  EXPECT_THAT(answer_to(head + "X: " + std::string(60'000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
  for (const std::string& field :
       {"X: " + std::string(70'000, 'a'), std::string(70'000, 'x') + ": a"}) {
    const std::string answer = answer_to(head + field + "\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 431"));
    EXPECT_THAT(answer, HasSubstr("of one field"));
  }
}

// A poster holds what has come of its body, not what its head says will come.
TEST_F(HttpServerTest, SlowBodiesKeepNoOtherOut) {
  LimitSettings limits;
  limits.http_body_bytes = 1 << 20;
  limits.http_bytes = 2 << 20;
  start(limits);
  std::vector<asio::ip::tcp::socket> slow;
  for (int i = 0; i < 10; ++i) {
    slow.push_back(
        raw("POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n["));
  }
  wait_until([this] { return metrics_.connections == 10; });
  EXPECT_THAT(answer_to(post(std::string(event_json))), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, TooManyBusyConnectionsAreClosedAtOnce) {
  add("activity", {event(1)});
  LimitSettings limits;
  limits.http_connections = 2;
  start(limits);
  const std::string follow = "GET /api/v1/tail?n=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  auto first = raw(follow);
  auto second = raw(follow);
  std::string text;
  asio::read_until(first, asio::dynamic_buffer(text), "id: activity:1\n\n");
  asio::read_until(second, asio::dynamic_buffer(text), "id: activity:1\n\n");
  EXPECT_EQ(answer_to(""), "");
  EXPECT_EQ(metrics_.connections_refused, 1U);
  first.close();
  wait_until([this] { return metrics_.connections == 1; });
  EXPECT_EQ(ask("/healthz").status, 200U);
}

TEST_F(HttpServerTest, ABodyThatIsWaitedForLongestMakesRoomToo) {
  LimitSettings limits;
  limits.http_connections = 2;
  start(limits);
  const std::string begun =
      "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n[";
  auto slowest = raw(begun);
  wait_until([this] { return metrics_.connections == 1; });
  auto slow = raw(begun);
  wait_until([this] { return metrics_.connections == 2; });
  EXPECT_EQ(ask("/healthz").status, 200U);
  EXPECT_EQ(metrics_.connections_refused, 0U);
}

TEST_F(HttpServerTest, TheConnectionThatIsIdleForLongestMakesRoomForANewOne) {
  LimitSettings limits;
  limits.http_connections = 2;
  start(limits);
  auto slowest = raw("GET /api");
  wait_until([this] { return metrics_.connections == 1; });
  auto slow = raw("GET /api");
  wait_until([this] { return metrics_.connections == 2; });
  EXPECT_EQ(ask("/healthz").status, 200U);
  EXPECT_EQ(metrics_.connections_refused, 0U);
  std::string text;
  boost::system::error_code error;
  asio::read(slowest, asio::dynamic_buffer(text), error);
  EXPECT_TRUE(error);
  EXPECT_EQ(text, "");
  asio::write(slow, asio::buffer(std::string("/v1/count HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  asio::read_until(slow, asio::dynamic_buffer(text), "\r\n\r\n");
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, ATailGivesNewEventsAndEndsWithTheServer) {
  add("activity", {event(1)});
  start();
  auto socket = raw("GET /api/v1/tail?n=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string text;
  asio::read_until(socket, asio::dynamic_buffer(text), "id: activity:1\n\n");
  EXPECT_THAT(text, HasSubstr("data: {\"seq\":1,"));
  add("activity", {event(2)});
  ++visible_;
  asio::read_until(socket, asio::dynamic_buffer(text), "id: activity:2\n\n");
  EXPECT_THAT(text, HasSubstr("data: {\"seq\":2,"));
  server_->stop(60'000);
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(text), error);
  EXPECT_EQ(error, asio::error::eof);
  EXPECT_EQ(reads(), (std::vector<std::string>{"tail 0 "}));
}

TEST_F(HttpServerTest, ATailGoesOnAtTheLastEventThatItsReaderHad) {
  add("activity", {event(1), event(2), event(3)});
  start();
  auto socket =
      raw("GET /api/v1/tail HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: activity:2\r\n\r\n");
  std::string text;
  asio::read_until(socket, asio::dynamic_buffer(text), "id: activity:3\n\n");
  EXPECT_THAT(text, Not(HasSubstr("\"seq\":2,")));
  EXPECT_THAT(text, HasSubstr("data: {\"seq\":3,"));
}

Token token_of(const std::string& secret, Role role, const std::string& filter = "") {
  Token token;
  token.name = "token-" + secret;
  token.sha256 = digest_of(secret);
  token.role = role;
  token.scope = api::Scope::parse(filter).value();
  return token;
}

std::string shown(const std::string& secret) {
  return "Host: localhost\r\nAuthorization: Bearer " + secret + "\r\n";
}

TEST_F(HttpServerTest, WithTokensARequestWithoutOneIs401AndSaysWhatIsTaken) {
  access_.change({token_of("r", Role::reader)});
  start();
  const std::string answer =
      answer_to("GET /api/v1/count HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Bearer realm=\"docket\"\r\n"));
  EXPECT_THAT(answer, HasSubstr("application/problem+json"));
  EXPECT_EQ(ask("/healthz").status, 200U);
  EXPECT_EQ(ask("/readyz").status, 200U);
  EXPECT_EQ(ask("/metrics").status, 401U);
  // The body of a refused post is read over, so that the sender sees why.
  EXPECT_THAT(answer_to(post(std::string(event_json))), StartsWith("HTTP/1.1 401"));
  EXPECT_TRUE(reads().empty());
}

TEST_F(HttpServerTest, TwoAuthorizationsAreNone) {
  access_.change({token_of("r", Role::reader)});
  start();
  EXPECT_THAT(answer_to("GET /api/v1/count HTTP/1.1\r\nConnection: close\r\n" + shown("r") +
                        "Authorization: Bearer x\r\n\r\n"),
              StartsWith("HTTP/1.1 401"));
}

TEST_F(HttpServerTest, ReadsAreThoseOfTheTokensScopeAndNameIt) {
  add("activity", {event(1, "EDIT"), event(2, "DELETE")});
  access_.change({token_of("r", Role::reader, "verb:EDIT")});
  start();
  cli::HttpClient reader(
      cli::parse_server_url("http://127.0.0.1:" + std::to_string(server_->port())).value(),
      {"r", {}});
  EXPECT_EQ(reader.get("/api/v1/count").value().body, R"({"count":1,"gaps":[]})");
  EXPECT_EQ(reader.get("/api/v1/events/activity/2").value().status, 404U);
  EXPECT_EQ(reader.get("/api/v1/export").value().rows, "");
  EXPECT_EQ(reader.get("/api/v1/stats").value().status, 403U);
  auto socket = raw("GET /api/v1/tail?n=9 HTTP/1.1\r\n" + shown("r") + "\r\n");
  std::string text;
  asio::read_until(socket, asio::dynamic_buffer(text), "id: activity:2\n\n");
  EXPECT_THAT(text, HasSubstr("EDIT"));
  EXPECT_THAT(text, Not(HasSubstr("DELETE")));
  EXPECT_EQ(reads(),
            (std::vector<std::string>{"count 1 token-r", "export 1 token-r", "tail 0 token-r"}));
}

TEST_F(HttpServerTest, ATailEndsWhenItsTokenGoes) {
  add("activity", {event(1)});
  access_.change({token_of("r", Role::reader)});
  start();
  auto socket = raw("GET /api/v1/tail?n=1 HTTP/1.1\r\n" + shown("r") + "\r\n");
  std::string text;
  asio::read_until(socket, asio::dynamic_buffer(text), "id: activity:1\n\n");
  access_.change({token_of("other", Role::reader)});
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(text), error);
  EXPECT_EQ(error, asio::error::eof);
}

TEST_F(HttpServerTest, AWriterSendsToItsLogsAndAsksNothing) {
  Token writer = token_of("w", Role::writer);
  writer.logs = {"api"};
  access_.change({writer, token_of("a", Role::admin)});
  start();
  const std::string allowed = R"({"log":"api",)" + std::string(event_json.substr(1));
  const std::string sent = answer_to(
      post("[" + allowed + "," + std::string(event_json) + "]", "Authorization: Bearer w\r\n"));
  EXPECT_THAT(sent, StartsWith("HTTP/1.1 207"));
  EXPECT_THAT(sent, HasSubstr("the token may not write to 'activity'"));
  EXPECT_THAT(
      answer_to("GET /api/v1/count HTTP/1.1\r\nConnection: close\r\n" + shown("w") + "\r\n"),
      StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(get("/api/v1/search").body, HasSubstr("\"node\":\"token-w\""));
}

TEST_F(HttpServerTest, AnIdempotencyKeyIsThatOfItsToken) {
  access_.change({token_of("v", Role::writer), token_of("w", Role::writer)});
  start();
  const std::string key = "Idempotency-Key: k\r\nAuthorization: Bearer ";
  EXPECT_THAT(answer_to(post(std::string(event_json), key + "v\r\n")), Not(HasSubstr("duplicate")));
  EXPECT_THAT(answer_to(post(std::string(event_json), key + "w\r\n")), Not(HasSubstr("duplicate")));
  EXPECT_THAT(answer_to(post(std::string(event_json), key + "w\r\n")), HasSubstr("duplicate"));
}

TEST_F(HttpServerTest, StoppingClosesIdleConnectionsAndFreesThePort) {
  start();
  auto idle = raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string text;
  asio::read_until(idle, asio::dynamic_buffer(text), "\r\n\r\n");
  const std::uint16_t port = server_->port();
  server_->stop(60'000);
  boost::system::error_code error;
  asio::read(idle, asio::dynamic_buffer(text), error);
  EXPECT_EQ(error, asio::error::eof);
  asio::ip::tcp::socket refused(io_);
  refused.connect({asio::ip::make_address("127.0.0.1"), port}, error);
  EXPECT_EQ(error, asio::error::connection_refused);
}

TEST_F(HttpServerTest, ATakenPortIsAnErrorThatNamesIt) {
  start();
  const auto second = HttpServer::start({"127.0.0.1", server_->port()}, {}, parts());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(server_->port())));
}

}  // namespace
}  // namespace docket::server
