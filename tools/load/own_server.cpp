#include "tools/load/own_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

namespace docket::load {
namespace {

constexpr int start_ms = 60'000;
constexpr auto stop_patience = std::chrono::seconds(60);

std::string docketd_path() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "docketd").string();
}

// In the child: nothing but calls that are allowed after fork().
[[noreturn]] void become(const char* const* arguments, int out, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(arguments[0], const_cast<char* const*>(arguments));
  ::_exit(127);
}

// "ingest 127.0.0.1:40123" -> the port, of the line that begins with `word`.
std::uint16_t port_of(const std::string& text, std::string_view word) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(word)) {
      std::uint16_t port = 0;
      const std::size_t colon = line.rfind(':');
      std::from_chars(line.data() + colon + 1, line.data() + line.size(), port);
      return port;
    }
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<OwnServer>> OwnServer::start(const std::string& data,
                                                    const std::string& toml) {
  const std::string program = docketd_path();
  if (::access(program.c_str(), X_OK) != 0) {
    return fail_errno(fmt::format("{}: the server to measure", program), errno);
  }
  const std::string config = data + ".toml";
  const std::string log = data + ".log";
  if (!(std::ofstream(config) << toml).flush()) {
    return fail_errno(config, errno);
  }
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    return fail_errno("pipe", errno);
  }
  const int log_file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const std::array<const char*, 10> arguments{
      program.c_str(), "--data",      data.c_str(), "--config",    config.c_str(),
      "--ingest",      "127.0.0.1:0", "--http",     "127.0.0.1:0", nullptr};
  const pid_t pid = log_file < 0 ? -1 : ::fork();
  if (pid == 0) {
    become(arguments.data(), pipe[1], log_file);
  }
  const int error = errno;
  ::close(pipe[1]);
  if (log_file >= 0) {
    ::close(log_file);
  }
  if (pid < 0) {
    ::close(pipe[0]);
    return fail_errno(fmt::format("{}: starting {}", log, program), error);
  }
  std::unique_ptr<OwnServer> server(new OwnServer(pid, log));
  auto ready = server->read_addresses(pipe[0]);
  ::close(pipe[0]);
  if (!ready) {
    return fail(std::move(ready).error());
  }
  return server;
}

Result<void> OwnServer::read_addresses(int descriptor) {
  std::string text;
  std::array<char, 512> bytes{};
  while (ingest_port_ == 0 || http_port_ == 0) {
    pollfd waiting{descriptor, POLLIN, 0};
    if (::poll(&waiting, 1, start_ms) <= 0) {
      return fail(ErrorCode::io, "docketd did not say where it listens");
    }
    const ssize_t size = ::read(descriptor, bytes.data(), bytes.size());
    if (size <= 0) {
      return fail(ErrorCode::io, fmt::format("docketd ended at its start: {}", last_words()));
    }
    text.append(bytes.data(), static_cast<std::size_t>(size));
    if (text.ends_with('\n')) {
      ingest_port_ = port_of(text, "ingest ");
      http_port_ = port_of(text, "http ");
    }
  }
  return {};
}

std::string OwnServer::last_words() const {
  std::ifstream file(log_);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    last = line;
  }
  return last;
}

Result<double> OwnServer::stop() {
  const pid_t pid = std::exchange(pid_, 0);
  ::kill(pid, SIGTERM);
  const auto end = std::chrono::steady_clock::now() + stop_patience;
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, WNOHANG, &usage) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return fail(ErrorCode::io, fmt::format("docketd did not stop: {}", last_words()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(ErrorCode::io, fmt::format("docketd ended badly: {}", last_words()));
  }
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

OwnServer::~OwnServer() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

}  // namespace docket::load
