#include "tools/load/calibration.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "engine/timestamp.hpp"
#include "tools/load/asker.hpp"
#include "tools/load/capacity.hpp"
#include "tools/load/http_get.hpp"
#include "tools/load/planned_load.hpp"
#include "tools/load/spread.hpp"

namespace docket::load {
namespace {

constexpr double rate_share_max = 0.9;  // of the capacity: more is not measured in real time
constexpr std::uint32_t times_asked = 30;
constexpr auto sealing_patience = std::chrono::minutes(5);

struct Sealed {
  bool all = true;
  double largest = 0;  // events of the largest log's segments, on average
};

// What the server says of its segments.
Result<Sealed> look_at_segments(const ServerWatch& watch) {
  DOCKET_ASSIGN(const std::string body,
                http_get(watch.http_address, watch.http_port, "/api/v1/segments", watch.access));
  try {
    simdjson::dom::parser parser;
    Sealed sealed;
    std::map<std::string, std::pair<double, double>> logs;  // events, segments
    for (const simdjson::dom::element segment : parser.parse(body)["segments"].get_array()) {
      const std::string log(segment["log"].get_string().value());
      const double events = segment["events"].get_double().value();
      if (log == "docket" || events == 0) {
        continue;
      }
      if (!segment["sealed"].get_bool().value()) {
        sealed.all = false;
        continue;
      }
      logs[log].first += events;
      logs[log].second += 1;
    }
    double most = 0;
    for (const auto& [log, counts] : logs) {
      if (counts.first > most) {
        most = counts.first;
        sealed.largest = counts.first / counts.second;
      }
    }
    return sealed;
  } catch (const simdjson::simdjson_error& error) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("/api/v1/segments not understood: {}", error.what()));
  }
}

// Until everything that was sent is in sealed segments, by their age, and has its index: a question
// has looked at all of them.
Result<Sealed> wait_until_sealed(const ServerWatch& watch) {
  const auto end = std::chrono::steady_clock::now() + sealing_patience;
  while (true) {
    DOCKET_ASSIGN(const Sealed sealed, look_at_segments(watch));
    if (sealed.all) {
      DOCKET_TRY(
          http_get(watch.http_address, watch.http_port, "/api/v1/count?q=verb:EDIT", watch.access));
      return sealed;
    }
    if (std::chrono::steady_clock::now() > end) {
      return fail(ErrorCode::overloaded, "the server has not sealed its segments in five minutes");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// A store of its own that goes when it is done.
class Scratch {
 public:
  static Result<Scratch> open(const ServerChoice& choice, const std::string& name,
                              std::uint64_t segment_age_ms) {
    Scratch scratch;
    ServerChoice own = choice;
    std::error_code error;
    std::filesystem::create_directories(choice.data, error);
    own.data = (std::filesystem::path(choice.data) / name).string();
    if (std::filesystem::exists(own.data)) {
      return fail(ErrorCode::exists,
                  own.data + ": is there already; calibration needs it for itself");
    }
    if (segment_age_ms > 0) {
      own.config += fmt::format("\n[segment]\nage = \"{}ms\"\n", segment_age_ms);
    }
    scratch.data_ = own.data;
    DOCKET_ASSIGN(scratch.server_, MeasuredServer::open(own));
    return scratch;
  }
  ~Scratch() {
    server_.own.reset();
    std::error_code error;
    for (const char* suffix : {"", ".toml", ".log"}) {
      if (!data_.empty()) {
        std::filesystem::remove_all(data_ + suffix, error);
      }
    }
  }
  Scratch(Scratch&& other) noexcept
      : server_(std::move(other.server_)), data_(std::exchange(other.data_, {})) {}
  Scratch& operator=(Scratch&&) = delete;

  [[nodiscard]] const ServerWatch& watch() const { return server_.watch; }
  [[nodiscard]] RunOptions run(RunOptions options) const {
    options.send.address = server_.address;
    options.send.port = server_.port;
    options.watch = server_.watch;
    return options;
  }

 private:
  Scratch() = default;
  MeasuredServer server_;
  std::string data_;
};

double cores_of(const MeasuredRun& run) {
  return run.server ? run.server->cpu_seconds / run.report.seconds : 0;
}

Result<double> cpu_now(const ServerWatch& watch) {
  DOCKET_ASSIGN(const auto usage, watch.usage());
  return usage ? usage->cpu_seconds : 0;
}

Result<void> take_capacity(Calibration& made, const CalibrationOptions& options,
                           const RunOptions& run, bool waits) {
  const double seconds = std::min(2.0, options.seconds);
  DOCKET_ASSIGN(const MeasuredRun flat_out, measure_capacity(options.events, run, seconds));
  made.capacity = flat_out.events_per_second();
  made.capacity_cores = cores_of(flat_out);
  made.memory_bytes =
      flat_out.server ? static_cast<double>(flat_out.server->resident_bytes_max) : 0;
  if (waits) {
    DOCKET_ASSIGN(const double before, cpu_now(run.watch));
    DOCKET_TRY(wait_until_sealed(run.watch));
    DOCKET_ASSIGN(const double after, cpu_now(run.watch));
    DOCKET_ASSIGN(const auto figures, run.watch.figures());
    made.seal_ns = (after - before) * 1e9 / static_cast<double>(figures->events);
    made.capacity_cores += made.seal_ns * made.capacity / 1e9;
  }
  return {};
}

Result<std::vector<QuestionFigures>> ask(const ServerWatch& watch,
                                         const std::vector<AskedQuestion>& questions) {
  return ask_each(watch.http_address, watch.http_port, questions, times_asked, watch.access);
}

// Events at the pressed rate, from `first` on; `count` of them.
Result<void> fill(const Generator& generator, RunOptions run, double rate, std::uint64_t first,
                  std::uint64_t count) {
  run.send.rate = rate;
  run.send.first = first;
  run.send.events = count;
  Recorder recorder;
  DOCKET_TRY(measure(generator, run, recorder));
  return {};
}

Result<void> take_store(Calibration& made, const PlanRequest& request,
                        const CalibrationOptions& options, std::uint64_t seed) {
  const PressedHour hour = press_hour(request.mean_rate(), made.capacity, options.events_max);
  DOCKET_ASSIGN(const Scratch scratch, Scratch::open(options.server, "hour", hour.segment_age_ms));
  GeneratorOptions events = options.events;
  events.events = hour.events;
  events.seed += seed;
  // As close as they come in life; the calendar has whole days.
  events.days = static_cast<std::uint32_t>(
      std::clamp(static_cast<double>(hour.events) / request.events_per_day, 1.0, 3650.0));
  const Generator generator(events);
  const std::vector<AskedQuestion> questions = usual_questions(generator);
  const std::uint64_t half = hour.events / 2;
  const RunOptions run = scratch.run(options.run);
  DOCKET_TRY(fill(generator, run, hour.rate, 0, half));
  DOCKET_TRY(wait_until_sealed(scratch.watch()));
  DOCKET_ASSIGN(const auto small, ask(scratch.watch(), questions));
  DOCKET_TRY(fill(generator, run, hour.rate, half, hour.events - half));
  DOCKET_ASSIGN(const Sealed sealed, wait_until_sealed(scratch.watch()));
  DOCKET_ASSIGN(const auto usage, scratch.watch().usage());
  DOCKET_ASSIGN(const auto large, ask(scratch.watch(), questions));
  DOCKET_ASSIGN(const auto figures, scratch.watch().figures());
  made.bytes_per_event = static_cast<double>(figures->bytes) / static_cast<double>(figures->events);
  made.events_per_segment = sealed.largest;
  made.memory_bytes = static_cast<double>(usage->resident_bytes_max);
  made.small_events = static_cast<double>(half);
  made.large_events = static_cast<double>(hour.events);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    made.questions.push_back({questions[i].name, questions[i].window_days,
                              static_cast<double>(small[i].latency.percentile(0.5)) / 1e6,
                              static_cast<double>(large[i].latency.percentile(0.5)) / 1e6});
  }
  return {};
}

// Of a server that runs: what it has now.
Result<void> take_running_store(Calibration& made, const CalibrationOptions& options,
                                const ServerWatch& watch) {
  if (!watch.asks()) {
    return fail(ErrorCode::invalid_argument, "a plan with --server needs its --http, too");
  }
  const Generator generator(options.events);
  const std::vector<AskedQuestion> questions = usual_questions(generator);
  DOCKET_ASSIGN(const Sealed sealed, look_at_segments(watch));
  DOCKET_ASSIGN(const auto figures, watch.figures());
  DOCKET_ASSIGN(const auto asked, ask(watch, questions));
  made.bytes_per_event = static_cast<double>(figures->bytes) / static_cast<double>(figures->events);
  made.all_sealed = sealed.all;
  made.events_per_segment = sealed.largest;
  made.small_events = 0;
  made.large_events = static_cast<double>(figures->events);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    // One size says nothing of growth: taken as if all of it grew with the events.
    made.questions.push_back({questions[i].name, questions[i].window_days, 0,
                              static_cast<double>(asked[i].latency.percentile(0.5)) / 1e6});
  }
  return {};
}

Result<std::optional<LoadFigures>> take_rate(Calibration& made, const CalibrationOptions& options,
                                             const RunOptions& run, double rate,
                                             std::uint64_t number) {
  if (rate > rate_share_max * made.capacity) {
    return std::nullopt;
  }
  std::vector<double> cores;
  std::vector<double> p50;
  std::vector<double> p99;
  for (std::uint32_t i = 0; i < options.repeat; ++i) {
    const double warm_up = std::min(1.0, options.seconds / 5);
    DOCKET_ASSIGN(const MeasuredRun at,
                  measure_at(options.events, run, {rate, options.seconds, warm_up, number + i}));
    cores.push_back(cores_of(at));
    p50.push_back(static_cast<double>(at.report.latency.percentile(0.5)) / 1e6);
    p99.push_back(static_cast<double>(at.report.latency.percentile(0.99)) / 1e6);
    if (at.server) {
      made.memory_bytes =
          std::max(made.memory_bytes, static_cast<double>(at.server->resident_bytes_max));
    }
  }
  const double sealing = made.seal_ns * rate / 1e9;
  std::ranges::for_each(cores, [sealing](double& used) { used += sealing; });
  return LoadFigures{rate, spread_of(cores), spread_of(p50), spread_of(p99)};
}

Result<void> take_rates(Calibration& made, const PlanRequest& request,
                        const CalibrationOptions& options, const RunOptions& run) {
  DOCKET_ASSIGN(made.mean, take_rate(made, options, run, request.mean_rate(), 1000));
  DOCKET_ASSIGN(made.peak, take_rate(made, options, run, request.peak_rate(), 2000));
  return {};
}

}  // namespace

Result<Calibration> calibrate(const PlanRequest& request, const CalibrationOptions& options) {
  Calibration made;
  made.sample_bytes = ndjson_bytes(options.events);
  if (options.server.data.empty()) {
    DOCKET_ASSIGN(const MeasuredServer running, MeasuredServer::open(options.server));
    RunOptions run = options.run;
    run.send.address = running.address;
    run.send.port = running.port;
    run.watch = running.watch;
    DOCKET_TRY(take_capacity(made, options, run, false));
    DOCKET_TRY(take_running_store(made, options, running.watch));
    DOCKET_TRY(take_rates(made, request, options, run));
    return made;
  }
  {
    // Old enough that all has come before the first segment is sealed.
    const auto age =
        static_cast<std::uint64_t>(std::clamp(4000 * options.seconds, 1000.0, 10'000.0));
    DOCKET_ASSIGN(const Scratch scratch, Scratch::open(options.server, "capacity", age));
    DOCKET_TRY(take_capacity(made, options, scratch.run(options.run), true));
  }
  // Peaks of memory depend on what happens to be sealed at once: the mean of two stores varies
  // less.
  Calibration other = made;
  DOCKET_TRY(take_store(other, request, options, 100));
  DOCKET_TRY(take_store(made, request, options, 200));
  made.bytes_per_event = (made.bytes_per_event + other.bytes_per_event) / 2;
  made.memory_bytes = (made.memory_bytes + other.memory_bytes) / 2;
  DOCKET_ASSIGN(const Scratch scratch, Scratch::open(options.server, "rates", 0));
  DOCKET_TRY(take_rates(made, request, options, scratch.run(options.run)));
  return made;
}

}  // namespace docket::load
