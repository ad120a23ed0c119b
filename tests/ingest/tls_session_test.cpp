#include "ingest/tls_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "engine/bytes.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::ingest {
namespace {

using namespace std::string_literals;
using Step = TlsSession::Step;
using ::testing::HasSubstr;

Opening opening(const std::string& bytes) {
  return opening_of(as_byte_span(bytes));
}

TEST(TlsOpening, AClientHelloIsKnownByItsNineFirstBytesAndNothingElseIsTakenForOne) {
  const std::string hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"s;
  for (std::size_t bytes = 0; bytes < hello.size(); ++bytes) {
    EXPECT_EQ(opening(hello.substr(0, bytes)), Opening::incomplete) << bytes;
  }
  EXPECT_EQ(opening(hello), Opening::tls);
  for (const char* other : {"{", "DKT1", "<13>", "42 <13>", "GET / HTTP/1.1", "\x16\x02",
                            "\x80\x2e\x01", "\x16\x03\x01\x02\x01\x02"}) {
    EXPECT_EQ(opening(other), Opening::other) << other;
  }
}

TEST(TlsOpening, ALengthThatIsTooMuchOrHiddenIsSeenBeforeOpenSslMakesRoomForIt) {
  EXPECT_EQ(opening("\x16\x03\x01\x40\x00\x01\x00\x40\x00"s), Opening::tls);
  EXPECT_EQ(opening("\x16\x03\x01\x40\x00\x01\x00\x40\x01"s), Opening::too_long);
  EXPECT_EQ(opening("\x16\x03\x01\x40\x00\x01\x01\x00\x00"s), Opening::too_long);
  EXPECT_EQ(opening("\x16\x03\x01\x00\x03\x01\x00\x00\x16"s), Opening::other);
}

class TlsSessionTest : public ::testing::Test {
 protected:
  TlsSessionTest() {
    docket::testing::make_certificate(directory_.path(), "a");
    docket::testing::make_certificate(directory_.path(), "b");
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
  }
  ~TlsSessionTest() override {
    server_.reset();
    client_.reset();
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  // Both shake hands until neither goes on; what the client's last step was.
  Step meet(const std::string& host = "localhost", const std::string& trusted = "a.crt") {
    const TlsContext far = server_tls({path("a.crt"), path("a.key"), ""}).value();
    const TlsContext near = client_tls({"", "", path(trusted)}).value();
    client_ = std::make_unique<TlsSession>(near, ends_[1], host);
    Step met = client_->shake_hands();
    std::array<std::byte, tls_opening_bytes> opening{};
    EXPECT_EQ(::recv(ends_[0], opening.data(), opening.size(), 0), ssize_t{opening.size()});
    EXPECT_EQ(opening_of(opening), Opening::tls);
    server_ = std::make_unique<TlsSession>(far, ends_[0], opening);
    for (int i = 0; i < 4; ++i) {
      static_cast<void>(server_->shake_hands());
      met = client_->shake_hands();
    }
    return met;
  }
  static std::string read(TlsSession& session, Step* last = nullptr) {
    std::string text;
    std::array<std::byte, 100> room{};
    TlsSession::Moved moved = session.read(room);
    for (; moved.step == Step::done; moved = session.read(room)) {
      text += as_text(std::span(room).first(moved.bytes));
    }
    if (last != nullptr) {
      *last = moved.step;
    }
    return text;
  }

  const docket::testing::TemporaryDirectory directory_;
  std::array<int, 2> ends_{};
  std::unique_ptr<TlsSession> server_, client_;
};

TEST_F(TlsSessionTest, WhatOneSideWritesTheOtherReads) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    ASSERT_EQ(meet(host), Step::done) << client_->fault();
    EXPECT_EQ(server_->look(), Step::wants_read);
    const std::string text(1000, 'x');
    EXPECT_EQ(client_->write(as_byte_span(text)).bytes, text.size());
    EXPECT_EQ(server_->look(), Step::done);
    Step last{};
    EXPECT_EQ(read(*server_, &last), text);
    EXPECT_EQ(last, Step::wants_read);
    EXPECT_EQ(server_->write(as_byte_span("answer"s)).bytes, 6U);
    EXPECT_EQ(read(*client_), "answer");
  }
}

TEST_F(TlsSessionTest, AWriteThatTheSocketDoesNotTakeGoesOnWhereItWas) {
  ASSERT_EQ(meet(), Step::done);
  const std::string text(3'000'000, 'x');
  std::string got;
  std::size_t done = 0;
  int waits = 0;
  while (done < text.size()) {
    const TlsSession::Moved moved = client_->write(as_byte_span(text).subspan(done));
    done += moved.bytes;
    if (moved.step != Step::done) {
      ASSERT_EQ(moved.step, Step::wants_write);
      ++waits;
      got += read(*server_);
    }
  }
  got += read(*server_);
  EXPECT_EQ(got, text);
  EXPECT_GT(waits, 1);
}

TEST_F(TlsSessionTest, OneSideEndsAndTheOtherGoesOn) {
  ASSERT_EQ(meet(), Step::done);
  EXPECT_EQ(client_->write(as_byte_span("last"s)).step, Step::done);
  EXPECT_EQ(client_->say_goodbye(), Step::done);
  Step last{};
  EXPECT_EQ(read(*server_, &last), "last");
  EXPECT_EQ(last, Step::ended);
  EXPECT_EQ(server_->look(), Step::ended);
  EXPECT_EQ(server_->write(as_byte_span("answer"s)).step, Step::done);
  EXPECT_EQ(read(*client_), "answer");
}

TEST_F(TlsSessionTest, AnEndThatIsNotAnnouncedIsAFault) {
  ASSERT_EQ(meet(), Step::done);
  EXPECT_EQ(client_->write(as_byte_span("last"s)).step, Step::done);
  ::shutdown(ends_[1], SHUT_WR);
  Step last{};
  EXPECT_EQ(read(*server_, &last), "last");
  EXPECT_EQ(last, Step::failed);
  EXPECT_EQ(server_->fault(), "the connection ended without TLS having been ended");
  EXPECT_EQ(server_->write(as_byte_span("x"s)).step, Step::failed);
}

TEST_F(TlsSessionTest, WhomTheClientDoesNotTrustItDoesNotSpeakTo) {
  EXPECT_EQ(meet("localhost", "b.crt"), Step::failed);
  EXPECT_THAT(client_->fault(), HasSubstr("self-signed"));
  EXPECT_THAT(server_->fault(), HasSubstr("alert"));
}

TEST_F(TlsSessionTest, AServerOfAnotherNameIsNotSpokenTo) {
  EXPECT_EQ(meet("elsewhere"), Step::failed);
  EXPECT_THAT(client_->fault(), HasSubstr("hostname mismatch"));
}

TEST_F(TlsSessionTest, WhatIsNotTlsIsSaidToBeNone) {
  const TlsContext near = client_tls({"", "", path("a.crt")}).value();
  client_ = std::make_unique<TlsSession>(near, ends_[1], "localhost");
  EXPECT_EQ(client_->shake_hands(), Step::wants_read);
  ASSERT_EQ(::send(ends_[0], "error: this port takes", 22, 0), 22);
  EXPECT_EQ(client_->shake_hands(), Step::failed);
  EXPECT_EQ(client_->fault(), "the other side does not speak TLS");
}

TEST_F(TlsSessionTest, ASocketThatWasClosedIsNotTouchedAnyMore) {
  ASSERT_EQ(meet(), Step::done);
  EXPECT_EQ(client_->write(as_byte_span("secret"s)).step, Step::done);
  server_->detach();
  std::array<std::byte, 10> room{};
  EXPECT_EQ(server_->read(room).step, Step::failed);
  std::array<char, 100> raw{};
  EXPECT_GT(::recv(ends_[0], raw.data(), raw.size(), MSG_DONTWAIT), 6);
}

}  // namespace
}  // namespace docket::ingest
