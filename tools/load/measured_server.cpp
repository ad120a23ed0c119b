#include "tools/load/measured_server.hpp"

#include <utility>

namespace docket::load {

Result<MeasuredServer> MeasuredServer::open(const ServerChoice& choice) {
  MeasuredServer server;
  if (choice.data.empty()) {
    server.address = choice.address;
    server.port = choice.port;
    server.watch = choice.watch;
    return server;
  }
  DOCKET_ASSIGN(server.own, OwnServer::start(choice.data, choice.config));
  server.address = "127.0.0.1";
  server.port = server.own->ingest_port();
  server.watch = server.own->watch();
  return server;
}

}  // namespace docket::load
