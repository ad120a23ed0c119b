// docket-load report: an HTML page of files that send, sweep and plan have written.
#include <utility>

#include "tools/load/commands.hpp"
#include "tools/load/report.hpp"

namespace docket::load {
namespace {

Result<void> report(const ReportCommand& command) {
  std::vector<ReportSource> sources;
  for (const std::string& path : command.files) {
    DOCKET_ASSIGN(std::string json, read_file(path));
    sources.push_back({path, std::move(json)});
  }
  DOCKET_ASSIGN(const std::string page, render_report(sources));
  return write_file(command.out, page);
}

}  // namespace

int run_report(const ReportCommand& command) {
  const auto done = report(command);
  return done ? 0 : report_failure(done.error().describe());
}

}  // namespace docket::load
