#include "engine/dictionary_merge.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "tests/engine/stores.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using ActorTuple = std::tuple<std::string, std::string, std::string, std::string>;
using TargetTuple = std::tuple<std::string, std::string, std::string>;

// Blocks of a hot segment, merged.
class DictionaryMergeTest : public ::testing::Test {
 protected:
  void merge(const std::vector<std::vector<Event>>& blocks) {
    testing::HotFile file;
    for (const auto& events : blocks) {
      file.add(events);
    }
    segment_ = file.open(disk_, "f.hot", cache_);
    for (std::uint32_t b = 0; b < blocks.size(); ++b) {
      dictionaries_.push_back(segment_->dictionaries(b).value());
      auto map = merge_.add(*dictionaries_.back());
      ASSERT_TRUE(map) << map.error().describe();
      maps_.push_back(std::move(*map));
    }
    merge_.sort();
    for (IdMaps& map : maps_) {
      merge_.finish(map);
    }
  }

  [[nodiscard]] std::vector<std::string> strings(DictionaryField field) const {
    std::vector<std::string> all;
    for (std::uint32_t id = 0; id < merge_.size(field); ++id) {
      all.emplace_back(merge_.text(field, id));
    }
    return all;
  }
  [[nodiscard]] std::vector<ActorTuple> actors() const {
    std::vector<ActorTuple> all;
    for (std::uint32_t id = 0; id < merge_.actor_count(); ++id) {
      const Interner::Key key = merge_.actor(id);
      all.emplace_back(merge_.text(DictionaryField::kind, key.a), key.first, key.second,
                       merge_.text(DictionaryField::role, key.b));
    }
    return all;
  }
  [[nodiscard]] std::vector<TargetTuple> targets() const {
    std::vector<TargetTuple> all;
    for (std::uint32_t id = 0; id < merge_.target_count(); ++id) {
      const Interner::Key key = merge_.target(id);
      all.emplace_back(merge_.text(DictionaryField::type, key.a), key.first, key.second);
    }
    return all;
  }

  testing::SimDisk disk_;
  SectionCache cache_{1 << 20};
  std::shared_ptr<const SegmentBase> segment_;
  std::vector<std::shared_ptr<const Dictionaries>> dictionaries_;
  DictionaryMerge merge_;
  std::vector<IdMaps> maps_;
};

template <typename T>
bool strictly_ascending(const std::vector<T>& values) {
  return std::adjacent_find(values.begin(), values.end(),
                            [](const T& a, const T& b) { return !(a < b); }) == values.end();
}

Event event_by(const std::string& kind, const std::string& id, const std::string& name,
               const std::string& role) {
  Event event = testing::plain_event(1);
  event.actor = {kind, id, name, role};
  return event;
}

TEST_F(DictionaryMergeTest, EveryDictionaryIsSortedBytewiseWithTheEmptyEntryFirst) {
  testing::RandomEvents random(4);
  merge({random.take(300), random.take(1), random.take(300)});
  for (std::size_t f = 0; f < dictionary_field_count; ++f) {
    const auto all = strings(static_cast<DictionaryField>(f));
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all[0], "");
    EXPECT_TRUE(strictly_ascending(all)) << f;
  }
  EXPECT_GT(merge_.size(DictionaryField::verb), 5U);
  EXPECT_TRUE(strictly_ascending(actors()));
  EXPECT_TRUE(strictly_ascending(targets()));
}

TEST_F(DictionaryMergeTest, IdentitiesAndKindsAndPrefixesAreContiguous) {
  testing::RandomEvents random(5);
  merge({random.take(500), random.take(500)});
  const auto contiguous = [](const auto& of, const auto& all) {
    std::set<std::string> seen;
    std::string last = "\x01none";
    for (const auto& tuple : all) {
      const std::string key = of(tuple);
      if (key != last && !seen.insert(key).second) {
        return false;
      }
      last = key;
    }
    return true;
  };
  const auto identity = [](const auto& t) { return std::get<0>(t) + '\0' + std::get<1>(t); };
  const auto kind = [](const auto& t) { return std::get<0>(t); };
  EXPECT_TRUE(contiguous(identity, actors()));
  EXPECT_TRUE(contiguous(kind, actors()));
  EXPECT_TRUE(contiguous(identity, targets()));
  EXPECT_TRUE(contiguous(kind, targets()));
}

TEST_F(DictionaryMergeTest, OrderIsThatOfBytesNotOfLetters) {
  merge({{event_by("b", "2", "", ""), event_by("B", "1", "", ""), event_by("\xc3\xa9", "1", "", ""),
          event_by("a", "10", "", ""), event_by("a", "1", "", ""), event_by("a", "1a", "", ""),
          event_by("a", std::string("1\0", 2), "", ""), event_by("a", "12345678", "", ""),
          event_by("a", "123456789", "", ""), event_by("a", "12345678\xff", "", "")}});
  const std::vector<std::string> ids = {
      "", "1", std::string("1\0", 2), "10", "12345678", "123456789", "12345678\xff", "1a", "2"};
  const auto all = actors();
  EXPECT_TRUE(strictly_ascending(all));
  EXPECT_EQ(std::get<0>(all[1]), "B");
  EXPECT_EQ(std::get<0>(all.back()), "\xc3\xa9");
}

// Many are sorted by the bytes they begin with, one byte at a time; those that begin alike, of
// which there are all sorts here, by what follows.
TEST_F(DictionaryMergeTest, ManyEntriesAreSortedToo) {
  std::vector<std::vector<Event>> blocks(2);
  std::uint32_t number = 0;
  for (auto& events : blocks) {
    for (std::uint32_t i = 0; i < 6000; ++i, number = number * 1'664'525 + 1'013'904'223) {
      Event event = testing::plain_event(1);
      const std::string text = std::to_string(number >> 8);
      event.target = {"T" + std::to_string(number % 300), text.substr(0, number % 11 + 1),
                      number % 3 == 0 ? "" : text};
      if (number % 5 == 0) {
        event.target.id = "12345678" + event.target.id;
      } else if (number % 7 == 0) {
        event.target.id += '\xff';
      }
      event.session = text;
      events.push_back(event);
    }
  }
  merge(blocks);
  EXPECT_GT(merge_.target_count(), 10'000U);
  EXPECT_TRUE(strictly_ascending(targets()));
  EXPECT_GT(merge_.size(DictionaryField::session), 10'000U);
  EXPECT_TRUE(strictly_ascending(strings(DictionaryField::session)));
}

TEST_F(DictionaryMergeTest, SameIdentityUnderOtherNamesAndRolesIsSortedByNameThenRole) {
  merge({{event_by("user", "1", "b", "z"), event_by("user", "1", "a", "z")},
         {event_by("user", "1", "a", "y"), event_by("user", "1", "a", "z")}});
  const std::vector<ActorTuple> expected = {
      {"", "", "", ""}, {"user", "1", "a", "y"}, {"user", "1", "a", "z"}, {"user", "1", "b", "z"}};
  EXPECT_EQ(actors(), expected);
}

TEST_F(DictionaryMergeTest, MapsLeadFromEachBlocksIdsToTheSameStrings) {
  testing::RandomEvents random(6);
  merge({random.take(200), random.take(50), random.take(400)});
  for (std::size_t b = 0; b < maps_.size(); ++b) {
    const Dictionaries& block = *dictionaries_[b];
    std::string text;
    for (std::size_t f = 0; f < dictionary_field_count; ++f) {
      const auto field = static_cast<DictionaryField>(f);
      const StringTable* table = block.strings(field).value();
      ASSERT_EQ(maps_[b].plain[f].size(), table->size());
      for (std::uint32_t id = 0; id < table->size(); ++id) {
        ASSERT_TRUE(table->read(id, text));
        ASSERT_EQ(merge_.text(field, maps_[b].plain[f][id]), text);
      }
      EXPECT_EQ(maps_[b].plain[f][0], 0U);
    }
    ASSERT_EQ(maps_[b].targets.size(), block.target_count());
    const PackedInts types = block.target_types().value();
    for (std::uint32_t id = 0; id < block.target_count(); ++id) {
      const Interner::Key key = merge_.target(maps_[b].targets[id]);
      ASSERT_TRUE(block.target_ids().value()->read(id, text));
      ASSERT_EQ(key.first, text);
      ASSERT_TRUE(block.target_names().value()->read(id, text));
      ASSERT_EQ(key.second, text);
      ASSERT_TRUE(block.strings(DictionaryField::type)
                      .value()
                      ->read(static_cast<std::uint32_t>(types[id]), text));
      ASSERT_EQ(merge_.text(DictionaryField::type, key.a), text);
    }
    ASSERT_EQ(maps_[b].actors.size(), block.actor_count());
    const PackedInts roles = block.actor_roles().value();
    for (std::uint32_t id = 0; id < block.actor_count(); ++id) {
      const Interner::Key key = merge_.actor(maps_[b].actors[id]);
      ASSERT_TRUE(block.actor_ids().value()->read(id, text));
      ASSERT_EQ(key.first, text);
      ASSERT_TRUE(block.strings(DictionaryField::role)
                      .value()
                      ->read(static_cast<std::uint32_t>(roles[id]), text));
      ASSERT_EQ(merge_.text(DictionaryField::role, key.b), text);
    }
  }
}

TEST_F(DictionaryMergeTest, WhatSeveralBlocksShareIsHeldOnce) {
  const auto events = testing::plain_events(50);
  merge({events, events, events});
  std::set<std::string> verbs;
  for (const Event& event : events) {
    verbs.insert(event.verb);
  }
  EXPECT_EQ(merge_.size(DictionaryField::verb), verbs.size() + 1);
  EXPECT_EQ(maps_[0].targets, maps_[2].targets);
}

}  // namespace
}  // namespace docket
