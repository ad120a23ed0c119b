// Every single allocation of the HTTP listener fails once: a request has an answer or its
// connection ends, an event posted under a key is stored once, and the next request is answered.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "tests/durability/allocation_faults.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/tools/api/store_fixture.hpp"
#include "tools/docketd/content_coding.hpp"
#include "tools/docketd/http_server.hpp"

namespace docket::server {
namespace {

using docket::testing::allocation_has_failed;
using docket::testing::allocations_seen;
using docket::testing::Exempt;
using docket::testing::fail_allocation;
using docket::testing::Peer;

class HttpAllocationLoop : public api::StoreFixture {
 protected:
  void start() {
    const auto fine = [] { return api::Answer{}; };
    HttpParts parts{
        *service_,
        EventRules{},
        metrics_,
        access_,
        [](const api::ReadRecord&, const std::string&, const std::string&, std::string_view) {},
        fine,
        fine,
        [] { return std::string("metrics"); },
        visible_,
        [] { return ingest::TlsContext(); }};
    server_ = HttpServer::start({"127.0.0.1", 0}, {}, std::move(parts)).value();
  }
  void TearDown() override { server_.reset(); }

  // All that is answered on a connection of its own, up to its end.
  std::string exchange(const std::string& line, const std::string& rest) {
    Peer peer(server_->port());
    peer.send(line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + rest);
    return peer.rest();
  }
  std::string ask(const std::string& target) { return exchange("GET " + target, "\r\n"); }
  std::string post(std::uint64_t key) {
    const std::string body =
        R"({"actor":{"kind":"user","id":"1"},"verb":"EDIT","target":{"type":"List","id":"1"}})";
    return exchange("POST /api/v1/events",
                    "Idempotency-Key: longer-than-a-short-string-" + std::to_string(key) +
                        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  // A record of OTLP, compressed; its verb is LOG.
  std::string post_otlp(std::uint64_t key) {
    std::string body;
    Gzip gzip;
    gzip.add(
        R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"},)"
        R"("attributes":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":1}]}}}]}]}]}]})",
        body);
    gzip.finish(body);
    return exchange("POST /v1/logs",
                    "Idempotency-Key: another-that-is-not-short-" + std::to_string(key) +
                        "\r\nContent-Type: application/json\r\nContent-Encoding: gzip" +
                        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  static bool is_fine(const std::string& answer) { return answer.starts_with("HTTP/1.1 200"); }

  HttpMetrics metrics_;
  Access access_;
  std::atomic<std::uint64_t> visible_{0};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpAllocationLoop, NoFailingAllocationKeepsAnAnswerBack) {
  const Exempt exempt;
  add("activity", {event(1), event(2)});
  start();
  std::uint64_t key = 0;
  const auto all_four = [&] {
    static_cast<void>(post(key));
    static_cast<void>(post_otlp(key));
    static_cast<void>(ask("/api/v1/count?q=verb:EDIT"));
    static_cast<void>(ask("/api/v1/export?q=&format=csv"));
  };
  all_four();
  fail_allocation(0);
  ++key;
  all_four();
  const std::uint64_t all = allocations_seen();
  for (const std::uint64_t n : docket::testing::failing_allocations(all, 400)) {
    SCOPED_TRACE("allocation " + std::to_string(n) + " of about " + std::to_string(all));
    ++key;
    fail_allocation(n);
    all_four();
    static_cast<void>(allocation_has_failed());
    ASSERT_TRUE(is_fine(post(key))) << "the same again";
    ASSERT_TRUE(is_fine(post_otlp(key))) << "the same again";
    const std::string records = ask("/api/v1/count?q=verb:LOG");
    EXPECT_TRUE(records.ends_with("{\"count\":" + std::to_string(key + 1) + ",\"gaps\":[]}"))
        << records;
    const std::string count = ask("/api/v1/count?q=verb:EDIT");
    EXPECT_TRUE(count.ends_with("{\"count\":" + std::to_string(key + 3) + ",\"gaps\":[]}"))
        << count;
    ASSERT_TRUE(is_fine(ask("/api/v1/export?q=&format=csv")));
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace docket::server
