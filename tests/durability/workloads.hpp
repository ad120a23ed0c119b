// What a store may be busy with when something fails.
#pragma once

#include <array>
#include <vector>

#include "tests/durability/witness.hpp"

namespace docket::testing {

struct Workload {
  const char* name;
  WitnessOptions witness;
  std::vector<Step> steps;
};

// steady: full batches to one log. low_rate: an event at a time. many_logs: some to each of nine.
// coalesce: small blocks that sealing makes full ones of. retire: segments go while others come.
[[nodiscard]] const std::array<Workload, 5>& workloads();

}  // namespace docket::testing
