// Events of many rows, read together: column by column, and each string once.
//
// Dictionaries are read through a cache that all queries share, page by page, under a lock: row by
// row and string by string, that would be most of the cost of an export, and of a page of answers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
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
// payloads and related targets; at least one, where there is one. Tells the segments of blocks that
// they and the next few rows are in (SegmentReader::will_read()).
[[nodiscard]] std::size_t rows_within(std::span<const StoredRow> rows, std::size_t bytes_max);

// Keeps its memory between uses. Not thread-safe, but for view(). The segments must outlive it.
class EventBatch {
 public:
  // Reads these rows, none twice, in place of those before. Memory: what their strings and payloads
  // take, each distinct string once, and about 150 bytes a row, a distinct target or a related one.
  void read(std::span<const StoredRow> rows);

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  // Sets `into` to the i-th row's event, whose strings hold until the next read(). Error: why it
  // cannot be read. By several threads at a time.
  [[nodiscard]] Result<void> view(std::size_t i, StoredView& into) const;
  // To be called for each row in turn by whoever will ask for all their views, `far` ahead of the
  // row at hand: has the memory on its way that the view, and then its reader, will wait for. Past
  // the last row it does nothing.
  static constexpr std::size_t far = 16;
  void fetch(std::size_t i) const;

 private:
  // Columns of ids that are read alike, each into a list of its own strings.
  static constexpr std::size_t text_column_count = 5;

  // Rows whose ids refer to the same dictionaries, in the order of the segment. What stands by row
  // is in columns, as it comes: of a row's 300 bytes as a view, most are pointers to strings that
  // many rows share.
  struct Group {
    std::string_view log;
    // By row.
    std::vector<std::uint64_t> seqs, times, received, affected;
    std::vector<std::uint8_t> outcomes;
    std::vector<std::uint32_t> actor, target, address;  // places in the lists below
    std::array<std::vector<std::uint32_t>, text_column_count> text;
    std::vector<std::string_view> payloads;     // empty: no row has one
    std::vector<std::uint32_t> related_starts;  // one more than rows
    // Each once.
    std::vector<ActorView> actors;
    std::vector<TargetView> targets;
    std::vector<std::optional<IpAddress>> addresses;
    std::array<std::vector<std::string_view>, text_column_count> texts;

    std::vector<TargetView> related;
  };
  // Where the i-th row is.
  struct Place {
    std::uint32_t group = 0;  // among groups_; alone: among alone_
    std::uint32_t row = 0;    // of the group
  };
  static constexpr std::uint32_t alone = UINT32_MAX;
  // A row that could not be read together with others.
  struct Single {
    explicit Single(Error why) : error(std::move(why)) {}
    explicit Single(std::unique_ptr<Event> read) : event(std::move(read)), viewed(*event) {}
    std::unique_ptr<Event> event;
    std::optional<ViewedEvent> viewed;
    Error error;  // where there is no view
  };
  // Rows of one segment by their numbers in it, ascending.
  using SegmentRows = std::span<const std::uint32_t>;

  // Parts the rows by segment; those of which nothing can be read are done with.
  void sort_out(std::span<const StoredRow> rows);
  void read_segment(const SegmentReader& segment, std::span<const std::uint32_t> which,
                    std::span<const StoredRow> rows);
  // Of rows whose ids refer to the same dictionaries: those of `block` on.
  [[nodiscard]] Result<void> read_columns(const SegmentReader& segment, std::uint32_t block,
                                          SegmentRows rows, Group& group);
  // The same of rows of one block, which are the group's from `first` on.
  [[nodiscard]] Result<void> read_block(const SegmentReader& segment, std::uint32_t block,
                                        SegmentRows rows, std::size_t first, Group& group);
  [[nodiscard]] Result<void> read_payloads(const SegmentReader& segment, std::uint32_t block,
                                           SegmentRows rows, std::size_t first, Group& group);
  [[nodiscard]] Result<void> read_actors(const Dictionaries& dictionaries, Group& group);
  [[nodiscard]] Result<void> read_targets(const Dictionaries& dictionaries, Group& group);
  [[nodiscard]] Result<void> read_addresses(const Dictionaries& dictionaries, Group& group);
  // Takes distinct_ of the ids, each of which becomes its place there.
  void take_distinct(std::vector<std::uint32_t>& ids, std::uint32_t limit);
  // texts[i] becomes entry ids[i] of the table; `ids` ascend.
  [[nodiscard]] Result<void> look_up(const StringTable& table, std::span<const std::uint32_t> ids,
                                     std::vector<std::string_view>& texts);
  // texts[i] becomes the table's entry with the number numbers[ids[i]].
  [[nodiscard]] Result<void> look_up_through(const PackedInts& numbers, const StringTable& table,
                                             std::span<const std::uint32_t> ids,
                                             std::vector<std::string_view>& texts);
  void read_alone(const SegmentReader& segment, SegmentRows rows,
                  std::span<const std::uint32_t> views);
  [[nodiscard]] Group& next_group();

  std::vector<Place> rows_;
  std::deque<Group> groups_;  // the first groups_used_ of them
  std::size_t groups_used_ = 0;
  std::deque<Single> alone_;
  TextArena arena_;

  // While reading. Of the rows of a segment: which they are in read(), by segment.
  std::vector<std::pair<const SegmentReader*, std::vector<std::uint32_t>>> by_segment_;
  std::size_t segments_ = 0;  // of by_segment_ in use
  std::vector<std::uint32_t> numbers_, views_, in_block_, numbers_through_;
  std::vector<std::uint32_t> related_ids_;
  DistinctIds order_, distinct_, distinct_numbers_;
  std::vector<std::string_view> texts_, id_texts_, name_texts_, kind_texts_, role_texts_;
};

}  // namespace docket::query
