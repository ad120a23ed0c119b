#include "tools/load/asker.hpp"

#include <fmt/format.h>

#include <utility>

#include "engine/assert.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/url.hpp"
#include "tools/load/http_get.hpp"
#include "tools/load/json_writer.hpp"
#include "tools/load/measured_run.hpp"
#include "tools/load/pacer.hpp"

namespace docket::load {
namespace {

std::string target_of(api::Endpoint endpoint, const api::Parameters& parameters) {
  return fmt::format("{}?{}", api::path_of(endpoint), parameters.encode());
}

}  // namespace

std::vector<AskedQuestion> usual_questions(const Generator& generator) {
  using api::Endpoint;
  GeneratedEvent room;
  std::string actor;
  std::string target;
  // The first event that has a target with an id; the first thousand always have one.
  for (std::uint64_t i = 0; i < generator.options().events && target.empty(); ++i) {
    generator.make(i, room);
    actor = fmt::format("actor:\"{}:{}\"", room.event.actor.kind, room.event.actor.id);
    if (!room.event.target.id.empty()) {
      target = fmt::format("target:\"{}:{}\"", room.event.target.type, room.event.target.id);
    }
  }
  return {
      {"newest 50 of all", target_of(Endpoint::search, {{"q", ""}, {"limit", "50"}})},
      {"newest 50 of an actor", target_of(Endpoint::search, {{"q", actor}, {"limit", "50"}})},
      {"history of a target",
       target_of(Endpoint::search, {{"q", target}, {"limit", "50"}, {"oldest", "true"}})},
      {"count by verb and type, 7 d",
       target_of(Endpoint::count, {{"q", "verb:EDIT target.type:Contact since:7d"}}), 7},
      {"counts by verb, 7 d",
       target_of(Endpoint::facets, {{"q", "since:7d"}, {"by", "verb"}, {"top", "100"}}), 7},
      {"hourly histogram of a verb, 7 d",
       target_of(Endpoint::histogram, {{"q", "verb:EDIT since:7d"}, {"every", "1h"}}), 7},
  };
}

Asker::Asker(std::string address, std::uint16_t port, std::vector<AskedQuestion> questions,
             double rate, Access access)
    : address_(std::move(address)),
      port_(port),
      questions_(std::move(questions)),
      rate_(rate),
      access_(std::move(access)) {
  DOCKET_ASSERT(rate > 0 && !questions_.empty());
  for (const AskedQuestion& question : questions_) {
    figures_.push_back({question.name, {}, 0});
  }
  thread_ = std::thread([this] { run(); });
}

std::vector<QuestionFigures> Asker::finish() {
  over_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
  return std::exchange(figures_, {});
}

void Asker::run() {
  const Pacer pacer(rate_, Clock::now());
  for (std::uint64_t i = 0;; ++i) {
    std::this_thread::sleep_until(pacer.due(i));
    if (over_) {
      return;
    }
    const std::size_t which = i % questions_.size();
    if (http_get(address_, port_, questions_[which].target, access_)) {
      figures_[which].latency.add((Clock::now() - pacer.due(i)).count());
    } else {
      ++figures_[which].failed;
    }
  }
}

Result<std::vector<QuestionFigures>> ask_each(const std::string& address, std::uint16_t port,
                                              const std::vector<AskedQuestion>& questions,
                                              std::uint32_t times, const Access& access) {
  std::vector<QuestionFigures> figures;
  for (const AskedQuestion& question : questions) {
    QuestionFigures& of_this = figures.emplace_back();
    of_this.name = question.name;
    DOCKET_TRY(http_get(address, port, question.target, access));
    for (std::uint32_t i = 0; i < times; ++i) {
      const Clock::time_point start = Clock::now();
      DOCKET_TRY(http_get(address, port, question.target, access));
      of_this.latency.add((Clock::now() - start).count());
    }
  }
  return figures;
}

void write_json(JsonWriter& json, const std::vector<QuestionFigures>& figures) {
  json.begin_array();
  for (const QuestionFigures& question : figures) {
    json.begin_object();
    json.member("name", question.name);
    json.member("asked", question.latency.count() + question.failed);
    json.member("failed", question.failed);
    json.key("latency_ms");
    write_percentiles(json, question.latency);
    json.key("latency_histogram_ns");
    write_histogram(json, question.latency);
    json.end_object();
  }
  json.end_array();
}

}  // namespace docket::load
