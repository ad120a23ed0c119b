// The command line of what a capacity planner uses: plan, sweep and report.
#pragma once

#include <memory>
#include <optional>

namespace CLI {
class App;
}

namespace docket::load {

// Must outlive the parsing.
class PlannerFlags {
 public:
  PlannerFlags();
  ~PlannerFlags();
  PlannerFlags(const PlannerFlags&) = delete;
  PlannerFlags& operator=(const PlannerFlags&) = delete;

  void add_to(CLI::App& app);
  // Runs the command that was parsed; nothing when it is none of these. Throws
  // CLI::ValidationError.
  [[nodiscard]] std::optional<int> run();

 private:
  struct Flags;
  std::unique_ptr<Flags> flags_;
};

}  // namespace docket::load
