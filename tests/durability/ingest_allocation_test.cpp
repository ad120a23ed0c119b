// Every single allocation of a server that takes events in fails once: a batch has an answer or its
// connection ends, what was acknowledged is stored once, and the next sender is served; one of
// syslog too, who is told nothing. The same under TLS, but for what OpenSSL allocates itself.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/out_of_memory.hpp"
#include "ingest/server.hpp"
#include "tests/durability/allocation_faults.hpp"
#include "tests/durability/exposed_store.hpp"
#include "tests/engine/stores.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::testing {
namespace {

using ingest::FrameType;

constexpr std::uint32_t batch_rows = 5;
constexpr std::uint64_t lines = 6;
constexpr std::uint64_t messages = 4;

// A server over a store, both exposed, and what its senders were told. Events are known by the ids
// of their actors.
class IngestAllocationLoop : public ::testing::Test {
 protected:
  IngestAllocationLoop() {
    make_store();
    start();
  }
  ~IngestAllocationLoop() override { stop(); }

  void make_store() {
    store_.reset();
    sim_.emplace();
    disk_ = exempt_disk(*sim_);
    store_ = open_store(*disk_);
    next_batch_ = 1;
    acknowledged_.clear();
  }
  void start() {
    ingest::ServerOptions options;
    options.port = 0;
    options.threads = 2;
    options.handshake_ms = 2000;  // its watch looks around often
    if (server_tls_) {
      options.tls = [this] { return server_tls_; };
    }
    auto server = [&] {
      const Exposed exposed;
      return within_memory([&] { return ingest::Server::start(*store_, options); });
    }();
    server_ = server ? std::move(*server) : nullptr;
  }
  // From the next start on.
  void speak_tls() {
    const TemporaryDirectory directory;
    make_certificate(directory.path(), "a");
    server_tls_ = ingest::server_tls({directory / "a.crt", directory / "a.key", ""}).value();
    client_tls_ = ingest::client_tls({"", "", directory / "a.crt"}).value();
  }
  // Where a handshake fails, whatever is sent then comes to nothing and the connection has ended.
  std::unique_ptr<Peer> connect() const {
    if (!client_tls_) {
      return std::make_unique<Peer>(server_->port());
    }
    auto peer = std::make_unique<Peer>(server_->port(), client_tls_);
    static_cast<void>(peer->shake_hands_of_tls());
    return peer;
  }
  void stop() {
    const Exposed exposed;
    server_.reset();
  }

  // Sends a batch; what has no ack is sent again, on a connection of its own, until it has. Fails
  // the test when a batch has neither an answer nor an end of its connection, and when more than
  // the first attempt fails.
  void send_batch() {
    const auto body = body_of(batch_rows, next_id_);
    for (int attempt = 0;; ++attempt) {
      ASSERT_LT(attempt, 3) << "the server does not go on";
      const auto ack = send_once(body);
      if (ack) {
        EXPECT_TRUE(attempt > 0 || !ack->duplicate);
        break;
      }
    }
    for (std::uint32_t row = 0; row < batch_rows; ++row) {
      acknowledged_["activity"].push_back(next_id_++);
    }
    ++next_batch_;
  }
  // A line that is refused and some that are not, one of them longer than the first buffer, on a
  // connection of their own. Whether all were stored.
  bool send_lines() {
    const auto connection = connect();
    Peer& peer = *connection;
    std::string text = "{}\n";
    const std::uint64_t first = next_id_;
    next_id_ += lines;
    for (std::uint64_t id = first; id < next_id_; ++id) {
      text += R"({"log":"campaign","actor":{"kind":"user","id":")" + std::to_string(id) +
              R"("},"verb":"SEND","target":{"type":"List","id":"1"},"payload":{"text":")" +
              std::string(id == first + 2 ? 9000 : 10, 'x') + R"("}})" + "\n";
    }
    peer.send(text);
    peer.close_sending();
    std::uint64_t durable = 0;
    while (const auto line = peer.line()) {
      if (line->starts_with(R"({"durable":)")) {
        durable = std::stoull(line->substr(11));
      }
    }
    EXPECT_TRUE(peer.closed());
    for (std::uint64_t id = first; id + 1 < first + durable; ++id) {
      acknowledged_["campaign"].push_back(id);
    }
    return durable == lines + 1;
  }

  // Syslog: messages, one of them refused, on a connection of their own; nothing is answered.
  // Whether all the others were stored when the connection had ended.
  bool send_messages() {
    const auto connection = connect();
    Peer& peer = *connection;
    std::string text = "3 bad";
    const std::uint64_t first = next_id_;
    next_id_ += messages;
    for (std::uint64_t id = first; id < next_id_; ++id) {
      const std::string message = "<13>1 - - " + std::to_string(id) + " - - [x@1 a=\"\\\"\"] " +
                                  std::string(id == first + 2 ? 9000 : 10, 'x');
      text += std::to_string(message.size()) + ' ' + message;
    }
    peer.send(text);
    peer.close_sending();
    EXPECT_TRUE(peer.closed());
    Log* const log = store_->find_log("syslog");
    std::uint64_t stored = 0;
    for (const Event& event : log == nullptr ? std::vector<Event>() : read_all(log->snapshot())) {
      const std::uint64_t id = std::stoull(event.actor.id);
      if (id >= first) {
        acknowledged_["syslog"].push_back(id);
        ++stored;
      }
    }
    return stored == messages;
  }

  void expect_acknowledged_once() {
    for (const auto& [log, ids] : acknowledged_) {
      std::map<std::string, int> stored;
      for (const Event& event : read_all(log_of(*store_, log).snapshot())) {
        ++stored[event.actor.id];
      }
      for (const std::uint64_t id : ids) {
        EXPECT_EQ(stored[std::to_string(id)], 1) << "event " << id << " of " << log;
      }
      for (const auto& [id, times] : stored) {
        EXPECT_EQ(times, 1) << "event " << id << " of " << log;
      }
    }
  }

  // Sends while allocations fail, to one server or each time to a new one over a new store: what a
  // server has allocated once it often keeps.
  void send_with_failures(bool to_new_servers) {
    const auto renew = [&] {
      if (to_new_servers) {
        stop();
        expect_acknowledged_once();
        make_store();
        start();
      }
      fail_allocation(0);
    };
    send_batch();
    ASSERT_TRUE(send_lines());
    ASSERT_TRUE(send_messages());
    renew();
    send_batch();
    ASSERT_TRUE(send_lines());
    ASSERT_TRUE(send_messages());
    const std::uint64_t all = allocations_seen();
    std::uint64_t hit = 0;
    for (const std::uint64_t n : failing_allocations(all, 2000)) {
      SCOPED_TRACE("allocation " + std::to_string(n) + " of about " + std::to_string(all));
      renew();
      fail_allocation(n);
      send_batch();
      static_cast<void>(send_lines());
      static_cast<void>(send_messages());
      hit += allocation_has_failed() ? 1 : 0;
      ASSERT_TRUE(send_lines()) << "the server does not go on";
      ASSERT_TRUE(send_messages()) << "the server does not go on";
      ASSERT_FALSE(HasFailure());
    }
    EXPECT_GT(hit, all / 2);
    EXPECT_TRUE(eventually([this] { return server_->stats().connections == 0; }));
    EXPECT_EQ(server_->stats().memory_used, 0U);
    stop();
    expect_acknowledged_once();
  }

  std::unique_ptr<ingest::Server> server_;

 private:
  std::optional<ingest::Ack> send_once(const std::vector<std::byte>& body) {
    const auto connection = connect();
    Peer& peer = *connection;
    peer.send(hello_bytes("node-a", 1));
    const auto welcome = peer.frame();
    if (!welcome || welcome->type != FrameType::welcome) {
      EXPECT_TRUE(peer.closed());
      return std::nullopt;
    }
    peer.send_batch("activity", next_batch_, body);
    const auto answer = peer.frame();
    if (answer && answer->type == FrameType::ack) {
      return ingest::parse_ack(answer->body).value();
    }
    EXPECT_TRUE(answer ? answer->type == FrameType::error : peer.closed());
    return std::nullopt;
  }

  ingest::TlsContext server_tls_, client_tls_;  // null: in the clear
  std::optional<SimDisk> sim_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Store> store_;
  std::uint64_t next_id_ = 1;
  std::uint64_t next_batch_ = 1;
  std::map<std::string, std::vector<std::uint64_t>> acknowledged_;
};

TEST_F(IngestAllocationLoop, NoFailingAllocationLosesABatchOrTheServer) {
  const Exempt exempt;
  send_with_failures(false);
}

TEST_F(IngestAllocationLoop, NoFailingAllocationLosesABatchOrANewServer) {
  const Exempt exempt;
  send_with_failures(true);
}

TEST_F(IngestAllocationLoop, NoFailingAllocationLosesABatchOrTheServerUnderTls) {
  const Exempt exempt;
  stop();
  speak_tls();
  start();
  send_with_failures(false);
}

TEST_F(IngestAllocationLoop, AServerStartsOrDoesNotAndStops) {
  const Exempt exempt;
  for (std::uint64_t n = 1, hit = 1; hit != 0; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n));
    stop();
    fail_allocation(n);
    start();
    stop();
    hit = allocation_has_failed() ? 1 : 0;
    start();
    ASSERT_TRUE(server_);
    ASSERT_TRUE(send_lines());
  }
  expect_acknowledged_once();
}

}  // namespace
}  // namespace docket::testing
