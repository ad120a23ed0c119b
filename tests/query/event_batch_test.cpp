#include "query/event_batch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

class EventBatchTest : public ::testing::Test {
 protected:
  EventBatchTest() : store_(3) {
    store_.add("activity", 3000, true, 500);
    store_.add("campaign", 2000, true);
    store_.add("activity", 700, false);
    for (const LogSnapshot& log : store_.snapshot().logs) {
      for (const auto& segment : log.segments) {
        segments_.push_back(segment);
        for (std::uint32_t row = 0; row < segment->info().rows; ++row) {
          rows_.push_back({segment.get(), row});
        }
      }
    }
    std::shuffle(rows_.begin(), rows_.end(), std::mt19937_64(1));
  }

  // What the reader of single events says.
  static Result<Event> alone(const StoredRow& row) {
    EventReader reader(*row.segment);
    Event event;
    DOCKET_TRY(reader.read(row.row, event));
    return event;
  }

  // Expects each row of the batch to be as if it had been read alone. Returns how many could be.
  static std::size_t expect_as_alone(const EventBatch& batch, std::span<const StoredRow> rows) {
    EXPECT_EQ(batch.size(), rows.size());
    std::size_t readable = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Result<Event> expected = alone(rows[i]);
      StoredView view;
      const Result<void> read = batch.view(i, view);
      EXPECT_EQ(read.has_value(), expected.has_value()) << i;
      if (!read || !expected) {
        EXPECT_EQ(read.error().describe(), expected.error().describe());
        continue;
      }
      Event event;
      copy_event(view, event);
      EXPECT_EQ(event, *expected) << i;
      ++readable;
    }
    return readable;
  }

  MixedStore store_;
  std::vector<std::shared_ptr<const SegmentReader>> segments_;
  std::vector<StoredRow> rows_;
};

TEST_F(EventBatchTest, EventsAreThoseThatAReaderOfSingleOnesGives) {
  EventBatch batch;
  batch.read(rows_);
  EXPECT_EQ(expect_as_alone(batch, rows_), 5700U);
}

TEST_F(EventBatchTest, ABatchReplacesTheOneBefore) {
  EventBatch batch;
  for (const std::size_t size : {2000U, 0U, 1U, 50U, 3000U}) {
    const auto rows = std::span<const StoredRow>(rows_).first(size);
    batch.read(rows);
    EXPECT_EQ(expect_as_alone(batch, rows), size);
  }
}

TEST_F(EventBatchTest, WhatCannotBeReadIsToldOfTheRowsThatNeedIt) {
  const auto damaged = store_.segments("activity")[0];
  damaged->damage_column(1, RowColumn::verb);
  damaged->damage_related(2);
  damaged->damage_payloads(4);
  EventBatch batch;
  batch.read(rows_);
  // Payloads are missed only by rows that have one, or whose block does.
  EXPECT_LE(expect_as_alone(batch, rows_), 5700U - 1000U);
}

TEST_F(EventBatchTest, UnreadableDictionariesAreToldOfEachOfTheirRows) {
  store_.segments("campaign")[0]->damage_strings(0, DictionaryField::verb);
  EventBatch batch;
  batch.read(rows_);
  EXPECT_EQ(expect_as_alone(batch, rows_), 3700U);
}

TEST_F(EventBatchTest, AnUnreadableDirectoryIsToldOfEachRow) {
  store_.segments("campaign")[0]->damage_directory();
  EventBatch batch;
  batch.read(rows_);
  std::size_t unreadable = 0;
  StoredView view;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    unreadable += batch.view(i, view) ? 0 : 1;
  }
  EXPECT_EQ(unreadable, 2000U);
}

TEST_F(EventBatchTest, RowsFarApartAreReadAsThoseSideBySide) {
  for (const std::size_t step : {2U, 3U, 50U, 1000U}) {
    std::vector<StoredRow> some;
    for (const auto& segment : segments_) {
      for (std::size_t row = 0; row < segment->info().rows; row += step) {
        some.push_back({segment.get(), static_cast<std::uint32_t>(row)});
      }
    }
    EventBatch batch;
    batch.read(some);
    EXPECT_EQ(expect_as_alone(batch, some), some.size());
  }
}

TEST(RowsWithin, ABatchEndsWhereItsBytesDo) {
  std::vector<Event> events(100);
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].actor = {"user", "7", "", ""};
    events[i].verb = "EDIT";
    events[i].target = {"List", "5", ""};
    events[i].payload = "{\"n\":\"" + std::string(992, 'x') + "\"}";
    if (i >= 50) {
      events[i].related.assign(10, Target{"Contact", "1", ""});
    }
  }
  MixedStore store(1);
  store.add("activity", events, true, 30);
  const StoreSnapshot snapshot = store.snapshot();
  std::vector<StoredRow> rows;
  for (std::uint32_t row = 0; row < 100; ++row) {
    rows.push_back({snapshot.logs[0].segments[0].get(), row});
  }
  EXPECT_EQ(rows_within(rows, std::size_t{1} << 30), 100U);
  EXPECT_EQ(rows_within(rows, 10'500), 10U);
  EXPECT_EQ(rows_within(rows, 0), 1U) << "a row that is too large is read alone";
  EXPECT_EQ(rows_within(std::span(rows).subspan(50), 10'500), 5U) << "with related targets";
  EXPECT_EQ(rows_within({}, 0), 0U);
}

}  // namespace
}  // namespace docket::query::testing
