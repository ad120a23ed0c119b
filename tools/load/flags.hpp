// Flags that several commands of docket-load share.
#pragma once

#include <cstdint>
#include <string>

#include "tools/load/access.hpp"
#include "tools/load/generator.hpp"
#include "tools/load/server_watch.hpp"

namespace CLI {
class App;
}

namespace docket::load {

// Which events: the same flags for every command, so that what one sent another can check.
struct EventFlags {
  std::uint64_t events = 1'000'000;
  std::uint64_t seed = 1;
  std::uint32_t days = 90;
  std::string end;
  std::uint32_t note_bytes = 0;
  std::string mix = "activity:60,campaign:25,api:10,authentication:5";

  void add_to(CLI::App& app);
  // All but how many: for commands that find out themselves.
  void add_kind_to(CLI::App& app);

  // Throws CLI::ValidationError.
  [[nodiscard]] GeneratorOptions options() const;
};

// What lets the command in, at both ports of the server.
struct AccessFlags {
  std::string token_file;
  bool tls = false;
  std::string authorities, certificate, key;

  void add_to(CLI::App& app);
  [[nodiscard]] bool any() const { return !token_file.empty() || tls; }

  // Throws CLI::ValidationError.
  [[nodiscard]] Access access() const;
};

// Where the server can be looked at meanwhile.
struct WatchFlags {
  std::string http;
  std::uint32_t pid = 0;

  void add_to(CLI::App& app);

  // Throws CLI::ValidationError.
  [[nodiscard]] ServerWatch watch(Access access) const;
};

}  // namespace docket::load
