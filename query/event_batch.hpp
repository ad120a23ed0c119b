// Events of many rows, read together: column by column, and each string once.
//
// Dictionaries are read through a cache that all queries share, page by page, under a lock: row by
// row and string by string, that would be most of the cost of an export, and of a page of answers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/segment_reader.hpp"
#include "query/distinct_ids.hpp"
#include "query/stored_view.hpp"
#include "query/text_arena.hpp"

namespace docket::query {

// A row by where it stands.
struct StoredRow {
  const SegmentReader* segment = nullptr;
  std::uint32_t row = 0;  // in the segment
};

// How many of the first rows may be read together: as many as have no more than `bytes_max` of
// payloads and related targets; at least one, where there is one.
[[nodiscard]] std::size_t rows_within(std::span<const StoredRow> rows, std::size_t bytes_max);

// Keeps its memory between uses. Not thread-safe. The segments must outlive it.
class EventBatch {
 public:
  // Reads these rows, none twice, in place of those before. Memory: what their strings and payloads
  // take, each distinct string once, about 400 bytes a row, and about 100 for each related target.
  void read(std::span<const StoredRow> rows);

  [[nodiscard]] std::size_t size() const { return views_.size(); }
  // The i-th row's event, until the next read(), or why it cannot be read.
  [[nodiscard]] const Result<const StoredView*>& operator[](std::size_t i) const {
    return results_[i];
  }

 private:
  // Where a row of read() stands. Rows are looked at in this order.
  struct Place {
    const SegmentReader* segment = nullptr;
    std::uint32_t group = 0;  // among the segments, as the rows name them
    std::uint32_t block = 0;
    std::uint32_t row = 0;   // in the block
    std::uint32_t view = 0;  // in views_
  };
  using Places = std::span<const Place>;

  // Of rows whose ids refer to the same dictionaries.
  void read_group(Places places);
  [[nodiscard]] Result<void> read_columns(Places places);
  [[nodiscard]] Result<void> read_integers(Places places);
  [[nodiscard]] Result<void> read_block(const SegmentReader& segment, const SegmentInfo& info,
                                        const BlockInfo& block, Places places);
  [[nodiscard]] Result<void> read_payloads(Places places);
  [[nodiscard]] Result<void> read_actors(const Dictionaries& dictionaries, Places places);
  [[nodiscard]] Result<void> read_targets(const Dictionaries& dictionaries, Places places);
  [[nodiscard]] Result<void> read_addresses(const Dictionaries& dictionaries, Places places);
  [[nodiscard]] Result<void> read_texts(const Dictionaries& dictionaries, DictionaryField field,
                                        RowColumn column, std::string_view StoredView::* member,
                                        Places places);
  // texts[i] becomes entry ids[i] of the table; `ids` ascend.
  [[nodiscard]] Result<void> look_up(const StringTable& table, std::span<const std::uint32_t> ids,
                                     std::vector<std::string_view>& texts);
  // texts[i] becomes the table's entry with the number numbers[ids[i]].
  [[nodiscard]] Result<void> look_up_through(const PackedInts& numbers, const StringTable& table,
                                             std::span<const std::uint32_t> ids,
                                             std::vector<std::string_view>& texts);
  void read_alone(const Place& place, EventReader& reader);
  [[nodiscard]] std::vector<std::uint32_t>& ids(RowColumn column) {
    return ids_[static_cast<std::size_t>(column)];
  }

  std::vector<StoredView> views_;
  std::vector<Result<const StoredView*>> results_;
  TextArena arena_;
  std::deque<std::vector<TargetView>> related_;  // a group's each

  std::vector<Place> places_;
  // Of the group at hand, by place.
  std::array<std::vector<std::uint32_t>, row_column_count> ids_;
  std::vector<std::uint32_t> related_counts_, related_ids_;
  DistinctIds distinct_, distinct_numbers_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::string_view> texts_, id_texts_, name_texts_, kind_texts_, role_texts_;

  // Rows that could not be read together.
  std::deque<std::pair<Event, std::optional<ViewedEvent>>> alone_;
};

}  // namespace docket::query
