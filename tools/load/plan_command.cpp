// docket-load plan: what a load takes of a machine like this one, and whether that holds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "engine/timestamp.hpp"
#include "tools/load/calibration.hpp"
#include "tools/load/commands.hpp"
#include "tools/load/json_writer.hpp"
#include "tools/load/machine.hpp"
#include "tools/load/report.hpp"
#include "tools/version.hpp"

namespace docket::load {
namespace {

struct Plan {
  std::optional<DiskProbe> disk;
  Calibration calibration;
  std::vector<ForecastItem> forecast;
  std::optional<std::vector<Comparison>> verification;

  [[nodiscard]] bool holds(double tolerance) const {
    return !verification || std::ranges::all_of(*verification, [&](const Comparison& comparison) {
      return std::abs(comparison.deviation()) <= tolerance;
    });
  }
};

std::string to_json(const PlanCommand& command, const Plan& plan) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("kind", "plan");
  json.member("format", 1);
  json.member("version", version);
  json.member("when", format_rfc3339(now_ns() / 1'000'000'000 * 1'000'000'000));
  write_place(json, plan.disk);
  json.key("asked");
  write_json(json, command.request);
  json.key("calibration");
  write_json(json, plan.calibration);
  json.key("forecast");
  write_json(json, plan.forecast);
  json.member("tolerance", command.tolerance);
  json.key("verification");
  plan.verification ? write_json(json, *plan.verification, command.tolerance) : json.null();
  json.end_object();
  text += '\n';
  return text;
}

void print_forecast(const PlanCommand& command, const Plan& plan) {
  const PlanRequest& request = command.request;
  fmt::print("{:.0f} events a day, kept {:g} days, on {}\n", request.events_per_day,
             request.retention_days, readable(describe_machine()));
  for (const ForecastItem& item : plan.forecast) {
    fmt::print("  {:<46} {:>18}  {}\n", item.name,
               item.value ? readable_value(*item.value, item.unit) : "unknown", item.how);
  }
}

void print_verification(const std::vector<Comparison>& comparisons, double tolerance) {
  fmt::print("a second run at this load, of other events:\n");
  for (const Comparison& comparison : comparisons) {
    fmt::print("  {:<46} {:>18} forecast, {} measured: {:+.1f} %{}\n", comparison.name,
               readable_value(comparison.forecast, comparison.unit),
               readable_value(comparison.measured, comparison.unit), comparison.deviation() * 100,
               std::abs(comparison.deviation()) <= tolerance
                   ? ""
                   : fmt::format("  (beyond {:.0f} %{})", tolerance * 100,
                                 comparison.apart > tolerance
                                     ? fmt::format("; runs of one kind lie {:.0f} % apart: the "
                                                   "machine is not quiet",
                                                   comparison.apart * 100)
                                     : ""));
  }
}

Result<Plan> make_plan(const PlanCommand& command) {
  Plan plan;
  fmt::print(stderr, "calibrating\n");
  DOCKET_ASSIGN(plan.calibration, calibrate(command.request, command.calibration));
  if (!command.calibration.server.data.empty()) {
    DOCKET_ASSIGN(plan.disk, probe_disk(command.calibration.server.data));
  }
  plan.forecast = make_forecast(command.request, plan.calibration);
  if (command.verify) {
    fmt::print(stderr, "verifying\n");
    CalibrationOptions again = command.calibration;
    again.events.seed += 1'000'000;
    DOCKET_ASSIGN(const Calibration measured, calibrate(command.request, again));
    plan.verification = compare(plan.calibration, measured);
  }
  return plan;
}

Result<bool> plan_and_tell(const PlanCommand& command) {
  DOCKET_ASSIGN(const Plan plan, make_plan(command));
  print_forecast(command, plan);
  if (plan.verification) {
    print_verification(*plan.verification, command.tolerance);
  }
  const std::string json = to_json(command, plan);
  if (!command.json.empty()) {
    DOCKET_TRY(write_file(command.json, json));
  }
  if (!command.out.empty()) {
    DOCKET_ASSIGN(const std::string page, render_report({{"", json}}));
    DOCKET_TRY(write_file(command.out, page));
  }
  return plan.holds(command.tolerance);
}

}  // namespace

int run_plan(const PlanCommand& command) {
  const auto holds = plan_and_tell(command);
  if (!holds) {
    return report_failure(holds.error().describe());
  }
  return *holds ? 0
                : report_failure(fmt::format("the forecast does not hold within {:.0f} %",
                                             command.tolerance * 100));
}

}  // namespace docket::load
