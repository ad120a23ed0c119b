// A docketd that this process starts for itself, on free ports of the loopback interface.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "engine/result.hpp"
#include "tools/load/server_watch.hpp"

namespace docket::load {

// Not thread-safe. Kills the server in the destructor where stop() was not called; the kernel does
// so where this process dies.
class OwnServer {
 public:
  // Starts the docketd that lies beside this program over `data` (made when missing), with the
  // configuration `toml` and its messages in `data`.log, and waits until it is ready. Error: io
  // with what it said last.
  [[nodiscard]] static Result<std::unique_ptr<OwnServer>> start(const std::string& data,
                                                                const std::string& toml);
  ~OwnServer();
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  [[nodiscard]] std::uint16_t ingest_port() const { return ingest_port_; }
  [[nodiscard]] std::uint16_t http_port() const { return http_port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] ServerWatch watch() const { return {"127.0.0.1", http_port_, pid_}; }

  // Ends it in order, so that what it has is sealed. Error: io when it does not exit 0 within a
  // minute, or had ended before. `cpu_seconds` of its whole life is told then.
  [[nodiscard]] Result<double> stop();

 private:
  OwnServer(pid_t pid, std::string log) : pid_(pid), log_(std::move(log)) {}
  [[nodiscard]] Result<void> read_addresses(int descriptor);
  [[nodiscard]] std::string last_words() const;

  pid_t pid_;
  std::string log_;
  std::uint16_t ingest_port_ = 0;
  std::uint16_t http_port_ = 0;
};

}  // namespace docket::load
