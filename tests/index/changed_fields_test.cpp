#include "index/changed_fields.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/bytes.hpp"
#include "index/index_builder.hpp"
#include "index/segment_index.hpp"
#include "tests/support/memory_segment.hpp"

namespace docket::index {
namespace {

using docket::testing::MemorySegment;

std::vector<std::byte> encoded(const std::vector<std::string>& names) {
  std::vector<std::byte> bytes;
  ChangedNames::encode(names, bytes);
  return bytes;
}

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
  return changed_fields_of(*segment).value();
}

TEST(ChangedNames, AreFoundWholeAndByPrefix) {
  const std::vector<std::string> names = {"",     "limit",   "limits", "limits.hourly",
                                          "tags", "\xC3\xA9"};
  const ChangedNames parsed =
      ChangedNames::parse(encoded(names), static_cast<std::uint32_t>(names.size())).value();
  ASSERT_EQ(parsed.size(), names.size());
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(parsed.name(i), names[i]);
    EXPECT_EQ(parsed.values(names[i], false), (IdRange{i + 1, i + 2}));
  }
  EXPECT_EQ(parsed.values("limit", true), (IdRange{2, 5}));
  EXPECT_EQ(parsed.values("", true), (IdRange{1, 7}));
  EXPECT_TRUE(parsed.values("limits.", false).empty());
  EXPECT_TRUE(parsed.values("zz", true).empty());
  EXPECT_TRUE(ChangedNames::parse({}, 0).value().values("", true).empty());
}

TEST(ChangedNames, BytesThatAreNoListAreRefused) {
  const std::vector<std::byte> good = encoded({"a", "b"});
  EXPECT_TRUE(ChangedNames::parse(good, 2));
  EXPECT_FALSE(ChangedNames::parse(good, 1));
  EXPECT_FALSE(ChangedNames::parse(good, 3));
  EXPECT_FALSE(ChangedNames::parse(good, UINT32_MAX));
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    EXPECT_FALSE(ChangedNames::parse({good.begin(), good.begin() + static_cast<long>(bytes)}, 2));
  }
  EXPECT_FALSE(ChangedNames::parse(encoded({"b", "a"}), 2));
  EXPECT_FALSE(ChangedNames::parse(encoded({"a", "a"}), 2));
}

TEST(ChangedFields, SegmentsWithTooManyAreNotIndexed) {
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

TEST(ChangedFields, BytesOfNamesAndNamesOfRowsAreBoundedToo) {
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

TEST(ChangedFields, OfDamagedPayloadsThereIsNoTelling) {
  const std::vector<Event> events(10, changing({"a"}));
  const auto segment = MemorySegment::sealed("activity", SegmentId(1), Seq(1), events, 5);
  segment->damage_payloads(1);
  const auto fields = changed_fields_of(*segment);
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->entries.universe, 0U);
  EXPECT_TRUE(build_index(*segment));
}

}  // namespace
}  // namespace docket::index
