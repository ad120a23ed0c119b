#include "bench/sample_events.hpp"

#include <fmt/format.h>

#include <array>
#include <random>

#include "engine/timestamp.hpp"

namespace docket::bench {
namespace {

constexpr std::array verbs = {"EDIT",     "CREATE", "DELETE", "SEND",      "PAUSE",
                              "SUPPRESS", "IMPORT", "EXPORT", "CONFIGURE", "ACTIVATE"};
constexpr std::array types = {"Contact", "List", "Segment", "Broadcast", "Drip", "Trigger"};
constexpr std::array words = {"welcome", "spring", "newsletter", "weekly", "digest", "renewal",
                              "invoice", "launch", "reminder",   "survey", "upgrade"};

std::string payload_of(std::mt19937_64& random) {
  return fmt::format(R"({{"changes":[{{"field":"hourly_limit","old":{},"new":{}}},)"
                     R"({{"field":"subject","old":"Our {} no. {}","new":"The {} of {}"}},)"
                     R"({{"field":"enabled","old":false,"new":true}}]}})",
                     random() % 100000, random() % 100000, words[random() % words.size()],
                     random() % 1000, words[random() % words.size()], random() % 3000);
}

}  // namespace

std::string sample_payload() {
  std::mt19937_64 random(7);
  return payload_of(random);
}

std::vector<Event> sample_events(std::size_t count) {
  std::mt19937_64 random(42);
  std::vector<Event> events(count);
  Nanos ts = 1'777'000'000'000'000'000;
  for (Event& e : events) {
    ts += static_cast<Nanos>(random() % 1'500'000) * 1000;
    e.ts = ts;
    const double uniform = static_cast<double>(random() % 1'000'000 + 1) / 1'000'000.0;
    const auto actor = static_cast<std::uint64_t>(5000.0 * uniform * uniform * uniform);
    e.actor = {actor % 10 == 0 ? "api_token" : "user", std::to_string(1000 + actor),
               fmt::format("Person {} Family", actor), actor % 3 == 0 ? "editor" : "admin"};
    e.verb = verbs[random() % verbs.size()];
    const std::uint64_t target = random() % 1'400'000;
    e.target = {types[target % types.size()], std::to_string(target),
                fmt::format("{} {}", words[target % words.size()], target)};
    e.ip = parse_ip(fmt::format("10.{}.{}.{}", actor % 8, actor % 200, actor % 250));
    e.session = fmt::format("s{}", actor * 7919 % 100000);
    if (random() % 20 < 7) {
      e.payload = payload_of(random);
    }
  }
  return events;
}

std::vector<std::string> sample_ndjson_lines(std::size_t count) {
  std::vector<std::string> lines;
  lines.reserve(count);
  for (const Event& e : sample_events(count)) {
    std::string line = R"({"ts":")" + format_rfc3339(e.ts) + R"(","actor":{"kind":")" +
                       e.actor.kind + R"(","id":")" + e.actor.id + R"(","name":")" + e.actor.name +
                       R"(","role":")" + e.actor.role + R"("},"verb":")" + e.verb +
                       R"(","target":{"type":")" + e.target.type + R"(","id":")" + e.target.id +
                       R"(","name":")" + e.target.name + R"("},"ip":")" + format_ip(*e.ip) +
                       R"(","session":")" + e.session + '"';
    if (!e.payload.empty()) {
      line += R"(,"payload":)" + e.payload;
    }
    line += '}';
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace docket::bench
