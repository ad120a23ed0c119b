#include "tools/docketd/process_usage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace docket::server {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The number behind "NAME:" at the start of a line.
std::optional<std::uint64_t> number_of(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ":")) {
      std::istringstream rest(line.substr(name.size() + 1));
      std::uint64_t value = 0;
      return rest >> value ? std::optional(value) : std::nullopt;
    }
  }
  return std::nullopt;
}

// utime and stime, the 14th and 15th field; the second, in parentheses, may hold anything.
std::optional<double> cpu_seconds(const std::string& stat) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) {
    fields >> skipped;
  }
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  if (!(fields >> user >> system)) {
    return std::nullopt;
  }
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

Result<ProcessUsage> process_usage(pid_t pid) {
  const std::string folder = pid == 0 ? "/proc/self" : fmt::format("/proc/{}", pid);
  const auto cpu = cpu_seconds(read_all(folder + "/stat"));
  if (!cpu) {
    return fail(ErrorCode::not_found, fmt::format("there is no process {}", pid));
  }
  const std::string status = read_all(folder + "/status");
  ProcessUsage usage;
  usage.cpu_seconds = *cpu;
  usage.resident_bytes = number_of(status, "VmRSS").value_or(0) * 1024;
  usage.resident_bytes_max = number_of(status, "VmHWM").value_or(0) * 1024;
  usage.written_bytes = number_of(read_all(folder + "/io"), "wchar");
  return usage;
}

}  // namespace docket::server
