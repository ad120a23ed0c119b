#include "query/segment_facet.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace docket::query {

Result<void> SegmentFacet::open(std::uint32_t block) {
  if (values_ == nullptr || !scan_.sealed()) {
    DOCKET_ASSIGN(FieldValues values, FieldValues::open(field_, scan_, block));
    values_ = std::make_unique<FieldValues>(std::move(values));
    counts_.assign(values_->universe(), 0);
  }
  return {};
}

std::shared_ptr<const index::SegmentIndex> SegmentFacet::fitting_index() {
  const auto dimension = dimension_of(field_);
  if (!dimension) {
    return nullptr;
  }
  auto index = scan_.index();
  const bool fits = index != nullptr && index->values(*dimension) == values_->universe() &&
                    ((field_ != Field::target && field_ != Field::target_type) ||
                     !index->has_overlapping_targets());
  return fits ? index : nullptr;
}

bool SegmentFacet::count_by_totals() {
  if (field_ == Field::log) {
    counts_[0] += scan_.info().rows;
    return true;
  }
  const auto index = fitting_index();
  if (index == nullptr) {
    return false;
  }
  auto counts = index->totals(*dimension_of(field_));
  if (!counts) {
    return false;
  }
  counts_ = std::move(*counts);
  return true;
}

bool SegmentFacet::count_by_blocks(const Unit& unit, const Unit& rest) {
  if (!looked_for_block_counts_) {
    looked_for_block_counts_ = true;
    const auto index = fitting_index();
    if (index != nullptr && index::has_block_counts(values_->universe(), index->blocks())) {
      block_counts_ = index->block_counts(*dimension_of(field_)).value_or(nullptr);
    }
  }
  if (values_->universe() == 1 && values_->is_absent(0)) {
    return true;  // There is nothing to count.
  }
  if (block_counts_ == nullptr && field_ != Field::log) {
    return false;
  }
  auto left_out = rest.slices.begin();
  for (const Unit::Slice& slice : unit.slices) {
    if (left_out != rest.slices.end() && left_out->block == slice.block) {
      ++left_out;
    } else if (field_ == Field::log) {
      counts_[0] += slice.rows;
    } else {
      const std::span<const std::uint16_t> of_block = block_counts_->of(slice.block);
      for (std::size_t number = 0; number < of_block.size(); ++number) {
        counts_[number] += of_block[number];
      }
    }
  }
  return true;
}

void SegmentFacet::count(const Unit& unit, const index::RowBits& bits) {
  std::uint32_t* const counts = counts_.data();
  values_->for_each(unit.words, bits,
                    [counts](std::uint32_t, std::uint32_t number) { ++counts[number]; });
}

Result<std::vector<CountedValue>> SegmentFacet::values_of_block() {
  std::vector<CountedValue> found;
  const Tally tally = take_tally();
  Tally::Entry entry;
  for (Tally::Reader reader(tally); reader.next(entry);) {
    DOCKET_ASSIGN(FieldValue value, values_->value(entry.number));
    found.push_back(CountedValue{std::move(value), entry.count});
  }
  return found;
}

void SegmentFacet::keep(std::vector<CountedValue> found) {
  constexpr std::size_t worth_summing = 65536;
  std::move(found.begin(), found.end(), std::back_inserter(found_));
  // Blocks repeat each other's values: added up now and then, they stay few.
  if (found_.size() > 2 * summed_ + worth_summing) {
    sort_values(found_);
    summed_ = found_.size();
  }
}

Result<std::unique_ptr<ValueSource>> SegmentFacet::close() {
  if (!scan_.sealed() || values_ == nullptr) {
    return memory_source(std::move(found_), scan_number_);
  }
  DOCKET_ASSIGN(auto source, tally_source(*values_, take_tally(), scan_number_));
  values_ = nullptr;
  block_counts_ = nullptr;
  return source;
}

Tally SegmentFacet::take_tally() {
  Tally tally;
  for (std::uint32_t number = 0; number < counts_.size(); ++number) {
    if (counts_[number] != 0 && !values_->is_absent(number)) {
      tally.add(number, counts_[number]);
    }
  }
  tally.shrink();
  counts_ = {};
  return tally;
}

}  // namespace docket::query
