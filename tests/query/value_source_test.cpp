#include "query/value_source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/execution.hpp"
#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

using Told = std::vector<std::pair<FieldValue, std::uint64_t>>;

Told told(ValueSource& source) {
  Told values;
  IdBatch batch;
  for (;;) {
    const auto kind = source.next_kind();
    EXPECT_TRUE(kind);
    if (!kind || !*kind) {
      return values;
    }
    const std::string name(**kind);
    do {
      EXPECT_TRUE(source.next_ids(batch));
      for (std::size_t i = 0; i < batch.entries.size(); ++i) {
        values.emplace_back(FieldValue{name, std::string(batch.id(i))}, batch.entries[i].count);
      }
    } while (!batch.entries.empty());
  }
}

// Values of one sealed or active segment with every target counted as often as its number says.
class ValueSourceOver : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    std::vector<Event> events;
    for (int i = 0; i < 1200; ++i) {
      Event event;
      event.ts = 1'777'593'600'000'000'000 + i;
      event.verb = "EDIT";
      event.actor = {"user", "1", "Ann", ""};
      event.target = {i % 3 == 0 ? "Contact" : "List", std::to_string(i / 2), std::to_string(i)};
      events.push_back(std::move(event));
    }
    store_.add("activity", std::move(events), GetParam());
    parts_.snapshot = store_.snapshot();
    parts_.catalog = &store_.catalog();
    execution_ = std::make_unique<Execution>(parts_, query_);
  }

  std::unique_ptr<ValueSource> source(const std::vector<std::uint32_t>& numbers) {
    SegmentScan& scan = *execution_->scans()[0];
    scan.prepare();
    const auto blocks = scan.blocks();
    const auto largest =
        std::max_element(blocks.begin(), blocks.end(),
                         [](const BlockInfo& a, const BlockInfo& b) { return a.rows < b.rows; });
    auto values = FieldValues::open(Field::target, scan,
                                    static_cast<std::uint32_t>(largest - blocks.begin()));
    EXPECT_TRUE(values);
    Tally tally;
    expected_.clear();
    for (const std::uint32_t number : numbers) {
      if (number >= values->universe()) {
        break;  // a block of an active segment has fewer
      }
      tally.add(number, number + 1);
      expected_.emplace_back(*values->value(number), number + 1);
    }
    std::sort(expected_.begin(), expected_.end());
    return *tally_source(*values, std::move(tally), 0);
  }
  std::vector<std::uint32_t> all_numbers() const {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t number = 1; number <= 1200; ++number) {
      numbers.push_back(number);
    }
    return numbers;
  }
  // Of expected_, equal ones added up: what stands there several times is one value.
  static Told added_up(const Told& values) {
    Told sums;
    for (const auto& [value, count] : values) {
      if (!sums.empty() && sums.back().first == value) {
        sums.back().second += count;
      } else {
        sums.emplace_back(value, count);
      }
    }
    return sums;
  }

  MixedStore store_{1};
  SearcherParts parts_;
  const Query query_ = parsed("");
  std::unique_ptr<Execution> execution_;
  Told expected_;
};

TEST_P(ValueSourceOver, ValuesComeInTheirOrderWithTheirCounts) {
  const auto all = source(all_numbers());
  EXPECT_EQ(added_up(told(*all)), added_up(expected_));
  const auto few = source({3, 400, 401, 1199});
  EXPECT_EQ(added_up(told(*few)), added_up(expected_));
  const auto none = source({});
  EXPECT_TRUE(told(*none).empty());
}

TEST_P(ValueSourceOver, AKindThatIsPassedOverIsNotGivenOut) {
  const auto all = source(all_numbers());
  EXPECT_EQ(**all->next_kind(), "Contact");
  for (const auto& [value, count] : told(*all)) {
    EXPECT_EQ(value.kind, "List");
  }
}

TEST_P(ValueSourceOver, ARangeLeavesOutWhatIsBeyondIt) {
  const std::vector<FieldValue> bounds = {{"", ""},           {"Contact", ""}, {"Contact", "33"},
                                          {"Contact", "zzz"}, {"Drip", "5"},   {"List", "17"},
                                          {"List", "170"},    {"Zone", "1"}};
  for (const FieldValue& from : bounds) {
    for (const FieldValue& until : bounds) {
      const auto some = source(all_numbers());
      const std::size_t bytes = some->memory_bytes();
      ASSERT_TRUE(some->keep(ValueRange{from, until}));
      EXPECT_LE(some->memory_bytes(), bytes);
      Told within;
      for (const auto& entry : added_up(expected_)) {
        if (!(entry.first < from) && entry.first < until) {
          within.push_back(entry);
        }
      }
      EXPECT_EQ(added_up(told(*some)), within) << from.id << " to " << until.id;
    }
  }
}

TEST_P(ValueSourceOver, TheMiddleLeavesValuesOnBothSides) {
  const auto all = source(all_numbers());
  const auto middle = all->middle();
  ASSERT_TRUE(middle && *middle);
  const auto before = source(all_numbers());
  ASSERT_TRUE(before->keep(ValueRange{std::nullopt, **middle}));
  const std::size_t values = added_up(expected_).size();
  EXPECT_NEAR(static_cast<double>(told(*before).size()) / static_cast<double>(values), 0.5, 0.2);
}

TEST_P(ValueSourceOver, OneValueHasNoMiddle) {
  EXPECT_FALSE(*source({})->middle());
  EXPECT_FALSE(*source({7})->middle());
}

TEST_P(ValueSourceOver, AnIdentityUnderTwoNamesIsNotParted) {
  bool seen = false;
  for (std::uint32_t number = 1; number < 420; ++number) {
    const auto two = source({number, number + 1});
    if (expected_.size() < 2) {
      break;
    }
    const bool same = expected_[0].first == expected_[1].first;
    seen = seen || same;
    EXPECT_EQ(two->middle()->has_value(), !same);
  }
  EXPECT_TRUE(seen);
}

INSTANTIATE_TEST_SUITE_P(Segments, ValueSourceOver, ::testing::Values(true, false),
                         [](const auto& sealed) { return sealed.param ? "sealed" : "active"; });

}  // namespace
}  // namespace docket::query::testing
