// What docket-load can be told to do. Each returns the exit code: 0 done, 1 failed.
#pragma once

#include <cstdint>
#include <string>

#include "tools/load/generator.hpp"
#include "tools/load/sender.hpp"

namespace docket::load {

struct SendCommand {
  GeneratorOptions events;
  SendOptions send;
  bool ndjson = false;
  std::string ledger;  // a file to write; empty: none
  bool json = false;
};
int run_send(SendCommand command);

struct WriteCommand {
  GeneratorOptions events;
  std::string out;  // empty: standard output
};
int run_write(const WriteCommand& command);

struct CheckCommand {
  GeneratorOptions events;
  std::string data;    // a data directory; or
  std::string server;  // http://ADDRESS:PORT
  std::uint32_t filters = 100;
  std::string ledger;  // with `data`: acknowledged batches to find again
};
int run_check(const CheckCommand& command);

// Prints "docket-load: <error>" on stderr and returns 1.
int report_failure(const std::string& message);

}  // namespace docket::load
