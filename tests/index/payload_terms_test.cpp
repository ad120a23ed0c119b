#include "index/payload_terms.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "index/index_builder.hpp"
#include "index/segment_index.hpp"
#include "index/text_filter.hpp"
#include "tests/support/memory_segment.hpp"
#include "tests/support/random_events.hpp"

namespace docket::index {
namespace {

using docket::testing::MemorySegment;

Event changing(const std::vector<std::string>& names) {
  Event event;
  event.ts = 1'777'593'600'000'000'000;
  event.actor = Actor{"user", "7", "", ""};
  event.verb = "EDIT";
  event.target = Target{"List", "5", ""};
  event.payload = R"({"changes":[)";
  for (const std::string& name : names) {
    event.payload += (event.payload.back() == '[' ? "" : ",") + (R"({"field":")" + name + "\"}");
  }
  event.payload += "]}";
  return event;
}

ChangedFields fields_of(const std::vector<Event>& events) {
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  return payload_terms_of(*segment).value().changed;
}

TEST(PayloadTerms, SegmentsWithTooManyChangedFieldsAreNotIndexedByThem) {
  std::vector<Event> events;
  for (std::uint32_t i = 0; i < changed_names_max; ++i) {
    events.push_back(changing({std::to_string(i)}));
  }
  EXPECT_EQ(fields_of(events).names.size(), changed_names_max);
  events.push_back(changing({"one more"}));
  EXPECT_EQ(fields_of(events).entries.universe, 0U);
  // Its index says so.
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events);
  const auto index = SegmentIndex::open(memory_source(build_index(*segment).value()),
                                        std::make_shared<SectionCache>(1 << 20));
  ASSERT_TRUE(index);
  EXPECT_FALSE((*index)->has_changed_fields());
}

TEST(PayloadTerms, BytesOfNamesAndNamesOfRowsAreBoundedToo) {
  std::vector<Event> events;
  for (std::size_t bytes = 0; bytes <= changed_names_bytes_max; bytes += 60'000) {
    events.push_back(changing({std::to_string(bytes) + std::string(60'000, 'n')}));
  }
  EXPECT_EQ(fields_of(events).entries.universe, 0U);
  events.pop_back();
  EXPECT_NE(fields_of(events).entries.universe, 0U);
  EXPECT_EQ(fields_of({changing({std::string(70'000, 'n')})}).entries.universe, 0U);

  std::vector<std::string> thousand;
  for (int i = 0; i < 1000; ++i) {
    thousand.push_back(std::to_string(i));
  }
  events.assign(65, changing(thousand));
  EXPECT_NE(fields_of(events).entries.universe, 0U);
  events.assign(66, changing(thousand));
  EXPECT_EQ(fields_of(events).entries.universe, 0U);
}

TEST(PayloadTerms, OfDamagedPayloadsThereIsNoTelling) {
  const std::vector<Event> events(10, changing({"a"}));
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events, 5);
  segment->damage_payloads(1);
  const auto terms = payload_terms_of(*segment);
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->changed.entries.universe, 0U);
  EXPECT_FALSE(terms->text_filter);
  EXPECT_TRUE(build_index(*segment));
}

// Blocks of 2,000 rows; the first and the last have something of their own.
TEST(PayloadTerms, TextIsFoundInItsBlocksAlsoBehindEscapes) {
  std::vector<Event> events(6000, changing({"limit"}));
  events[10].payload = R"({"note":"Caf\u00e9 \u0041lpha\/beta","tail":"x"})";
  events[5999].payload = "";
  events[5000].payload = R"({"note":"straight"})";
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events, 2000);
  const PayloadTerms terms = payload_terms_of(*segment).value();
  ASSERT_TRUE(terms.text_filter);
  const TextFilter filter = TextFilter::parse(*terms.text_filter, 3).value();
  using Blocks = std::vector<bool>;
  const auto blocks = [&](std::string_view text) {
    return filter.possible_blocks(trigrams_of(text));
  };
  EXPECT_EQ(blocks("alpha/beta"), (Blocks{true, false, false}));
  EXPECT_EQ(blocks("u0041lpha"), (Blocks{true, false, false}));
  EXPECT_EQ(blocks("tail\":\"x"), (Blocks{true, false, false}));
  EXPECT_EQ(blocks("STRAIGHT"), (Blocks{false, false, true}));
  EXPECT_EQ(blocks("limit"), (Blocks{true, true, true}));
  EXPECT_EQ(blocks("limits"), (Blocks{false, false, false}));
}

// What the oracle asks of such segments would else say nothing about filters.
TEST(PayloadTerms, SegmentsOfRandomEventsHaveAFilter) {
  for (const std::size_t count : {9'000U, 72'000U}) {
    const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1),
                                               docket::testing::RandomEvents(3).take(count));
    EXPECT_TRUE(payload_terms_of(*segment).value().text_filter) << count;
  }
}

}  // namespace
}  // namespace docket::index
