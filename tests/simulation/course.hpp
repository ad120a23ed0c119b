// What happens under one seed: senders, readers and an operator at a node that lives several lives.
#pragma once

#include <cstdint>
#include <string>

namespace docket::simulation {

struct CourseOptions {
  std::uint64_t seed = 0;
  bool is_long = false;  // more lives, senders and events
  bool is_told = false;  // what happens goes to stderr
};

struct CourseResult {
  std::uint64_t trace = 0;  // equal for equal courses
  std::uint64_t turns = 0;
  double virtual_seconds = 0;
  std::uint64_t events = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t crashes = 0;
  std::uint64_t faults = 0;  // of the disk, those that hit
  std::uint64_t damages = 0;
  std::uint64_t sealed = 0;
  std::uint64_t retired = 0;  // segments
  std::uint64_t answers = 0;
};

// Ends the process with status 1 and a line on stderr at the first broken promise. One at a time in
// a process.
[[nodiscard]] CourseResult run_course(const CourseOptions& options);

}  // namespace docket::simulation
