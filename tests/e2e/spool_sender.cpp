// A platform node for tests: emits events with ids of their own through a client with a spool, and
// notes each in a ledger once emit() has taken it. It is made to be killed.
//
//   spool_sender PORT SPOOL LEDGER LIFE   emits Thing:LIFE-1, Thing:LIFE-2, ... until it is killed
//   spool_sender PORT SPOOL               sends what is left, prints the counters, ends
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "engine/timestamp.hpp"
#include "ingest/client.hpp"

namespace {

constexpr std::uint32_t drain_ms = 60'000;
constexpr auto pause = std::chrono::microseconds(100);

int emit_until_killed(docket::client::Client& client, const char* ledger_path,
                      const std::string& life) {
  const int ledger = ::open(ledger_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (ledger < 0) {
    std::perror(ledger_path);
    return 1;
  }
  const std::string payload = R"({"note":")" + std::string(400, 'x') + R"("})";
  for (std::uint64_t n = 1;;) {
    const std::string id = life + '-' + std::to_string(n);
    docket::EventView event;
    event.ts = docket::now_ns();
    event.actor = {"system", "spool_sender", "", ""};
    event.verb = "SEND";
    event.target = {"Thing", id, ""};
    event.payload = payload;
    if (client.emit(n % 3 == 0 ? "campaign" : "activity", event)) {
      const std::string line = id + '\n';
      if (::write(ledger, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        std::perror(ledger_path);
        return 1;
      }
      ++n;
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    return 2;
  }
  docket::client::Options options;
  options.port = static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10));
  options.node = "spool-sender";
  options.reconnect_ms_max = 50;
  options.batch_rows = 100;
  // So small that events wait on the disk alone and files come and go.
  options.memory_bytes = std::size_t{64} << 10;
  options.spool.directory = argv[2];
  options.spool.bytes = std::uint64_t{4} << 20;
  auto client = docket::client::Client::start(options);
  if (!client) {
    std::fprintf(stderr, "%s\n", client.error().message.c_str());
    return 1;
  }
  if (argc == 5) {
    return emit_until_killed(**client, argv[3], argv[4]);
  }
  const auto flushed = (*client)->flush(drain_ms);
  const docket::client::Counters counters = (*client)->counters();
  std::printf("recovered %llu known %llu lost %llu rejected %llu\n",
              static_cast<unsigned long long>(counters.recovered),
              static_cast<unsigned long long>(counters.known),
              static_cast<unsigned long long>(counters.lost),
              static_cast<unsigned long long>(counters.rejected));
  if (!flushed) {
    std::fprintf(stderr, "%s\n", flushed.error().message.c_str());
    return 1;
  }
  return 0;
}
