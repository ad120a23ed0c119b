// Counting one field over the rows of one segment.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "index/segment_index.hpp"
#include "query/field_values.hpp"
#include "query/segment_scan.hpp"
#include "query/value_source.hpp"

namespace docket::query {

// Not thread-safe. The scan must outlive it.
class SegmentFacet {
 public:
  SegmentFacet(Field field, SegmentScan& scan, std::uint32_t scan_number)
      : field_(field), scan_(scan), scan_number_(scan_number) {}

  // Makes ready for the dictionaries of `block`. Error: they cannot be read.
  [[nodiscard]] Result<void> open(std::uint32_t block);
  // Counts all rows of a sealed segment by the index's totals. False when that cannot be done.
  // Precondition: open().
  [[nodiscard]] bool count_by_totals();
  // Counts all rows of the blocks that are in `unit` but not in `rest` by the index's counts. False
  // when that cannot be done. Precondition: open().
  [[nodiscard]] bool count_by_blocks(const Unit& unit, const Unit& rest);
  // Reads what count() needs of the rows in `bits`.
  [[nodiscard]] Evaluated load(const Unit& unit, const index::RowBits& bits) {
    return values_->load(unit, bits);
  }
  void count(const Unit& unit, const index::RowBits& bits);

  // The values of a block of an active segment, to be kept once all facets could tell theirs.
  [[nodiscard]] Result<std::vector<CountedValue>> values_of_block();
  void keep(std::vector<CountedValue> found);
  // After the last unit: the values that were counted. What it takes for counting is given back.
  [[nodiscard]] Result<std::unique_ptr<ValueSource>> close();

 private:
  [[nodiscard]] Tally take_tally();
  // The index, where its values are those of the field.
  [[nodiscard]] std::shared_ptr<const index::SegmentIndex> fitting_index();

  Field field_;
  SegmentScan& scan_;
  std::uint32_t scan_number_;
  std::unique_ptr<FieldValues> values_;
  std::vector<std::uint32_t> counts_;  // by number
  std::vector<CountedValue> found_;    // of an active segment
  std::size_t summed_ = 0;             // how many of them are in order and distinct

  bool looked_for_block_counts_ = false;
  std::shared_ptr<const index::BlockCounts> block_counts_;
};

}  // namespace docket::query
