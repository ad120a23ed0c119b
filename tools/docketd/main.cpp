// docketd: stores audit and activity events and answers questions about them.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <optional>
#include <thread>

#include "tools/docketd/arguments.hpp"
#include "tools/docketd/logger.hpp"
#include "tools/docketd/notifier.hpp"
#include "tools/docketd/server.hpp"
#include "tools/docketd/token.hpp"

namespace docket::server {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

// Each line of the message with the program's name before it.
void complain(const Error& error) {
  std::string_view rest = error.message;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    static_cast<void>(
        std::fprintf(stderr, "docketd: %.*s\n", static_cast<int>(line.size()), line.data()));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
}

// The large buffers of a query go back to the system when it ends. Left alone, glibc would keep
// blocks of up to 32 MiB once it has seen one freed, in up to eight arenas a core. Of the end of
// each arena more is kept than the 128 KiB that are then the rule: while events come in, batches,
// blocks and columns of some 100 KiB come and go, and the kernel zeroes what it has been given back
// before it can be used again.
void bound_kept_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
  mallopt(M_ARENA_MAX, static_cast<int>(std::max(2U, std::thread::hardware_concurrency())));
#endif
}

// Blocks the signals in this thread and all that it starts, so that wait_for_signal() gets them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  static_cast<void>(pthread_sigmask(SIG_BLOCK, &signals, nullptr));
  // A peer that goes away must not take the process with it.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  return signals;
}

// The next of the signals; 0 when `patience` is given and over.
int wait_for_signal(const sigset_t& signals, std::optional<std::chrono::microseconds> patience) {
  constexpr std::chrono::microseconds second{1'000'000};
  if (!patience) {
    return sigwaitinfo(&signals, nullptr);
  }
  timespec time{};
  time.tv_sec = *patience / second;
  time.tv_nsec = *patience % second / std::chrono::nanoseconds(1);
  return sigtimedwait(&signals, nullptr, &time);
}

// Until SIGTERM or SIGINT, whose name it returns. SIGHUP reloads.
std::string_view serve(Server& server, const Arguments& arguments, const sigset_t& signals,
                       const Notifier& manager) {
  const auto interval = manager.watchdog_interval();
  for (;;) {
    if (interval && server.is_well()) {
      manager.send("WATCHDOG=1");
    }
    const int signal = wait_for_signal(signals, interval);
    if (signal == SIGTERM || signal == SIGINT) {
      return signal == SIGTERM ? "SIGTERM" : "SIGINT";
    }
    if (signal != SIGHUP) {
      continue;
    }
    manager.send("RELOADING=1");
    if (const auto settings = load_settings(arguments)) {
      server.reload(*settings);
    } else {
      server.reload_failed(settings.error());
    }
    manager.send("READY=1");
  }
}

// The token on the first line, what the file is to hold below.
int print_new_token(const Arguments& arguments) {
  Token token;
  token.name = *arguments.new_token;
  const auto role = parse_role(arguments.role);
  if (!is_token_name(token.name) || !role) {
    complain({ErrorCode::invalid_argument,
              role ? "--new-token: a name is 1 to 64 of letters, digits, '.', '_' and '-'"
                   : "--role: " + role.error().message,
              0, 0, 0});
    return exit_usage;
  }
  token.role = *role;
  const auto made = make_token();
  if (!made) {
    complain(made.error());
    return exit_failed;
  }
  static_cast<void>(
      std::printf("%s\n\n%s", made->c_str(), print_token(token, digest_of(*made)).c_str()));
  return 0;
}

int run(int argc, char** argv) {
  const ParsedArguments parsed = parse_arguments(argc, argv);
  if (parsed.exit_code) {
    return *parsed.exit_code;
  }
  if (parsed.arguments.new_token) {
    return print_new_token(parsed.arguments);
  }
  const auto settings = load_settings(parsed.arguments);
  if (!settings) {
    complain(settings.error());
    return exit_usage;
  }
  if (parsed.arguments.print_config) {
    static_cast<void>(std::fputs(print_settings(*settings).c_str(), stdout));
    return 0;
  }
  if (parsed.arguments.check_config) {
    static_cast<void>(std::puts("the configuration is sound"));
    return 0;
  }
  bound_kept_memory();
  start_logger(settings->log_level, settings->log_format);
  const sigset_t signals = block_signals();
  const Notifier manager = Notifier::from_environment();
  auto server = Server::start(*settings);
  if (!server) {
    complain(server.error());
    return exit_failed;
  }
  static_cast<void>(std::printf("ingest %s\nhttp %s\n", (*server)->ingest_address().text().c_str(),
                                (*server)->http_address().text().c_str()));
  if (!settings->socket.empty()) {
    static_cast<void>(std::printf("socket %s\n", settings->socket.c_str()));
  }
  static_cast<void>(std::fflush(stdout));
  manager.send("READY=1");
  const std::string_view cause = serve(**server, parsed.arguments, signals, manager);
  manager.send("STOPPING=1");
  log_line(LogLevel::info, "stopping", {{"signal", std::string(cause)}});
  if (const auto stopped = (*server)->stop(cause); !stopped) {
    complain(stopped.error());
    return exit_failed;
  }
  log_line(LogLevel::info, "stopped");
  return 0;
}

}  // namespace
}  // namespace docket::server

int main(int argc, char** argv) {
  try {
    return docket::server::run(argc, argv);
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "docketd: %s\n", error.what()));
    return docket::server::exit_failed;
  }
}
