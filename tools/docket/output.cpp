#include "tools/docket/output.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "tools/api/units.hpp"

namespace docket::cli {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{64} << 10;
constexpr std::size_t columns_default = 80;
constexpr std::size_t columns_min = 20;
constexpr std::int64_t first_draw_ns = 500'000'000;
constexpr std::int64_t redraw_ns = 100'000'000;
constexpr std::uint64_t bar_columns = 24;

std::int64_t steady_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::optional<std::string_view> environment(const char* name) {
  // Nothing changes the environment while other threads run.
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::nullopt : std::optional<std::string_view>(value);
}

std::size_t terminal_columns() {
  std::size_t columns =
      api::parse_number<std::size_t>(environment("COLUMNS").value_or("")).value_or(0);
  if (columns == 0) {
    winsize size{};
    columns = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                                : columns_default;
  }
  return std::max(columns, columns_min);
}

}  // namespace

Terminal Terminal::detect() {
  Terminal terminal;
  terminal.is_terminal = ::isatty(STDOUT_FILENO) == 1;
  if (terminal.is_terminal) {
    terminal.colour = environment("NO_COLOR").value_or("").empty() && environment("TERM") != "dumb";
    terminal.columns = terminal_columns();
  }
  return terminal;
}

Output::~Output() {
  flush();
  if (pager_ > 0) {
    ::close(descriptor_);
    int status = 0;
    while (::waitpid(pager_, &status, 0) < 0 && errno == EINTR) {
    }
  }
}

void Output::start_pager() {
  const std::string command(environment("PAGER").value_or("less -R"));
  int ends[2] = {-1, -1};
  if (command.empty() || command == "cat" || pager_ > 0 || ::pipe(ends) != 0) {
    return;
  }
  flush();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    // What fits on the screen needs no paging, and colours are ours.
    ::setenv("LESS", "FRX", 0);  // NOLINT(concurrency-mt-unsafe): the child has one thread
    static_cast<void>(std::signal(SIGPIPE, SIG_DFL));
    ::execl("/bin/sh", "sh", "-c", (command + "; [ $? -ne 127 ] || cat").c_str(),
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[0]);
  if (child < 0) {
    ::close(ends[1]);
    return;
  }
  pager_ = child;
  descriptor_ = ends[1];
}

void Output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= buffer_bytes) {
    flush();
  }
}

void Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && !gone_ && failure_ == 0) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      gone_ = true;
    } else if (errno != EINTR) {
      failure_ = errno;
    }
  }
  buffer_.clear();
}

std::string progress_text(std::string_view what, std::uint64_t done, std::uint64_t total,
                          std::string_view unit, std::int64_t elapsed_ns) {
  constexpr std::int64_t told_after_ns = 1'000'000'000;
  std::string pace;
  if (elapsed_ns >= told_after_ns && done > 0) {
    const double seconds = static_cast<double>(elapsed_ns) / 1e9;
    const double rate = static_cast<double>(done) / seconds;
    pace = fmt::format(", {}/s", api::readable_count(static_cast<std::uint64_t>(rate + 0.5)));
    if (done < total) {
      const auto left = static_cast<std::uint64_t>(static_cast<double>(total - done) / rate + 0.5);
      pace += left < 60     ? fmt::format(", {}s left", left)
              : left < 3600 ? fmt::format(", {}m {:02}s left", left / 60, left % 60)
                            : fmt::format(", {}h {:02}m left", left / 3600, left / 60 % 60);
    }
  }
  if (total == 0) {
    return fmt::format("{} {} {}{}", what, api::readable_count(done), unit, pace);
  }
  const std::uint64_t percent = std::min(done, total) * 100 / total;
  const std::uint64_t filled = percent * bar_columns / 100;
  return fmt::format("{} [{}{}] {} % ({} of {} {}{})", what, std::string(filled, '#'),
                     std::string(bar_columns - filled, '.'), percent, api::readable_count(done),
                     api::readable_count(total), unit, pace);
}

Progress::Progress(std::string_view what, std::uint64_t total, bool wanted)
    : what_(what),
      total_(total),
      enabled_(wanted && ::isatty(STDERR_FILENO) == 1),
      began_ns_(steady_now_ns()),
      next_ns_(began_ns_ + first_draw_ns) {}

Progress::~Progress() {
  if (drawn_) {
    static_cast<void>(std::fputs("\r\033[K", stderr));
  }
}

void Progress::show(std::uint64_t done, std::string_view unit) {
  if (!enabled_) {
    return;
  }
  const std::int64_t now = steady_now_ns();
  if (now < next_ns_) {
    return;
  }
  next_ns_ = now + redraw_ns;
  drawn_ = true;
  const std::string line = "\r\033[K" + progress_text(what_, done, total_, unit, now - began_ns_);
  static_cast<void>(std::fputs(line.c_str(), stderr));
}

}  // namespace docket::cli
