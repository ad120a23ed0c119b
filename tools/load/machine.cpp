#include "tools/load/machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "tools/load/json_writer.hpp"
#include "tools/load/latency_histogram.hpp"

namespace docket::load {
namespace {

constexpr std::size_t write_bytes = 4096;
constexpr std::size_t file_bytes = std::size_t{1} << 20;

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

std::uint32_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    return static_cast<std::uint32_t>(CPU_COUNT(&set));
  }
  return static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
}

// The type of the file system whose mount point is the longest prefix of the path.
std::string file_system_of(const std::string& directory) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(directory.c_str(), nullptr),
                                                         &std::free);
  const std::string path = (real != nullptr ? std::string(real.get()) : directory) + "/";
  std::ifstream mounts("/proc/self/mountinfo");
  std::string type = "unknown";
  std::size_t longest = 0;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string point;
    fields >> skipped >> skipped >> skipped >> skipped >> point;
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) {
      continue;
    }
    const std::string prefix = point.ends_with('/') ? point : point + "/";
    // A later mount over the same point hides the earlier one.
    if (path.starts_with(prefix) && prefix.size() >= longest) {
      longest = prefix.size();
      std::istringstream behind(line.substr(dash + 3));
      behind >> type;
    }
  }
  return type;
}

// Unlinks the file when it goes.
class ProbeFile {
 public:
  explicit ProbeFile(const std::string& directory) : path_(directory + "/docket-probe-XXXXXX") {
    descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
  }
  ~ProbeFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
      ::unlink(path_.c_str());
    }
  }
  ProbeFile(const ProbeFile&) = delete;
  ProbeFile& operator=(const ProbeFile&) = delete;

  [[nodiscard]] bool open() const { return descriptor_ >= 0; }
  [[nodiscard]] bool write(const std::vector<char>& bytes, std::size_t at) const {
    return ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
           static_cast<ssize_t>(bytes.size());
  }
  [[nodiscard]] bool sync() const { return ::fdatasync(descriptor_) == 0; }

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace

Machine describe_machine() {
  Machine machine;
  machine.processor = processor_name();
  machine.cores = usable_cores();
  machine.memory_bytes = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                         static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
  utsname names{};
  machine.kernel =
      uname(&names) == 0 ? fmt::format("{} {}", names.sysname, names.release) : "unknown";
  return machine;
}

Result<DiskProbe> probe_disk(const std::string& directory) {
  const ProbeFile file(directory);
  if (!file.open()) {
    return fail_errno(fmt::format("{}: making a file to probe the disk with", directory), errno);
  }
  if (!file.write(std::vector<char>(file_bytes), 0) || !file.sync()) {
    return fail_errno(fmt::format("{}: probing the disk", directory), errno);
  }
  using Clock = std::chrono::steady_clock;
  const std::vector<char> bytes(write_bytes, 'x');
  LatencyHistogram took;
  for (std::size_t at = 0; at < file_bytes; at += write_bytes) {
    const Clock::time_point start = Clock::now();
    if (!file.write(bytes, at) || !file.sync()) {
      return fail_errno(fmt::format("{}: probing the disk", directory), errno);
    }
    took.add((Clock::now() - start).count());
  }
  DiskProbe probe;
  probe.file_system = file_system_of(directory);
  struct statvfs free{};
  if (statvfs(directory.c_str(), &free) == 0) {
    probe.free_bytes = free.f_bavail * free.f_frsize;
  }
  probe.fdatasync_p50 = took.percentile(0.5);
  probe.fdatasync_p99 = took.percentile(0.99);
  return probe;
}

std::string readable(const Machine& machine) {
  return fmt::format("{} x {}, {:.0f} GiB, {}", machine.cores, machine.processor,
                     static_cast<double>(machine.memory_bytes) / (1U << 30), machine.kernel);
}

void write_json(JsonWriter& json, const Machine& machine) {
  json.begin_object();
  json.member("processor", machine.processor);
  json.member("cores", machine.cores);
  json.member("memory_bytes", machine.memory_bytes);
  json.member("kernel", machine.kernel);
  json.end_object();
}

void write_json(JsonWriter& json, const DiskProbe& disk) {
  json.begin_object();
  json.member("file_system", disk.file_system);
  json.member("free_bytes", disk.free_bytes);
  json.member("fdatasync_4k_p50_ms", static_cast<double>(disk.fdatasync_p50) / 1e6);
  json.member("fdatasync_4k_p99_ms", static_cast<double>(disk.fdatasync_p99) / 1e6);
  json.end_object();
}

void write_place(JsonWriter& json, const std::optional<DiskProbe>& disk) {
  json.key("machine");
  write_json(json, describe_machine());
  json.key("disk");
  disk ? write_json(json, *disk) : json.null();
}

}  // namespace docket::load
