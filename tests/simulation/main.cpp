// Runs seeds, each in a process of its own: a seed leaves nothing to the next, and is the same when
// it is run alone.
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

#include "tests/simulation/course.hpp"

namespace docket::simulation {

namespace {

// Of a processor; far beyond what any seed takes.
constexpr unsigned seed_seconds_max = 600;
constexpr std::uint32_t failures_told = 20;

struct Totals {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  CourseResult sum;

  void add(const CourseResult& one) {
    sum.trace ^= one.trace;
    sum.turns += one.turns;
    sum.virtual_seconds += one.virtual_seconds;
    sum.events += one.events;
    sum.acknowledged += one.acknowledged;
    sum.crashes += one.crashes;
    sum.faults += one.faults;
    sum.damages += one.damages;
    sum.sealed += one.sealed;
    sum.retired += one.retired;
    sum.answers += one.answers;
  }
};

// Runs `work` in a child and takes what it returns, bytes as they are; nullopt when it failed.
template <typename Value, typename Work>
std::pair<pid_t, int> fork_for(const Work& work) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) {
    std::perror("pipe");
    std::exit(2);
  }
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid < 0) {
    std::perror("fork");
    std::exit(2);
  }
  if (pid == 0) {
    const Value value = work();
    _exit(write(ends[1], &value, sizeof value) == sizeof value ? 0 : 2);
  }
  close(ends[1]);
  return {pid, ends[0]};
}

template <typename Value>
std::optional<Value> collect(std::pair<pid_t, int> child) {
  Value value;
  const bool complete = read(child.second, &value, sizeof value) == sizeof value;
  close(child.second);
  int status = 0;
  waitpid(child.first, &status, 0);
  return complete && status == 0 ? std::optional(value) : std::nullopt;
}

// Turns pass faster between threads of one processor.
void stay_on(std::uint32_t processor) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  sched_setaffinity(0, sizeof one, &one);
}

// Every `jobs`-th seed from `first` on.
Totals run_share(std::uint64_t first, std::uint64_t end, std::uint32_t jobs, bool tells,
                 const CourseOptions& options) {
  Totals totals;
  auto told = std::chrono::steady_clock::now();
  for (CourseOptions one = {.seed = first, .is_long = options.is_long, .is_told = options.is_told};
       one.seed < end; one.seed += jobs) {
    const auto result = collect<CourseResult>(fork_for<CourseResult>([&one] {
      const rlimit time{seed_seconds_max, seed_seconds_max};
      setrlimit(RLIMIT_CPU, &time);
      return run_course(one);
    }));
    ++totals.seeds;
    if (result) {
      totals.add(*result);
    } else {
      ++totals.failed;
      fmt::print(stderr, "seed {} fails; again, with what happens: --seed {}{} --tell\n", one.seed,
                 one.seed, one.is_long ? " --long" : "");
      if (totals.failed == failures_told) {
        break;
      }
    }
    const auto now = std::chrono::steady_clock::now();
    if (tells && now - told > std::chrono::seconds(10)) {
      told = now;
      fmt::print(stderr, "seed {} of {}\n", one.seed, end);
    }
  }
  return totals;
}

int run(std::uint64_t first, std::uint64_t count, std::uint32_t jobs,
        const CourseOptions& options) {
  const auto since = std::chrono::steady_clock::now();
  std::vector<std::pair<pid_t, int>> workers;
  for (std::uint32_t i = 0; i < jobs; ++i) {
    workers.push_back(fork_for<Totals>([&, i] {
      stay_on(i % static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_ONLN)));
      return run_share(first + i, first + count, jobs, i == 0, options);
    }));
  }
  Totals all;
  for (const auto& worker : workers) {
    const auto totals = collect<Totals>(worker);
    if (!totals) {
      fmt::print(stderr, "a worker has ended\n");
      return 2;
    }
    all.seeds += totals->seeds;
    all.failed += totals->failed;
    all.add(totals->sum);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
  const CourseResult& sum = all.sum;
  fmt::print(
      "{} seeds from {} in {:.1f} s: {} failed\n"
      "{:.0f} virtual seconds, {} turns of threads, trace {:016x}\n"
      "{} events sent, {} acknowledged; {} crashes, {} lives with faults of the disk, {} damages\n"
      "{} segments sealed, {} retired; {} questions compared with a plain look\n",
      all.seeds, first, seconds, all.failed, sum.virtual_seconds, sum.turns, sum.trace, sum.events,
      sum.acknowledged, sum.crashes, sum.faults, sum.damages, sum.sealed, sum.retired, sum.answers);
  return all.failed == 0 ? 0 : 1;
}

}  // namespace

}  // namespace docket::simulation

int main(int argc, char** argv) {
  CLI::App app("Courses of events at a simulated node, each decided by its seed");
  std::uint64_t first = 1;
  std::uint64_t count = 100;
  std::uint64_t seed = 0;
  std::uint32_t jobs = 1;
  docket::simulation::CourseOptions options;
  app.add_option("--from", first, "the first seed")->capture_default_str();
  app.add_option("--seeds", count, "how many")->capture_default_str();
  auto* const single = app.add_option("--seed", seed, "this one alone");
  app.add_option("--jobs", jobs, "so many at a time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_flag("--long", options.is_long, "more lives, senders and events a seed");
  app.add_flag("--tell", options.is_told, "say what happens");
  CLI11_PARSE(app, argc, argv);
  return single->count() != 0 ? docket::simulation::run(seed, 1, 1, options)
                              : docket::simulation::run(first, count, jobs, options);
}
