#include "tools/load/generator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "ingest/event_json.hpp"
#include "tools/load/ndjson_writer.hpp"

namespace docket::load {
namespace {

constexpr Nanos end = 1'780'000'000'000'000'000;

std::string line_of(const Generator& generator, std::uint64_t index, GeneratedEvent& room) {
  generator.make(index, room);
  std::string line;
  append_ndjson(line, room.log(), room.event);
  return line;
}

TEST(Generator, AnEventDependsOnSeedAndIndexAlone) {
  const Generator first({.seed = 5, .events = 1000, .end = end});
  const Generator second({.seed = 5, .events = 1000, .end = end});
  GeneratedEvent room;
  std::map<std::uint64_t, std::string> lines;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    lines[i] = line_of(first, i, room);
  }
  for (std::uint64_t i = 1000; i-- > 0;) {
    EXPECT_EQ(line_of(second, i, room), lines[i]);
  }
}

TEST(Generator, AnotherSeedMakesOtherEvents) {
  const Generator first({.seed = 5, .events = 100, .end = end});
  const Generator second({.seed = 6, .events = 100, .end = end});
  GeneratedEvent room;
  int same = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    same += line_of(first, i, room) == line_of(second, i, room) ? 1 : 0;
  }
  EXPECT_EQ(same, 0);
}

TEST(Generator, EveryEventKeepsTheRules) {
  const Generator generator({.seed = 1, .events = 50'000, .end = end});
  GeneratedEvent room;
  for (std::uint64_t i = 0; i < 50'000; ++i) {
    generator.make(i, room);
    const auto checked = check_event(room.event, EventRules{}, end, false);
    ASSERT_TRUE(checked) << i << ": " << checked.error().describe();
    if (!room.event.payload.empty()) {
      ASSERT_TRUE(ingest::is_json_object(room.event.payload)) << room.event.payload;
    }
  }
}

TEST(Generator, NotesAreAddedToEventsThatAreOtherwiseTheSame) {
  const Generator plain({.seed = 3, .events = 5000, .end = end});
  const Generator noted({.seed = 3, .events = 5000, .end = end, .note_bytes = 400});
  GeneratedEvent plain_room;
  GeneratedEvent noted_room;
  double added = 0;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    plain.make(i, plain_room);
    noted.make(i, noted_room);
    const std::string_view payload = noted_room.event.payload;
    ASSERT_TRUE(ingest::is_json_object(payload)) << payload;
    ASSERT_TRUE(check_event(noted_room.event, EventRules{}, end, false));
    if (!plain_room.event.payload.empty()) {
      ASSERT_TRUE(payload.starts_with(
          plain_room.event.payload.substr(0, plain_room.event.payload.size() - 1)));
    }
    added += static_cast<double>(payload.size() - plain_room.event.payload.size()) / 5000;
    noted_room.event.payload = plain_room.event.payload;
    std::string left;
    std::string right;
    append_ndjson(left, plain_room.log(), plain_room.event);
    append_ndjson(right, noted_room.log(), noted_room.event);
    ASSERT_EQ(left, right);
  }
  EXPECT_NEAR(added, 415, 15);
}

TEST(Generator, ProportionsAreThoseThatItPromises) {
  constexpr std::uint64_t count = 100'000;
  const Generator generator({.seed = 1, .events = count, .end = end});
  GeneratedEvent room;
  std::map<std::string, double> logs;
  std::set<std::string> verbs;
  std::map<std::string, double> types;
  std::set<std::string> actors;
  double diffs = 0;
  double diff_bytes = 0;
  double bytes = 0;
  double success = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    bytes += static_cast<double>(line_of(generator, i, room).size());
    const EventView& event = room.event;
    logs[std::string(room.log())] += 100.0 / count;
    verbs.emplace(event.verb);
    types[std::string(event.target.type)] += 100.0 / count;
    actors.insert(std::string(event.actor.kind) + ":" + std::string(event.actor.id));
    diffs += event.payload.empty() ? 0 : 1;
    diff_bytes += static_cast<double>(event.payload.size());
    success += event.outcome == Outcome::success ? 1 : 0;
  }
  EXPECT_NEAR(logs["activity"], 60, 1);
  EXPECT_NEAR(logs["campaign"], 25, 1);
  EXPECT_NEAR(logs["api"], 10, 0.5);
  EXPECT_NEAR(logs["authentication"], 5, 0.5);
  EXPECT_GE(verbs.size(), 25U);
  EXPECT_EQ(types.size(), object_types.size());
  EXPECT_GT(types["Contact"], 50);
  EXPECT_GT(actors.size(), 3500U);
  EXPECT_NEAR(diffs / count, 0.35, 0.02);
  EXPECT_NEAR(diff_bytes / diffs, 190, 10);
  EXPECT_NEAR(bytes / count, 289, 10);
  EXPECT_GT(success / count, 0.93);
}

TEST(Generator, SomeActorsShareANameAndSomeChangeTheirRole) {
  const Population population(1);
  std::multiset<std::string> names;
  int changed = 0;
  for (std::uint32_t rank = 0; rank < Population::actor_count; ++rank) {
    const GeneratedActor& actor = population.actor(rank);
    names.emplace(actor.before.name);
    EXPECT_EQ(actor.before.id, actor.after.id);
    EXPECT_EQ(actor.before.kind, actor.after.kind);
    changed += actor.before.role != actor.after.role ? 1 : 0;
  }
  EXPECT_GT(changed, 50);
  EXPECT_TRUE(std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return !name.empty() && names.count(name) > 1;
  }));
}

TEST(Generator, AMixOfOneSurfaceSendsOnlyThat) {
  const Generator generator({.seed = 1, .events = 1000, .end = end, .mix = {0, 0, 0, 1}});
  GeneratedEvent room;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    generator.make(i, room);
    EXPECT_EQ(room.log(), "authentication");
  }
}

}  // namespace
}  // namespace docket::load
