// The server that sweep and plan measure: one that runs, or one of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/result.hpp"
#include "tools/load/own_server.hpp"
#include "tools/load/server_watch.hpp"

namespace docket::load {

// What the command line says of it.
struct ServerChoice {
  std::string data;                   // a directory for a server of its own; or
  std::string config;                 // with `data`: its configuration, TOML text
  std::string address = "127.0.0.1";  // a server that runs,
  std::uint16_t port = 7470;
  ServerWatch watch;  // and where it can be looked at
};

struct MeasuredServer {
  std::unique_ptr<OwnServer> own;  // null: it runs by itself
  std::string address;
  std::uint16_t port = 0;
  ServerWatch watch;

  // Starts its own one, where the choice has a directory. Error: as OwnServer::start.
  [[nodiscard]] static Result<MeasuredServer> open(const ServerChoice& choice);
};

}  // namespace docket::load
