#include "tests/simulation/course.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tests/simulation/ledger.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/node.hpp"
#include "tests/simulation/sender.hpp"
#include "tests/support/damage.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::simulation {

namespace {

using docket::testing::Io;
using docket::testing::SimDisk;

constexpr std::uint64_t ample = std::uint64_t{1} << 40;

// How a life ends.
enum class End : std::uint8_t { power_loss, kill, stop };

class Course {
 public:
  explicit Course(const CourseOptions& options)
      : options_(options),
        dice_(options.seed * 0x9E3779B97F4A7C15 + 1),
        machine_(options.seed),
        network_(machine_),
        ledger_([this](const std::string& what) { broken(what); }),
        disk_(std::make_unique<SimDisk>()) {}

  CourseResult run() {
    machine_.run([this] { main(); });
    const std::uint64_t turns_max = 100'000 + 500 * ledger_.size() +
                                    2'000 * static_cast<std::uint64_t>(machine_.now() / second);
    if (machine_.turns() > turns_max) {
      broken(fmt::format("{} turns of threads: somebody is busy without work", machine_.turns()));
    }
    result_.trace = machine_.trace();
    result_.turns = machine_.turns();
    result_.virtual_seconds = static_cast<double>(machine_.now()) / 1e9;
    result_.events = ledger_.size();
    result_.acknowledged = ledger_.acknowledged();
    result_.answers = ledger_.answers();
    return result_;
  }

 private:
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return dice_() % bound; }
  [[nodiscard]] bool once_in(std::uint64_t n) { return below(n) == 0; }
  [[nodiscard]] Time up_to(Time duration) {
    return static_cast<Time>(below(static_cast<std::uint64_t>(duration) + 1));
  }

  void tell(const std::string& what) const {
    if (options_.is_told) {
      std::fprintf(stderr, "%12.6f  %s\n", static_cast<double>(machine_.now()) / 1e9, what.c_str());
    }
  }
  [[noreturn]] void broken(const std::string& what) const {
    std::fprintf(stderr, "seed %llu: at %.6f s: %s\n",
                 static_cast<unsigned long long>(options_.seed),
                 static_cast<double>(machine_.now()) / 1e9, what.c_str());
    _exit(1);
  }

  void main() {
    draw();
    const std::uint32_t server_host = network_.add_host();
    std::vector<std::unique_ptr<Sender>> senders;
    for (std::size_t i = 0; i < sender_count_; ++i) {
      senders.push_back(make_sender(i));
    }
    std::uint32_t host = server_host;
    for (std::uint64_t life = 0; life < lives_; ++life) {
      host = live(host);
    }
    calm_down();
    for (const auto& sender : senders) {
      sender->end();
    }
    machine_.set_host(host);
    start(host);
    for (const auto& sender : senders) {
      if (const auto ended = sender->settle(); !ended) {
        broken("a sender's events are not taken: " + ended.error().describe());
      }
    }
    senders.clear();
    check_all();
    node_->stop();
    close_node();
    start(host);
    check_all();
    node_->stop();
    close_node();
    machine_.set_host(0);
  }

  // What kind of a course it is.
  void draw() {
    log_.segment_rows = 20 + below(options_.is_long ? 1000 : 300);
    log_.segment_bytes = (std::uint64_t{32} + below(200)) << 10;
    const std::array<Nanos, 3> ages{200 * millisecond, 5 * second, 3600 * second};
    log_.segment_age = ages[below(ages.size())];
    io_threads_ = 1 + static_cast<std::uint32_t>(below(2));
    lives_ = 1 + below(options_.is_long ? 6 : 3);
    sender_count_ = 1 + below(options_.is_long ? 5 : 3);
    life_max_ = once_in(4) ? 20 * second : 2 * second;
    disk_delay_max_ = once_in(2) ? 0 : up_to(once_in(5) ? 50 * millisecond : millisecond);
    with_damage_ = once_in(4);
    with_faults_ = once_in(2);
    Weather weather;
    weather.latency_max = 1 + up_to(once_in(5) ? 300 * millisecond : 2 * millisecond);
    weather.doomed_in_100 = static_cast<std::uint32_t>(once_in(2) ? below(60) : 0);
    weather.refused_in_100 = static_cast<std::uint32_t>(once_in(3) ? below(40) : 0);
    network_.set_weather(weather);
    slow_down(*disk_);
    tell(fmt::format("{} lives, {} senders, segments of {} rows and {:.1f} s, damage {}, faults {}",
                     lives_, sender_count_, log_.segment_rows,
                     static_cast<double>(log_.segment_age) / 1e9, with_damage_, with_faults_));
  }

  void slow_down(SimDisk& disk) {
    disk.set_pause([this](Io) {
      if (disk_delay_max_ != 0) {
        machine_.sleep(
            static_cast<Time>(machine_.below(static_cast<std::uint64_t>(disk_delay_max_) + 1)));
      } else {
        machine_.yield();
      }
    });
  }

  [[nodiscard]] std::unique_ptr<Sender> make_sender(std::size_t number) {
    SenderOptions options;
    options.seed = dice_();
    options.node = fmt::format("node-{}", number);
    options.rounds = 3 + below(options_.is_long ? 120 : 25);
    options.pause_max = once_in(3) ? 2 * second : 50 * millisecond;
    options.is_ndjson = once_in(4);
    options.crashes = once_in(3);
    return std::make_unique<Sender>(machine_, ledger_, options);
  }

  // --- the node ----------------------------------------------------------------------------------

  // Until it succeeds, or will not: a start may meet faults of the disk, which are then over.
  void start(std::uint32_t host) {
    machine_.set_host(host);
    for (int attempt = 0;; ++attempt) {
      auto node = Node::start(*disk_, log_, io_threads_,
                              [this](const std::string& kind, const std::string& detail) {
                                tell(kind + ": " + detail);
                                if (kind == "damage_quarantined" && !ledger_.is_damaged()) {
                                  broken("damage where there is none: " + detail);
                                }
                              });
      if (node) {
        node_ = std::move(*node);
        tell("the node runs");
        return;
      }
      tell("the node does not start: " + node.error().describe());
      if (attempt > 0 || !disk_->fault_hit()) {
        broken("the node does not start: " + node.error().describe());
      }
      disk_->inject({});
      ++result_.faults;
    }
  }

  void close_node() {
    result_.sealed += node_->sealed();
    node_.reset();
  }

  // Returns the host of the next life.
  std::uint32_t live(std::uint32_t host) {
    if (with_faults_ && once_in(3)) {
      inject();
    }
    start(host);
    if (with_faults_ && once_in(2)) {
      inject();
    }
    const bool full = once_in(6);
    if (full) {
      disk_->set_capacity((std::uint64_t{200} + below(800)) << 10);
    }
    std::thread reader([this] { read(); });
    const Time end = machine_.now() + up_to(up_to(life_max_) + millisecond);
    while (machine_.now() < end) {
      machine_.sleep(up_to(std::min<Time>(end - machine_.now(), life_max_ / 8) + 1));
      operate();
    }
    if (full && once_in(2)) {
      disk_->set_capacity(ample);
      machine_.sleep(up_to(second));
    }
    const End kind = once_in(3) ? End::stop : once_in(3) ? End::kill : End::power_loss;
    std::unique_ptr<SimDisk> survivor;
    if (kind != End::stop) {
      network_.crash(host);
      is_dead_ = true;
      survivor = kind == End::kill ? disk_->after_kill() : disk_->after_power_loss(dice_());
      tell(kind == End::kill ? "the process is killed" : "the power fails");
      ++result_.crashes;
    } else {
      tell("the node is stopped");
    }
    if (disk_->fault_hit()) {
      ++result_.faults;
    }
    node_->stop();
    is_dead_ = true;
    reader.join();
    close_node();
    is_dead_ = false;
    if (!survivor) {
      survivor = disk_->after_kill();
    }
    survivor->set_capacity(ample);
    slow_down(*survivor);
    disk_ = std::move(survivor);
    if (with_damage_ && kind == End::stop) {
      damage();
    }
    machine_.sleep(up_to(second));
    return kind == End::stop ? host : network_.add_host();
  }

  void inject() {
    disk_->inject({.at = 1 + below(1 + below(400)),
                   .forever = once_in(2),
                   .error_number = once_in(3) ? ENOSPC : EIO,
                   .seed = dice_()});
  }

  void damage() {
    ledger_.damage();
    const auto done = docket::testing::damage_something(*disk_, "data/logs", dice_);
    if (!done.empty()) {
      ++result_.damages;
      tell("damage: " + done);
    }
  }

  // One thing that an operator, or bad luck, does.
  void operate() {
    const auto logs = node_->store().logs();
    switch (below(8)) {
      case 0:
      case 1:
        retire();
        break;
      case 2:
        if (!logs.empty()) {
          tell("a segment is sealed on demand");
          static_cast<void>(logs[below(logs.size())]->seal());
        }
        break;
      case 3:
        network_.cut_one();
        break;
      case 4: {
        const Time by = up_to(once_in(3) ? 7200 * second : 5 * second) * (once_in(2) ? -1 : 1);
        tell(fmt::format("the clock jumps by {:.3f} s", static_cast<double>(by) / 1e9));
        machine_.jump_wall_clock(by);
        break;
      }
      default:
        break;
    }
  }

  void retire() {
    const std::uint64_t bytes_max = below(std::uint64_t{400} << 10);
    const auto policy = [bytes_max](std::string_view) {
      RetentionPolicy policy_of_all;
      policy_of_all.max_bytes = bytes_max;
      return policy_of_all;
    };
    for (const RetirementPlan& plan : node_->store().plan_retirement(policy, 0, machine_.wall())) {
      ledger_.may_retire(plan);
      tell(fmt::format("{} retires seqs {} to {}", plan.log, plan.first_seq.value,
                       plan.last_seq.value));
      if (!node_->store().retire(plan)) {
        return;
      }
      ++result_.retired;
    }
  }

  // --- checking ----------------------------------------------------------------------------------

  // A reader's life: looks at everything, again and again.
  void read() {
    std::mt19937_64 dice(options_.seed + static_cast<std::uint64_t>(machine_.now()));
    while (!is_dead_) {
      machine_.sleep(static_cast<Time>(dice() % static_cast<std::uint64_t>(second)));
      if (!is_dead_) {
        check(dice(), 2);
      }
    }
  }

  void check(std::uint64_t seed, std::uint32_t queries) {
    // Faults of the disk hit readers as well.
    ledger_.allow_gaps(disk_->fault_pending());
    const Ledger::Mark mark = ledger_.mark();
    const auto snapshot = node_->store().snapshot();
    if (is_dead_) {
      return;  // what it shows now did not survive, perhaps
    }
    if (!snapshot) {
      broken("no snapshot: " + snapshot.error().describe());
    }
    const Ledger::Contents contents = ledger_.check(*snapshot, mark);
    ledger_.check_answers(*snapshot, node_->catalog(), contents, seed, queries);
  }

  void check_all() {
    check(dice_(), 10);
    tell("all is checked");
  }

  void calm_down() {
    network_.set_weather({});
    disk_->inject({});
    disk_delay_max_ = 0;
  }

  const CourseOptions options_;
  std::mt19937_64 dice_;  // of the course; the machine has its own
  Machine machine_;
  Network network_;
  Ledger ledger_;
  CourseResult result_;

  LogOptions log_;
  std::uint32_t io_threads_ = 1;
  std::uint64_t lives_ = 1;
  std::size_t sender_count_ = 1;
  Time life_max_ = 0;
  Time disk_delay_max_ = 0;
  bool with_damage_ = false;
  bool with_faults_ = false;

  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<Node> node_;
  bool is_dead_ = false;  // nothing that the node shows counts any more
};

}  // namespace

CourseResult run_course(const CourseOptions& options) {
  return Course(options).run();
}

}  // namespace docket::simulation
