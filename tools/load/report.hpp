// One HTML page of what docket-load measured: no script, no network, light and dark.
#pragma once

#include <string>
#include <vector>

#include "engine/result.hpp"

namespace docket::load {

struct ReportSource {
  std::string name;  // of its file; empty: it has none
  std::string json;  // as docket-load send --json, sweep or plan wrote it
};

// A section for each. Error: invalid_argument naming what is no such document.
[[nodiscard]] Result<std::string> render_report(const std::vector<ReportSource>& sources);

// Error: io.
[[nodiscard]] Result<void> write_file(const std::string& path, const std::string& text);
[[nodiscard]] Result<std::string> read_file(const std::string& path);

}  // namespace docket::load
