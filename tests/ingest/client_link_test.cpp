#include "ingest/client_link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "ingest/client.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::client {
namespace {

using testing::eventually;
using testing::FakeStore;
using ::testing::HasSubstr;

constexpr std::uint32_t patience_ms = 10'000;

class ClientUnderTls : public ::testing::Test {
 protected:
  ClientUnderTls() {
    docket::testing::make_certificate(directory_.path(), "a");
    docket::testing::make_certificate(directory_.path(), "b");
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

  // `client_authority` empty: no certificate is asked for.
  void start_server(bool is_tls = true, const std::string& client_authority = "") {
    ingest::ServerOptions options;
    options.port = 0;
    if (is_tls) {
      const std::string authority = client_authority.empty() ? "" : path(client_authority);
      const auto context = ingest::server_tls({path("a.crt"), path("a.key"), authority}).value();
      options.tls = [context] { return context; };
    }
    server_ = ingest::Server::start(store_, options).value();
  }
  [[nodiscard]] Options options(const std::string& trusted = "a") const {
    Options options;
    options.port = server_->port();
    options.node = "web-1";
    options.reconnect_ms_max = 5;
    options.tls = ingest::TlsFiles{"", "", path(trusted + ".crt")};
    return options;
  }
  static void emit(Client& client, std::uint32_t events) {
    for (std::uint32_t i = 0; i < events; ++i) {
      EventView event;
      event.ts = 1'777'000'000'000'000'000;
      event.actor = {"user", "1", "", ""};
      event.verb = "EDIT";
      event.target = {"List", "7", ""};
      const std::string payload = "{\"n\":" + std::to_string(i) + '}';
      event.payload = payload;
      ASSERT_TRUE(client.emit_waiting("activity", event, patience_ms));
    }
  }
  static bool has_failed(const Client& client) {
    const std::string error = client.last_error();
    return !error.empty() && error != "not yet connected";
  }
  // What it says as long as it cannot connect.
  static std::string fault_of(const Options& options) {
    const auto client = Client::start(options).value();
    EXPECT_TRUE(eventually([&] { return has_failed(*client); }));
    return client->last_error();
  }

  const docket::testing::TemporaryDirectory directory_;
  FakeStore store_;
  std::unique_ptr<ingest::Server> server_;
};

TEST_F(ClientUnderTls, WhatIsEmittedIsStored) {
  start_server();
  const auto client = Client::start(options()).value();
  emit(*client, 30'000);
  EXPECT_TRUE(client->flush(patience_ms)) << client->last_error();
  EXPECT_EQ(store_.events("activity").size(), 30'000U);
  EXPECT_EQ(client->counters().durable, 30'000U);
  EXPECT_EQ(client->counters().reconnects, 0U);
}

TEST_F(ClientUnderTls, ItSaysWhyItDoesNotTrustTheServer) {
  start_server();
  const std::string place = "cannot speak TLS with 127.0.0.1:" + std::to_string(server_->port());
  EXPECT_THAT(fault_of(options("b")), HasSubstr(place + ": the certificate is not accepted: self"));
  Options other = options();
  other.server_name = "elsewhere";
  EXPECT_THAT(fault_of(other), HasSubstr("hostname mismatch"));
  other.server_name = "localhost";
  const auto client = Client::start(other).value();
  emit(*client, 1);
  EXPECT_TRUE(client->flush(patience_ms)) << client->last_error();
}

TEST_F(ClientUnderTls, OneInTheClearAndAServerUnderTlsAndTheReverseAreToldFromAllElse) {
  start_server();
  Options clear = options();
  clear.tls.reset();
  EXPECT_EQ(fault_of(clear), "the server refuses: this port speaks TLS");
  start_server(false);
  EXPECT_THAT(fault_of(options()), HasSubstr("the other side does not speak TLS"));
}

TEST_F(ClientUnderTls, ItShowsACertificateAndOneThatWasRenewedFromTheNextConnectionOn) {
  start_server(true, "b.crt");
  Options known = options();
  docket::testing::make_certificate(directory_.path(), "own");
  known.tls->certificate = path("own.crt");
  known.tls->key = path("own.key");
  const auto client = Client::start(known).value();
  EXPECT_TRUE(eventually([&] { return has_failed(*client); }));
  EXPECT_THAT(client->last_error(), HasSubstr("alert"));
  // Neither fits the other for a moment, and that, too, is only said.
  std::filesystem::copy_file(path("b.crt"), path("own.crt"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(
      eventually([&] { return client->last_error().find("own.key") != std::string::npos; }));
  std::filesystem::copy_file(path("b.key"), path("own.key"),
                             std::filesystem::copy_options::overwrite_existing);
  emit(*client, 1);
  EXPECT_TRUE(client->flush(patience_ms)) << client->last_error();
}

TEST_F(ClientUnderTls, FilesThatAreFaultyAtTheStartAreNamed) {
  start_server();
  Options faulty = options("none");
  EXPECT_THAT(Client::start(faulty).error().message, HasSubstr("none.crt"));
  faulty = options();
  faulty.tls->certificate = path("a.crt");
  EXPECT_THAT(Client::start(faulty).error().message, HasSubstr("go together"));
  faulty = options();
  faulty.address = "unix:" + path("socket");
  EXPECT_THAT(Client::start(faulty).error().message, HasSubstr("in the clear"));
}

}  // namespace
}  // namespace docket::client
