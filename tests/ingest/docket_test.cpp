#include "ingest/docket.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "ingest/server.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket {
namespace {

constexpr std::uint32_t long_ms = 10'000;
const std::string edit =
    R"({"actor":{"kind":"user","id":"17"},"verb":"edit","target":{"type":"List","id":"7"}})";

class CInterface : public ::testing::Test {
 protected:
  CInterface() {
    ingest::ServerOptions options;
    options.port = 0;
    server_ = ingest::Server::start(store_, options).value();
    server_address_ = "127.0.0.1:" + std::to_string(server_->port());
  }
  ~CInterface() override { docket_client_free(client_); }

  docket_status start(const std::map<std::string, std::string>& more = {}) {
    docket_options* options = docket_options_new();
    std::map<std::string, std::string> all = {
        {"server", server_address_}, {"node", "c"}, {"reconnect_ms_max", "5"}};
    for (const auto& [name, value] : more) {
      all[name] = value;
    }
    for (const auto& [name, value] : all) {
      EXPECT_EQ(docket_options_set(options, name.c_str(), value.c_str()), DOCKET_OK) << name;
    }
    const docket_status status = docket_client_start(options, &client_);
    docket_options_free(options);
    return status;
  }
  docket_status emit(const std::string& json) {
    return docket_emit_json(client_, json.data(), json.size(), nullptr, nullptr);
  }
  docket_counters counters() const {
    docket_counters counters{};
    counters.size = sizeof(counters);
    EXPECT_EQ(docket_get_counters(client_, &counters), DOCKET_OK);
    return counters;
  }

  testing::FakeStore store_;
  std::unique_ptr<ingest::Server> server_;
  std::string server_address_;
  docket_client* client_ = nullptr;
};

TEST_F(CInterface, EventsOfJsonAndOfFieldsArriveTheSame) {
  ASSERT_EQ(start(), DOCKET_OK) << docket_error_message();
  const std::string json =
      R"({"log":"api","ts":1777638123250000000,"actor":{"kind":"user","id":"17","name":"Ana",)"
      R"("role":"Owner"},"verb":"edit","target":{"type":"List","id":"7","name":"News"},)"
      R"("affected":3,"ip":"192.0.2.7","outcome":"denied","reason":"r","session":"s",)"
      R"("request":"q","payload":{"a":1}})";
  ASSERT_EQ(emit(json), DOCKET_OK) << docket_error_message();
  docket_event event{};
  event.size = sizeof(event);
  event.ts_ns = 1'777'638'123'250'000'000;
  event.log = "api";
  event.actor_kind = "user";
  event.actor_id = "17";
  event.actor_name = "Ana";
  event.actor_role = "Owner";
  event.verb = "edit";
  event.target_type = "List";
  event.target_id = "7";
  event.target_name = "News";
  event.affected = 3;
  event.ip = "192.0.2.7";
  event.outcome = "denied";
  event.reason = "r";
  event.session = "s";
  event.request = "q";
  event.payload = R"({"a":1})";
  ASSERT_EQ(docket_emit(client_, &event, nullptr, nullptr), DOCKET_OK) << docket_error_message();
  ASSERT_EQ(docket_flush(client_, long_ms), DOCKET_OK) << docket_error_message();
  auto stored = store_.events("api");
  ASSERT_EQ(stored.size(), 2U);
  stored[1].seq = stored[0].seq;
  stored[1].received = stored[0].received;
  EXPECT_EQ(stored[0], stored[1]);
  EXPECT_EQ(stored[0].payload, R"({"a":1})");
  EXPECT_EQ(stored[0].node, "c");
}

TEST_F(CInterface, AnEventOfAnOlderHeaderHasWhatThatHeaderHad) {
  ASSERT_EQ(start(), DOCKET_OK);
  docket_event event{};
  event.size = offsetof(docket_event, affected);
  event.actor_kind = "user";
  event.actor_id = "17";
  event.verb = "EDIT";
  event.target_type = "List";
  event.reason = reinterpret_cast<const char*>(8);  // behind what counts
  ASSERT_EQ(docket_emit(client_, &event, nullptr, nullptr), DOCKET_OK) << docket_error_message();
  ASSERT_EQ(docket_flush(client_, long_ms), DOCKET_OK);
  EXPECT_EQ(store_.events("activity")[0].affected, 1U);
  docket_counters some{};
  some.size = offsetof(docket_counters, rejected);
  some.pending = 99;
  ASSERT_EQ(docket_get_counters(client_, &some), DOCKET_OK);
  EXPECT_EQ(some.durable, 1U);
  EXPECT_EQ(some.pending, 99U);
}

TEST_F(CInterface, UnderTlsItTrustsTheAuthorityThatItIsGiven) {
  const testing::TemporaryDirectory directory;
  testing::make_certificate(directory.path(), "a");
  testing::make_certificate(directory.path(), "b");
  const auto path = [&](const char* name) { return directory.path() + "/" + name; };
  ingest::ServerOptions options;
  options.port = 0;
  options.tls = [&] { return ingest::server_tls({path("a.crt"), path("a.key"), ""}).value(); };
  server_ = ingest::Server::start(store_, options).value();
  server_address_ = "127.0.0.1:" + std::to_string(server_->port());
  ASSERT_EQ(start({{"tls.authorities", path("a.crt")}, {"tls.server_name", "localhost"}}),
            DOCKET_OK);
  ASSERT_EQ(emit(edit), DOCKET_OK);
  EXPECT_EQ(docket_flush(client_, 10'000), DOCKET_OK) << docket_error_message();
  docket_client_free(std::exchange(client_, nullptr));
  ASSERT_EQ(start({{"tls.authorities", path("b.crt")}, {"tls.server_name", "localhost"}}),
            DOCKET_OK);
  ASSERT_EQ(emit(edit), DOCKET_OK);
  EXPECT_NE(docket_flush(client_, 200), DOCKET_OK) << "of another authority";
  docket_client_free(std::exchange(client_, nullptr));
  ASSERT_EQ(start({{"tls.certificate", path("a.crt")}}), DOCKET_INVALID) << "without its key";
}

TEST_F(CInterface, SecretsAreTakenOutByTheRulesOfTheServer) {
  ASSERT_EQ(start({{"redact.keys", "pin,*secret*"}, {"redact.patterns", "jwt,card"}}), DOCKET_OK);
  ASSERT_EQ(emit(R"({"actor":{"kind":"user","id":"17","name":"4111 1111 1111 1111"},)"
                 R"("verb":"EDIT","target":{"type":"List","id":"7"},)"
                 R"("payload":{"PIN":1,"the_secret":"x","p":"y"}})"),
            DOCKET_OK);
  ASSERT_EQ(docket_flush(client_, long_ms), DOCKET_OK);
  const auto stored = store_.events("activity");
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].payload, R"({"PIN":"[redacted]","the_secret":"[redacted]","p":"y"})");
  EXPECT_EQ(stored[0].actor.name, "[redacted]");
  docket_options* options = docket_options_new();
  for (const auto& [name, value] :
       {std::pair{"redact.keys", "a*b"}, {"redact.keys", "a,,b"}, {"redact.patterns", "vat"}}) {
    EXPECT_EQ(docket_options_set(options, name, value), DOCKET_INVALID) << value;
  }
  EXPECT_EQ(docket_options_set(options, "redact.keys", ""), DOCKET_OK);  // takes them away
  docket_options_free(options);
}

TEST_F(CInterface, WhatIsWrongIsToldWithACodeAndInWords) {
  docket_options* options = docket_options_new();
  for (const auto& [name, value] : std::map<std::string, std::string>{{"port", "1"},
                                                                      {"server", "host"},
                                                                      {"batch_rows", "x"},
                                                                      {"memory_bytes", "10 MB"},
                                                                      {"linger_us", "-1"},
                                                                      {"spool.sync", "yes"},
                                                                      {"tls", "1"}}) {
    EXPECT_EQ(docket_options_set(options, name.c_str(), value.c_str()), DOCKET_INVALID) << name;
    EXPECT_NE(std::string(docket_error_message()).find(name), std::string::npos);
  }
  EXPECT_EQ(docket_client_start(options, &client_), DOCKET_INVALID) << "there is no node";
  EXPECT_EQ(client_, nullptr);
  docket_options_free(options);
  ASSERT_EQ(start(), DOCKET_OK);
  EXPECT_EQ(emit("{"), DOCKET_INVALID);
  EXPECT_EQ(emit(R"({"actor":{"kind":"user","id":"1"},"verb":"EDIT"})"), DOCKET_INVALID);
  EXPECT_STREQ(docket_error_message(), "target.type: is required");
  docket_event event{};
  event.size = sizeof(event);
  event.ip = "300.1.1.1";
  EXPECT_EQ(docket_emit(client_, &event, nullptr, nullptr), DOCKET_INVALID);
  EXPECT_STREQ(docket_error_message(), "ip: must be an IPv4 or IPv6 address");
  EXPECT_EQ(counters().emitted, 0U);
}

TEST_F(CInterface, ADurableEventIsWaitedForAndToldByItsNumber) {
  ASSERT_EQ(start(), DOCKET_OK);
  std::uint64_t seq = 0;
  ASSERT_EQ(docket_emit_durable(client_, edit.data(), edit.size(), long_ms, &seq), DOCKET_OK)
      << docket_error_message();
  EXPECT_EQ(seq, 1U);
  ASSERT_EQ(docket_emit_durable(client_, edit.data(), edit.size(), long_ms, nullptr), DOCKET_OK);
  store_.hold();
  EXPECT_EQ(docket_emit_durable(client_, edit.data(), edit.size(), 1, &seq), DOCKET_TIMEOUT);
  EXPECT_EQ(docket_flush(client_, 1), DOCKET_TIMEOUT);
  EXPECT_EQ(seq, 1U);
  store_.release();
  EXPECT_EQ(docket_flush(client_, long_ms), DOCKET_OK);
  EXPECT_EQ(counters().durable, 3U);
}

TEST_F(CInterface, AHandlerIsCalledOnceForEachEvent) {
  ASSERT_EQ(start(), DOCKET_OK);
  std::map<std::uint64_t, int> seqs;  // the client's thread, until flush() comes back
  const docket_delivery on_delivery = [](void* context, std::uint64_t seq, const char* error) {
    EXPECT_EQ(error, nullptr);
    ++(*static_cast<std::map<std::uint64_t, int>*>(context))[seq];
  };
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(docket_emit_json(client_, edit.data(), edit.size(), on_delivery, &seqs), DOCKET_OK);
  }
  ASSERT_EQ(docket_flush(client_, long_ms), DOCKET_OK);
  EXPECT_EQ(seqs, (std::map<std::uint64_t, int>{{1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}}));
}

TEST_F(CInterface, ASpoolKeepsWhatAClientLeaves) {
  const testing::TemporaryDirectory directory;
  ASSERT_EQ(start({{"server", "127.0.0.1:1"}, {"spool.directory", directory / "spool"}}),
            DOCKET_OK);
  ASSERT_EQ(emit(edit), DOCKET_OK);
  char text[10];
  EXPECT_GT(docket_connection_error(client_, text, sizeof(text)), sizeof(text));
  EXPECT_EQ(std::strlen(text), sizeof(text) - 1);
  docket_client* const first = client_;
  EXPECT_EQ(start({{"spool.directory", directory / "spool"}}), DOCKET_BUSY);
  docket_client_free(first);
  ASSERT_EQ(start({{"spool.directory", directory / "spool"}}), DOCKET_OK);
  ASSERT_EQ(docket_flush(client_, long_ms), DOCKET_OK);
  EXPECT_EQ(counters().recovered, 1U);
  EXPECT_EQ(store_.events("activity").size(), 1U);
}

TEST_F(CInterface, OfSeveralServersOneThatAnswersIsFound) {
  ASSERT_EQ(start({{"server", "127.0.0.1:1,unix:/nowhere,[::1]:1," + server_address_}}), DOCKET_OK);
  ASSERT_EQ(emit(edit), DOCKET_OK);
  EXPECT_EQ(docket_flush(client_, long_ms), DOCKET_OK) << docket_error_message();
}

}  // namespace
}  // namespace docket
