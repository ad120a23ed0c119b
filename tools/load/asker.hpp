// Questions that are asked while events are sent, on a schedule of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "engine/result.hpp"
#include "tools/load/access.hpp"
#include "tools/load/generator.hpp"
#include "tools/load/latency_histogram.hpp"

namespace docket::load {

class JsonWriter;

struct AskedQuestion {
  std::string name;
  std::string target;      // of the HTTP API
  double window_days = 0;  // that it looks back from now; 0: however old
};
// What operators ask most, about an actor and a target that the generator's events have: pages,
// counts, facets, a histogram.
[[nodiscard]] std::vector<AskedQuestion> usual_questions(const Generator& generator);

struct QuestionFigures {
  std::string name;
  LatencyHistogram latency;  // of the answers
  std::uint64_t failed = 0;
};

// Asks one after the other in turn, `rate` a second in all, on a thread of its own until finish().
// Latency counts from when a question was due to the whole answer, a connection's making included.
class Asker {
 public:
  // Precondition: rate > 0.
  Asker(std::string address, std::uint16_t port, std::vector<AskedQuestion> questions, double rate,
        Access access = {});
  ~Asker() { static_cast<void>(finish()); }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  // Waits for the answer that is under way. Once.
  [[nodiscard]] std::vector<QuestionFigures> finish();

 private:
  void run();

  const std::string address_;
  const std::uint16_t port_;
  const std::vector<AskedQuestion> questions_;
  const double rate_;
  const Access access_;
  std::vector<QuestionFigures> figures_;  // the thread's, until it has ended
  std::atomic<bool> over_{false};
  std::thread thread_;
};

// Each question `times` times, one after the other, after once that is not counted. Error: the
// first that is not answered.
[[nodiscard]] Result<std::vector<QuestionFigures>> ask_each(
    const std::string& address, std::uint16_t port, const std::vector<AskedQuestion>& questions,
    std::uint32_t times, const Access& access = {});

// [{"name","asked","failed","latency_ms":{…},"latency_histogram_ns":{…}}…]
void write_json(JsonWriter& json, const std::vector<QuestionFigures>& figures);

}  // namespace docket::load
