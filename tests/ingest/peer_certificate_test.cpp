#include "ingest/peer_certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <cstdio>
#include <memory>

#include "ingest/tls.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::ingest {
namespace {

using ::testing::ElementsAre;

// As the program openssl prints it, without its colons and in lower case.
std::string printed_fingerprint(const std::string& path) {
  const std::string command = "openssl x509 -noout -fingerprint -sha256 -in " + path +
                              " | sed 's/.*=//' | tr -d ':\n' | tr A-F a-f";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  std::string text(64, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  ::pclose(pipe);
  return text;
}

class PeerCertificateTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }

  // What the server learns of a client that shows NAME.crt, where it trusts `authorities`, if any.
  // `lets_all_in`: the handshake goes on with a certificate that nobody vouches for.
  std::optional<PeerCertificate> meet(const std::string& name, const std::string& authorities,
                                      bool lets_all_in = false) {
    docket::testing::make_certificate(directory_.path(), "server");
    const TlsContext far = server_tls({path("server.crt"), path("server.key"),
                                       authorities.empty() ? "" : path(authorities)})
                               .value();
    if (lets_all_in) {
      far->set_verify_callback([](bool, boost::asio::ssl::verify_context&) { return true; });
    }
    TlsFiles own{path(name + ".crt"), path(name + ".key"), path("server.crt")};
    const TlsContext near =
        client_tls(name.empty() ? TlsFiles{"", "", own.authorities} : own).value();
    const std::unique_ptr<SSL, decltype(&SSL_free)> server(SSL_new(far->native_handle()), SSL_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> client(SSL_new(near->native_handle()),
                                                           SSL_free);
    BIO* server_end = nullptr;
    BIO* client_end = nullptr;
    EXPECT_EQ(BIO_new_bio_pair(&server_end, 0, &client_end, 0), 1);
    SSL_set_bio(server.get(), server_end, server_end);
    SSL_set_bio(client.get(), client_end, client_end);
    SSL_set_accept_state(server.get());
    SSL_set_connect_state(client.get());
    for (int i = 0; i < 4; ++i) {
      static_cast<void>(SSL_do_handshake(client.get()));
      static_cast<void>(SSL_do_handshake(server.get()));
    }
    return peer_certificate(server.get());
  }

  docket::testing::TemporaryDirectory directory_;
};

TEST_F(PeerCertificateTest, ItsFingerprintIsThatOfOpensslAndItsNamesAreThoseOfDns) {
  docket::testing::make_certificate(directory_.path(), "common",
                                    "DNS:Web-1.Example.ORG,IP:127.0.0.1,DNS:b,URI:c");
  const auto met = meet("common", "common.crt");
  ASSERT_TRUE(met);
  EXPECT_EQ(met->sha256, printed_fingerprint(path("common.crt")));
  EXPECT_THAT(met->names, ElementsAre("web-1.example.org", "b"));
}

TEST_F(PeerCertificateTest, TheCommonNameCountsWhereThereIsNoNameOfDns) {
  docket::testing::make_certificate(directory_.path(), "Old-Host", "");
  EXPECT_THAT(meet("Old-Host", "Old-Host.crt")->names, ElementsAre("old-host"));
}

TEST_F(PeerCertificateTest, ThereIsNoneThatNobodyVouchesFor) {
  docket::testing::make_certificate(directory_.path(), "a");
  docket::testing::make_certificate(directory_.path(), "b");
  EXPECT_TRUE(meet("a", "a.crt"));
  EXPECT_FALSE(meet("a", "b.crt"));
  EXPECT_FALSE(meet("a", "b.crt", true));
  EXPECT_TRUE(meet("b", "b.crt", true));
  EXPECT_FALSE(meet("a", ""));  // it is not asked for
  EXPECT_FALSE(meet("", "a.crt"));
}

}  // namespace
}  // namespace docket::ingest
