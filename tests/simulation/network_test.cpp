#include "tests/simulation/network.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include "tests/simulation/machine.hpp"

namespace docket::simulation {
namespace {

constexpr std::uint16_t port = 7000;

// Everything up to the end of the stream, and how it ended: 0 or an errno.
struct Received {
  std::string bytes;
  int error = 0;
};

Received receive_all(int fd) {
  Received received;
  std::array<char, 100> bytes;
  for (;;) {
    const ssize_t count = recv(fd, bytes.data(), bytes.size(), 0);
    if (count <= 0) {
      received.error = count == 0 ? 0 : errno;
      return received;
    }
    received.bytes.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

int connect_to(std::uint16_t to) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(to);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd);
    return -error;
  }
  return fd;
}

// `sent` goes over one connection; what arrives on the other side.
Received over_a_connection(std::uint64_t seed, const Weather& weather, const std::string& sent,
                           const std::function<void(Machine&, Network&)>& meanwhile = {}) {
  Received received;
  Machine machine(seed);
  Network network(machine);
  network.set_weather(weather);
  machine.run([&] {
    const std::uint32_t server = network.add_host();
    machine.set_host(server);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(listener, 10), 0);
    std::thread sender([&] {
      machine.set_host(0);
      const int fd = connect_to(port);
      for (std::size_t at = 0; fd >= 0 && at < sent.size();) {
        const ssize_t count = send(fd, sent.data() + at, sent.size() - at, MSG_NOSIGNAL);
        if (count < 0) {
          break;
        }
        at += static_cast<std::size_t>(count);
      }
      close(fd);
    });
    const int accepted = accept(listener, nullptr, nullptr);
    if (meanwhile) {
      meanwhile(machine, network);
    }
    received = receive_all(accepted);
    close(accepted);
    close(listener);
    sender.join();
  });
  return received;
}

std::string some_text() {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) {
    text += std::to_string(i) + ' ';
  }
  return text;
}

TEST(Network, DeliversBytesInOrderAndOnce) {
  const std::string sent = some_text();
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Received received = over_a_connection(seed, {}, sent);
    EXPECT_EQ(received.error, 0);
    EXPECT_TRUE(received.bytes == sent);
  }
}

TEST(Network, EndsDoomedConnectionsAtAnyByte) {
  const std::string sent = some_text();
  std::set<std::size_t> ends;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Received received =
        over_a_connection(seed, {.doomed_in_100 = 100, .doomed_bytes_max = 100'000}, sent);
    EXPECT_EQ(received.error, ECONNRESET);
    EXPECT_TRUE(sent.starts_with(received.bytes));
    ends.insert(received.bytes.size() % 16);
  }
  EXPECT_GT(ends.size(), 4U);
}

TEST(Network, TellsPeersOfACrashedHostAfterAWhile) {
  const std::string sent = some_text();
  const Received received =
      over_a_connection(3, {}, sent, [](Machine&, Network& network) { network.crash(0); });
  EXPECT_EQ(received.error, ECONNRESET);
  EXPECT_LT(received.bytes.size(), sent.size());
}

TEST(Network, RefusesWhereNobodyListens) {
  Machine machine(1);
  Network network(machine);
  machine.run([] { EXPECT_EQ(connect_to(port), -ECONNREFUSED); });
}

// As timerfd has it: whoever reads waits, also for what the timer is set to meanwhile.
TEST(Network, ATimerKeepsItsReaderWaiting) {
  Machine machine(1);
  Network network(machine);
  machine.run([&] {
    const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    itimerspec when{};
    when.it_value.tv_sec = 5;
    ASSERT_EQ(timerfd_settime(timer, 0, &when, nullptr), 0);
    const Time start = machine.now();
    std::thread reader([&] {
      std::uint64_t times = 0;
      EXPECT_EQ(read(timer, &times, sizeof times), static_cast<ssize_t>(sizeof times));
      EXPECT_EQ(times, 1U);
    });
    machine.sleep(second);
    when.it_value.tv_sec = 60;
    ASSERT_EQ(timerfd_settime(timer, 0, &when, nullptr), 0);
    reader.join();
    EXPECT_GE(machine.now() - start, 61 * second);
    EXPECT_LT(machine.now() - start, 62 * second);
    close(timer);
  });
}

}  // namespace
}  // namespace docket::simulation
