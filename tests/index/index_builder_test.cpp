#include "index/index_builder.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "index/payload_diff.hpp"
#include "index/segment_index.hpp"
#include "tests/support/memory_segment.hpp"
#include "tests/support/random_events.hpp"

namespace docket::index {
namespace {

using docket::testing::MemorySegment;
using docket::testing::RandomEvents;

std::shared_ptr<const SegmentIndex> index_of(const SegmentReader& segment) {
  auto bytes = build_index(segment);
  EXPECT_TRUE(bytes);
  auto index = SegmentIndex::open(memory_source(*bytes), std::make_shared<SectionCache>(1 << 24));
  EXPECT_TRUE(index);
  return *index;
}

// The rows of a value, as the index has them: exact for a frequent value, whole strips else.
struct Found {
  std::uint32_t rows = 0;
  std::vector<std::uint32_t> exact;
  std::vector<std::uint32_t> strips;
};

Found find(const SegmentIndex& index, Dimension dimension, std::uint32_t value) {
  Found found;
  const auto page = index.page(dimension, value);
  EXPECT_TRUE(page);
  const std::uint32_t place = value % page_values;
  found.rows = (*page)->rows(place);
  if (!(*page)->frequent(place)) {
    (*page)->strips(place, found.strips);
    return found;
  }
  const auto bitmap = index.bitmap(dimension, value);
  EXPECT_TRUE(bitmap);
  RowBits bits;
  for (std::uint32_t chunk = 0; chunk < (*bitmap)->chunks(); ++chunk) {
    bits.clear(WordRange{});
    (*bitmap)->add_to(chunk, bits, WordRange{});
    bits.for_each(WordRange{}, [&](std::uint32_t bit) {
      found.exact.push_back(chunk * limits::chunk_rows + bit);
    });
  }
  return found;
}

TEST(IndexBuilder, PostingsAreTheRowsThatHaveTheValue) {
  const std::vector<Event> events = RandomEvents(3).take(80'000);
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  const auto index = index_of(*segment);
  const auto dictionaries = segment->dictionaries(0);
  ASSERT_TRUE(dictionaries);
  const StringTable& types = **(*dictionaries)->strings(DictionaryField::type);
  const StringTable& verbs = **(*dictionaries)->strings(DictionaryField::verb);
  ASSERT_EQ(index->values(Dimension::type), types.size());
  ASSERT_EQ(index->values(Dimension::verb), verbs.size());
  std::string text;
  for (std::uint32_t type = 1; type < types.size(); ++type) {
    ASSERT_TRUE(types.read(type, text));
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < events.size(); ++row) {
      bool has = events[row].target.type == text;
      for (const Target& target : events[row].related) {
        has = has || target.type == text;
      }
      if (has) {
        rows.push_back(row);
      }
    }
    const Found found = find(*index, Dimension::type, type);
    EXPECT_EQ(found.rows, rows.size()) << text;
    if (!found.exact.empty()) {
      EXPECT_EQ(found.exact, rows) << text;
    }
  }
  for (std::uint32_t verb = 1; verb < verbs.size(); ++verb) {
    ASSERT_TRUE(verbs.read(verb, text));
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < events.size(); ++row) {
      if (events[row].verb == text) {
        rows.push_back(row);
      }
    }
    EXPECT_EQ(find(*index, Dimension::verb, verb).exact, rows) << text;
  }
}

TEST(IndexBuilder, RareValuesListExactlyTheirStrips) {
  const std::vector<Event> events = RandomEvents(4).take(40'000);
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  const auto index = index_of(*segment);
  const StringTable& requests = **(*segment->dictionaries(0))->strings(DictionaryField::request);
  std::map<std::string, std::set<std::uint32_t>> strips;
  for (std::uint32_t row = 0; row < events.size(); ++row) {
    strips[events[row].request].insert(row / strip_rows);
  }
  std::string text;
  for (std::uint32_t request = 1; request < requests.size(); request += 17) {
    ASSERT_TRUE(requests.read(request, text));
    const Found found = find(*index, Dimension::request, request);
    const std::set<std::uint32_t>& expected = strips.at(text);
    EXPECT_EQ(found.strips, std::vector<std::uint32_t>(expected.begin(), expected.end()));
  }
}

TEST(IndexBuilder, ChangedFieldsAreThoseOfThePayloads) {
  std::vector<Event> events = RandomEvents(7).take(70'000);
  events[40'000].payload = R"({"changes":[{"field":"once"},{"field":"once"},{"field":""}]})";
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  const auto index = index_of(*segment);
  std::map<std::string, std::vector<std::uint32_t>> rows_of;
  std::vector<std::uint32_t> rows_without;
  for (std::uint32_t row = 0; row < events.size(); ++row) {
    const std::vector<std::string> names = changed_fields(events[row].payload);
    for (const std::string& name : names) {
      rows_of[name].push_back(row);
    }
    if (names.empty()) {
      rows_without.push_back(row);
    }
  }
  ASSERT_TRUE(index->has_changed_fields());
  const auto names = *index->changed_names();
  ASSERT_EQ(names->size(), rows_of.size());
  EXPECT_EQ(index->values(Dimension::changed), rows_of.size() + 1);
  EXPECT_EQ(find(*index, Dimension::changed, 0).exact, rows_without);
  std::uint32_t value = 1;
  std::size_t frequent = 0;
  for (const auto& [name, rows] : rows_of) {
    EXPECT_EQ(names->name(value - 1), name);
    const Found found = find(*index, Dimension::changed, value++);
    EXPECT_EQ(found.rows, rows.size()) << name;
    if (found.strips.empty()) {
      EXPECT_EQ(found.exact, rows) << name;
      ++frequent;
      continue;
    }
    std::set<std::uint32_t> strips;
    for (const std::uint32_t row : rows) {
      strips.insert(row / strip_rows);
    }
    EXPECT_EQ(found.strips, std::vector<std::uint32_t>(strips.begin(), strips.end())) << name;
  }
  EXPECT_EQ(rows_of.at("once"), std::vector<std::uint32_t>{40'000});
  EXPECT_EQ(rows_of.at("").size(), 1U);
  EXPECT_GT(frequent, 3U);
}

TEST(IndexBuilder, EverySegmentsTotalsAddUp) {
  const std::vector<Event> events = RandomEvents(5).take(9000);
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  const auto index = index_of(*segment);
  for (const Dimension dimension : all_dimensions) {
    if (dimension == Dimension::target || dimension == Dimension::type ||
        dimension == Dimension::changed) {
      continue;  // A row has several.
    }
    std::uint64_t sum = 0;
    for (std::uint32_t value = 0; value < index->values(dimension); ++value) {
      sum += (*index->page(dimension, value))->rows(value % page_values);
    }
    EXPECT_EQ(sum, events.size()) << dimension_name(dimension);
  }
}

TEST(IndexBuilder, CountsOfBlocksAddUpToThoseOfTheSegment) {
  const std::vector<Event> events = RandomEvents(11).take(20'000);
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events, 3000);
  const auto index = index_of(*segment);
  for (const Dimension dimension : {Dimension::verb, Dimension::type, Dimension::outcome}) {
    const auto counts = index->block_counts(dimension);
    ASSERT_TRUE(counts);
    for (std::uint32_t value = 0; value < index->values(dimension); ++value) {
      std::uint32_t sum = 0;
      for (std::uint32_t block = 0; block < index->blocks(); ++block) {
        sum += (*counts)->of(block)[value];
      }
      EXPECT_EQ(sum, (*index->page(dimension, value))->rows(value)) << dimension_name(dimension);
    }
  }
}

TEST(IndexBuilder, TheSameSegmentGivesTheSameBytes) {
  const std::vector<Event> events = RandomEvents(6).take(5000);
  const auto a = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  const auto b = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  EXPECT_EQ(*build_index(*a), *build_index(*b));
}

TEST(IndexBuilder, AnUnreadableColumnIsAnError) {
  const std::vector<Event> events = RandomEvents(7).take(9000);
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  segment->damage_column(1, RowColumn::actor);
  EXPECT_FALSE(build_index(*segment));
}

TEST(IndexBuilder, KnowsWhetherTargetsOverlap) {
  Event event = RandomEvents(8).next();
  event.target = Target{"List", "5", "Old name"};
  event.related = {Target{"List", "6", "Old name"}};
  std::vector<Event> events{event};
  EXPECT_FALSE(index_of(*MemorySegment::sealed("a", SegmentId(1), Seq(1), events))
                   ->has_overlapping_targets());
  events[0].related = {Target{"List", "5", "New name"}};
  EXPECT_TRUE(index_of(*MemorySegment::sealed("a", SegmentId(1), Seq(1), events))
                  ->has_overlapping_targets());
  events[0].related = {Target{"list", "7", ""}};
  EXPECT_TRUE(index_of(*MemorySegment::sealed("a", SegmentId(1), Seq(1), events))
                  ->has_overlapping_targets());
}

TEST(IndexBuilder, KnowsWhichBlocksAreInTheOrderOfTime) {
  std::vector<Event> events = RandomEvents(9).take(2 * limits::block_rows_max);
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].ts = static_cast<Nanos>(i);
  }
  std::swap(events[9000].ts, events[9001].ts);
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  const auto sorted = index_of(*segment)->time_sorted();
  ASSERT_TRUE(sorted);
  EXPECT_EQ(**sorted, (std::vector<bool>{true, false}));
}

TEST(IndexBuilder, NamesThatAreThereMayBeThere) {
  const std::vector<Event> events = RandomEvents(10).take(500);
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  const auto index = index_of(*segment);
  for (const Event& event : events) {
    if (!event.actor.name.empty()) {
      EXPECT_TRUE(index->may_have_name(Dimension::actor, event.actor.name));
    }
    for (const Target& target : event.related) {
      if (!target.name.empty()) {
        EXPECT_TRUE(index->may_have_name(Dimension::target, target.name));
      }
    }
  }
}

}  // namespace
}  // namespace docket::index
