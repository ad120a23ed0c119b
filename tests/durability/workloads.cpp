#include "tests/durability/workloads.hpp"

namespace docket::testing {

namespace {

constexpr Step send = Step::send;
constexpr Step seal = Step::seal;
constexpr Step retire = Step::retire;

}  // namespace

const std::array<Workload, 5>& workloads() {
  static const std::array<Workload, 5> all = {{
      {"Steady", {.logs = {"activity"}}, std::vector<Step>(8, send)},
      {"LowRate",
       {.logs = {"activity"}, .rows_max = 1, .batches_max = 1},
       std::vector<Step>(24, send)},
      {"ManyLogs",
       {.logs = {"activity", "api", "authentication", "campaign", "l1", "l2", "l3", "l4", "l5"},
        .rows_max = 8},
       std::vector<Step>(6, send)},
      {"Coalesce",
       {.logs = {"activity"}, .rows_max = 2},
       {send, send, send, seal, send, send, send, send, seal, send}},
      {"Retire", {}, {send, seal, send, seal, retire, send, retire, send, seal}},
  }};
  return all;
}

}  // namespace docket::testing
