#include "ingest/wire_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <string>

#include "engine/bytes.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::ingest {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::system::error_code;

// Two ends that speak with each other, each by its own coroutine of one thread.
class WireSocketTest : public ::testing::TestWithParam<bool> {
 protected:
  WireSocketTest() {
    docket::testing::make_certificate(directory_.path(), "a");
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    far_.socket().assign(asio::local::stream_protocol(), ends[0]);
    near_.socket().assign(asio::local::stream_protocol(), ends[1]);
  }

  asio::awaitable<void> meet_as_client() {
    if (GetParam()) {
      const TlsContext context = client_tls({"", "", directory_ / "a.crt"}).value();
      error_code error;
      co_await near_.connect_tls(context, "localhost", error);
      EXPECT_FALSE(error) << near_.fault();
    }
    ++met_;
  }
  asio::awaitable<void> meet_as_server() {
    if (GetParam()) {
      const TlsContext context =
          server_tls({directory_ / "a.crt", directory_ / "a.key", ""}).value();
      error_code error;
      co_await far_.accept_tls(context, {}, error);
      EXPECT_FALSE(error) << far_.fault();
    }
    ++met_;
  }
  // Reads to the end, woken again and again by cancel().
  asio::awaitable<std::string> read_all(WireSocket& socket, error_code& end) {
    std::string text;
    std::array<std::byte, 1000> room{};
    end = {};
    while (!end) {
      co_await socket.wait_readable(end);
      if (!end) {
        const std::size_t bytes = co_await socket.read_some(room, end);
        text += as_text(std::span(room).first(bytes));
      }
      if (end == asio::error::operation_aborted) {
        ++wakes_;
        end = {};
      }
    }
    co_return text;
  }
  void run(asio::awaitable<void> as_client, asio::awaitable<void> as_server) {
    for (auto* side : {&as_client, &as_server}) {
      asio::co_spawn(io_, std::move(*side), [](const std::exception_ptr& failure) {
        if (failure) {
          std::rethrow_exception(failure);
        }
      });
    }
    io_.run();
  }

  const docket::testing::TemporaryDirectory directory_;
  asio::io_context io_;
  WireSocket far_{StreamSocket(io_)}, near_{StreamSocket(io_)};
  int met_ = 0;
  int wakes_ = 0;
};

TEST_P(WireSocketTest, WhatIsWrittenComesToItsEnd) {
  std::string got;
  error_code end;
  const std::string small(10, 'a');
  const std::string large(500'000, 'b');
  const auto as_client = [&]() -> asio::awaitable<void> {
    co_await meet_as_client();
    EXPECT_EQ(near_.is_tls(), GetParam());
    const std::vector<asio::const_buffer> buffers{
        asio::buffer(small), {}, asio::buffer(large), asio::buffer(small)};
    error_code error;
    co_await near_.write(buffers, error);
    EXPECT_FALSE(error);
    co_await near_.end_sending();
    got = co_await read_all(near_, end);
  };
  const auto as_server = [&]() -> asio::awaitable<void> {
    co_await meet_as_server();
    error_code error;
    const std::string read = co_await read_all(far_, error);
    EXPECT_EQ(error, asio::error::eof);
    EXPECT_EQ(read, small + large + small);
    EXPECT_FALSE(GetParam() && far_.is_ready());
    const auto answer = as_byte_span(small);
    const std::size_t written = co_await far_.write_some(answer, error);
    EXPECT_EQ(written, small.size());
    co_await far_.end_sending();
  };
  run(as_client(), as_server());
  EXPECT_EQ(got, small);
  EXPECT_EQ(end, asio::error::eof);
}

TEST_P(WireSocketTest, CancelWakesBothDirectionsAndNothingIsLost) {
  std::string text;
  for (int i = 0; text.size() < 2'000'000; ++i) {
    text += std::to_string(i);
  }
  std::string got;
  bool is_over = false;
  const auto as_client = [&]() -> asio::awaitable<void> {
    co_await meet_as_client();
    std::span<const std::byte> rest = as_byte_span(text);
    error_code error;
    while (!rest.empty() && (!error || error == asio::error::operation_aborted)) {
      wakes_ += error ? 1 : 0;
      const std::size_t written = co_await near_.write_some(rest, error);
      rest = rest.subspan(written);
    }
    EXPECT_TRUE(rest.empty());
    co_await near_.end_sending();
  };
  const auto as_server = [&]() -> asio::awaitable<void> {
    co_await meet_as_server();
    error_code error;
    got = co_await read_all(far_, error);
    EXPECT_EQ(error, asio::error::eof);
    is_over = true;
  };
  const auto disturb = [&]() -> asio::awaitable<void> {
    asio::steady_timer pause(io_);
    while (!is_over) {
      pause.expires_after(100us);
      co_await pause.async_wait(asio::use_awaitable);
      if (met_ == 2) {  // hands are shaken in one attempt
        near_.cancel();
        far_.cancel();
      }
    }
  };
  asio::co_spawn(io_, disturb(), asio::detached);
  run(as_client(), as_server());
  EXPECT_EQ(got, text);
  EXPECT_GT(wakes_, 0);
}

TEST_P(WireSocketTest, AnEndThatIsNotAnnouncedIsNoEndUnderTls) {
  error_code end;
  const auto as_client = [&]() -> asio::awaitable<void> {
    co_await meet_as_client();
    near_.close();
  };
  const auto as_server = [&]() -> asio::awaitable<void> {
    co_await meet_as_server();
    static_cast<void>(co_await read_all(far_, end));
  };
  run(as_client(), as_server());
  EXPECT_EQ(end == asio::error::eof, !GetParam());
}

TEST_P(WireSocketTest, LeavingAnnouncesTheEnd) {
  error_code end;
  const auto as_client = [&]() -> asio::awaitable<void> {
    co_await meet_as_client();
    near_.leave();
  };
  const auto as_server = [&]() -> asio::awaitable<void> {
    co_await meet_as_server();
    static_cast<void>(co_await read_all(far_, end));
  };
  run(as_client(), as_server());
  EXPECT_EQ(end, asio::error::eof);
}

TEST_P(WireSocketTest, WritesAtOnceWhatThereIsRoomForAndNothingUnderTls) {
  asio::co_spawn(io_, meet_as_client(), asio::detached);
  asio::co_spawn(io_, meet_as_server(), asio::detached);
  io_.run();
  ASSERT_EQ(met_, 2);
  const std::vector<std::byte> some(1000);
  if (GetParam()) {
    EXPECT_EQ(near_.write_at_once(some), 0U);
    return;
  }
  EXPECT_EQ(near_.write_at_once(some), some.size());
  const std::vector<std::byte> much(std::size_t{64} << 20);
  EXPECT_LT(near_.write_at_once(much), much.size());
  EXPECT_EQ(near_.write_at_once(some), 0U) << "it is full, and does not wait";
  far_.close();
  EXPECT_EQ(near_.write_at_once(some), 0U) << "and an end is no signal";
}

INSTANTIATE_TEST_SUITE_P(InTheClearAndUnderTls, WireSocketTest, ::testing::Bool(),
                         [](const auto& tls) { return tls.param ? "Tls" : "Clear"; });

}  // namespace
}  // namespace docket::ingest
