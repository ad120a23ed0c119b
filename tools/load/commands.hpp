// What docket-load can be told to do. Each returns the exit code: 0 done, 1 failed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/load/calibration.hpp"
#include "tools/load/generator.hpp"
#include "tools/load/measured_run.hpp"
#include "tools/load/measured_server.hpp"

namespace docket::load {

struct SendCommand {
  GeneratorOptions events;       // of all runs, the warm-up included
  std::uint64_t run_events = 0;  // of each run that counts
  std::uint64_t warm_up = 0;     // events that are sent first and count nowhere
  std::uint32_t repeat = 1;      // runs that count
  RunOptions run;
  std::string ledger;  // a file to write; empty: none
  std::string probe;   // a directory whose disk is measured; empty: none
  bool json = false;
};
int run_send(SendCommand command);

struct SweepCommand {
  GeneratorOptions events;  // but for their number
  RunOptions run;           // but for address, rate and what is watched
  ServerChoice server;
  std::vector<double> rates;  // empty: shares of the capacity, which is measured first
  double seconds = 5;         // of each step
  double warm_up_seconds = 1;
  double questions_per_second = 1;  // where there is an HTTP address
  std::string json;                 // files to write; empty: none
  std::string out;
};
int run_sweep(const SweepCommand& command);

struct PlanCommand {
  PlanRequest request;
  CalibrationOptions calibration;
  bool verify = false;
  double tolerance = 0.15;
  std::string json;  // files to write; empty: none
  std::string out;
};
int run_plan(const PlanCommand& command);

struct ReportCommand {
  std::vector<std::string> files;
  std::string out;
};
int run_report(const ReportCommand& command);

struct WriteCommand {
  GeneratorOptions events;
  std::string out;  // empty: standard output
};
int run_write(const WriteCommand& command);

struct CheckCommand {
  GeneratorOptions events;
  std::string data;    // a data directory; or
  std::string server;  // http://ADDRESS:PORT
  Access access;       // with `server`
  std::uint32_t filters = 100;
  std::string ledger;  // with `data`: acknowledged batches to find again
};
int run_check(const CheckCommand& command);

struct GarbageCommand {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7470;
  std::uint64_t frames = 100'000;  // frames and lines
  std::uint64_t seed = 1;
  std::uint32_t connections = 2;  // at a time
  std::string protocol = "both";  // native, ndjson, both: each second connection
  std::uint32_t patience_ms = 60'000;
  Access access;
};
// Fails when the server cannot be reached, does not answer or breaks the protocol itself.
int run_garbage(const GarbageCommand& command);

// Prints "docket-load: <error>" on stderr and returns 1.
int report_failure(const std::string& message);

}  // namespace docket::load
