// The examples of ingest/PROTOCOL.md are what the code makes and takes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "ingest/protocol.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint64_t epoch = 1'777'638'123'250'000'000;

// The bytes of every ```hex NAME block.
std::map<std::string, Bytes> examples() {
  std::ifstream file(DOCKET_SOURCE_DIR "/ingest/PROTOCOL.md");
  std::map<std::string, Bytes> examples;
  Bytes* into = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```hex ")) {
      into = &examples[line.substr(7)];
    } else if (line.starts_with("```")) {
      into = nullptr;
    } else if (into != nullptr) {
      std::istringstream words(line);
      for (std::string word; words >> word;) {
        into->push_back(static_cast<std::byte>(std::strtoul(word.c_str(), nullptr, 16)));
      }
    }
  }
  return examples;
}

Bytes hello() {
  Bytes bytes;
  append_hello(bytes, {protocol_version, 0, epoch, "web-1", ""});
  return bytes;
}

Bytes batch() {
  BatchBuilder builder;
  EventView event;
  event.ts = static_cast<Nanos>(epoch);
  event.actor = {"user", "17", "", ""};
  event.verb = "EDIT";
  event.target = {"List", "7", ""};
  event.payload = R"({"a":1})";
  builder.add(event);
  return testing::batch_bytes("activity", 1, builder.finish().bytes);
}

TEST(ProtocolDocument, ItsExamplesAreWhatTheCodeMakes) {
  const auto documented = examples();
  const auto expect = [&documented](const std::string& name, const Bytes& made) {
    const auto found = documented.find(name);
    ASSERT_NE(found, documented.end()) << name;
    EXPECT_EQ(found->second, made) << name;
  };
  expect("hello", hello());
  expect("batch", batch());
  Bytes bytes;
  append_welcome(bytes, {protocol_version, 0, 64, 65536, 32U << 20,
                         static_cast<std::uint32_t>(frame_body_bytes_max), 300'000});
  expect("welcome", bytes);
  bytes.clear();
  append_ack(bytes, {1, 1, 1, false, "activity", {}});
  expect("ack", bytes);
  bytes.clear();
  append_error(bytes,
               {WireError::out_of_order, true, 3, 2, "activity", "batch 3 came before batch 2"});
  expect("error", bytes);
  bytes.clear();
  append_ping(bytes, FrameType::ping, 1);
  expect("ping", bytes);
  bytes.clear();
  append_frame(bytes, FrameType::goodbye, {});
  expect("goodbye", bytes);
  EXPECT_EQ(documented.size(), 7U);
}

TEST(ProtocolDocument, AClientThatSendsItsExamplesIsAnsweredWithThem) {
  auto documented = examples();
  testing::FakeStore store;
  ServerOptions options;
  options.port = 0;
  const auto server = Server::start(store, options).value();
  testing::Peer peer(server->port());
  peer.send(native_preface);
  peer.send(documented["hello"]);
  const auto whole = [](const testing::Frame& frame) {
    Bytes bytes;
    append_frame(bytes, frame.type, frame.body);
    return bytes;
  };
  EXPECT_EQ(whole(peer.frame().value()), documented["welcome"]);
  peer.send(documented["batch"]);
  EXPECT_EQ(whole(peer.frame().value()), documented["ack"]);
  ASSERT_EQ(store.events("activity").size(), 1U);
  EXPECT_EQ(store.events("activity")[0].actor.id, "17");
  peer.send(documented["ping"]);
  EXPECT_EQ(peer.frame()->type, FrameType::pong);
  peer.send(testing::batch_bytes("activity", 3, testing::body_of(1)));
  EXPECT_EQ(whole(peer.frame().value()), documented["error"]);
  peer.send(documented["goodbye"]);
  EXPECT_TRUE(peer.closed());
}

}  // namespace
}  // namespace docket::ingest
