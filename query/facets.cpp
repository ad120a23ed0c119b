#include "query/facets.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "query/parser.hpp"
#include "query/value_merge.hpp"

namespace docket::query {
namespace {

// Keeps the first `top` values by count, most first, then by value.
class TopValues {
 public:
  explicit TopValues(std::uint32_t top) : top_(top) {}

  void add(Field field, const CountedValue& value) {
    ++distinct_;
    sum_ += value.count;
    if (top_ == 0 || (heap_.size() == top_ && value.count < heap_.front().count)) {
      return;
    }
    heap_.push_back(FacetValue{label_of(field, value.value), value.count});
    std::push_heap(heap_.begin(), heap_.end(), before);
    if (heap_.size() > top_) {
      std::pop_heap(heap_.begin(), heap_.end(), before);
      heap_.pop_back();
    }
  }

  [[nodiscard]] Facet take(Field field) {
    std::sort(heap_.begin(), heap_.end(), before);
    Facet facet;
    facet.field = field;
    facet.values = std::move(heap_);
    facet.distinct = distinct_;
    facet.other = sum_;
    for (const FacetValue& value : facet.values) {
      facet.other -= value.count;
    }
    return facet;
  }

 private:
  // As a heap's order this keeps the last one, the first to go, at the front.
  [[nodiscard]] static bool before(const FacetValue& a, const FacetValue& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  }

  std::uint32_t top_;
  std::uint64_t distinct_ = 0;
  std::uint64_t sum_ = 0;
  std::vector<FacetValue> heap_;
};

// Counts one field over the rows of one segment.
class SegmentFacet {
 public:
  SegmentFacet(Field field, SegmentScan& scan, std::uint32_t scan_number)
      : field_(field), scan_(scan), scan_number_(scan_number) {}

  // Makes ready for the dictionaries of `block`.
  [[nodiscard]] Result<void> open(std::uint32_t block) {
    if (values_ == nullptr || !scan_.sealed()) {
      DOCKET_ASSIGN(FieldValues values, FieldValues::open(field_, scan_, block));
      values_ = std::make_unique<FieldValues>(std::move(values));
      counts_.assign(values_->universe(), 0);
    }
    return {};
  }
  [[nodiscard]] Evaluated load(const Unit& unit, const index::RowBits& bits) {
    return values_->load(unit, bits);
  }
  void count(const Unit& unit, const index::RowBits& bits) {
    values_->for_each(unit.words, bits,
                      [&](std::uint32_t, std::uint32_t number) { ++counts_[number]; });
  }
  // The values of a block of an active segment, to be kept once all facets could tell theirs.
  [[nodiscard]] Result<std::vector<CountedValue>> values_of_block() {
    std::vector<CountedValue> found;
    for (const auto& [number, count] : take_tally()) {
      DOCKET_ASSIGN(FieldValue value, values_->value(number));
      found.push_back(CountedValue{std::move(value), count});
    }
    return found;
  }
  void keep(std::vector<CountedValue> found) {
    std::move(found.begin(), found.end(), std::back_inserter(found_));
    // Blocks repeat each other's values: added up now and then, they stay few.
    if (found_.size() > 2 * summed_ + 65536) {
      sort_values(found_);
      summed_ = found_.size();
    }
  }
  // After the last unit. `*this` must outlive the sources.
  [[nodiscard]] Result<void> close(std::vector<std::unique_ptr<ValueSource>>& sources) {
    if (!scan_.sealed()) {
      sources.push_back(memory_source(std::move(found_), scan_number_));
      return {};
    }
    return values_ ? add_sources(*values_, take_tally(), scan_number_, sources) : Result<void>{};
  }

 private:
  [[nodiscard]] Tally take_tally() {
    Tally tally;
    for (std::uint32_t number = 0; number < counts_.size(); ++number) {
      if (counts_[number] != 0 && !values_->is_absent(number)) {
        tally.emplace_back(number, counts_[number]);
      }
    }
    counts_ = {};
    return tally;
  }

  Field field_;
  SegmentScan& scan_;
  std::uint32_t scan_number_;
  std::unique_ptr<FieldValues> values_;
  std::vector<std::uint32_t> counts_;  // by number
  std::vector<CountedValue> found_;    // of an active segment
  std::size_t summed_ = 0;
};

// One attempt at an answer. Blocks that cannot be read are left out on the way. Where values can be
// counted but not told, their segment is left out and the attempt has failed: the next one does
// without it.
class FacetRun {
 public:
  FacetRun(Execution& execution, const std::vector<Field>& fields)
      : execution_(execution), fields_(fields), sources_(fields.size()) {}

  // Nothing: try again.
  [[nodiscard]] Result<std::optional<FacetsAnswer>> attempt(std::uint32_t top) {
    Scans& scans = execution_.scans();
    for (std::uint32_t number = 0; number < scans.size(); ++number) {
      SegmentScan& scan = *scans[number];
      if (scan.outside()) {
        continue;
      }
      scan.prepare();
      DOCKET_TRY(count_scan(scan, number));
      if (failed_) {
        return std::optional<FacetsAnswer>();
      }
    }
    FacetsAnswer answer;
    answer.count = count_;
    for (std::size_t i = 0; i < fields_.size() && !failed_; ++i) {
      answer.facets.push_back(merge(fields_[i], std::move(sources_[i]), top));
    }
    if (failed_) {
      return std::optional<FacetsAnswer>();
    }
    return std::optional<FacetsAnswer>(std::move(answer));
  }

 private:
  [[nodiscard]] Result<void> count_scan(SegmentScan& scan, std::uint32_t number) {
    std::vector<std::unique_ptr<SegmentFacet>> facets;
    for (const Field field : fields_) {
      facets.push_back(std::make_unique<SegmentFacet>(field, scan, number));
    }
    DOCKET_TRY(execution_.for_each_unit(scan, [&](const Unit& unit) {
      if (!failed_ && scan.evaluate(unit, bits_)) {
        count_unit(scan, unit, facets);
      }
    }));
    for (std::size_t i = 0; i < facets.size() && !failed_; ++i) {
      if (auto done = facets[i]->close(sources_[i]); !done) {
        fail_scan(scan, done.error());
      }
      closed_.push_back(std::move(facets[i]));
    }
    return {};
  }

  void count_unit(SegmentScan& scan, const Unit& unit,
                  std::vector<std::unique_ptr<SegmentFacet>>& facets) {
    const std::uint32_t block = unit.slices.front().block;
    for (auto& facet : facets) {
      if (auto done = facet->open(block); !done) {
        leave_out(scan, block, done.error());
        return;
      }
    }
    for (std::size_t i = 0; i < facets.size();) {
      const Evaluated done = facets[i]->load(unit, bits_);
      if (done) {
        ++i;
        continue;
      }
      scan.exclude(done.error().block, done.error().error);
      clear_block(unit, done.error().block);
      i = 0;
    }
    std::vector<std::vector<CountedValue>> found;
    for (auto& facet : facets) {
      facet->count(unit, bits_);
      if (scan.sealed()) {
        continue;
      }
      auto values = facet->values_of_block();
      if (!values) {
        leave_out(scan, block, values.error());
        return;
      }
      found.push_back(std::move(*values));
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      facets[i]->keep(std::move(found[i]));
    }
    count_ += bits_.count(unit.words);
  }

  [[nodiscard]] Facet merge(Field field, std::vector<std::unique_ptr<ValueSource>> sources,
                            std::uint32_t top) {
    TopValues best(top);
    // EDIT and UPDATE find each other, so that they are one value, and EDIT is what it is called.
    std::optional<CountedValue> edit;
    const auto done = merge_values(std::move(sources), [&](const CountedValue& value) {
      const bool is_edit =
          field == Field::verb && (value.value.id == "EDIT" || value.value.id == "UPDATE");
      if (!is_edit) {
        best.add(field, value);
      } else if (edit) {
        edit->count += value.count;
      } else {
        edit = value;
        edit->value.id = "EDIT";
      }
    });
    if (!done) {
      fail_scan(*execution_.scans()[done.error().scan], done.error().error);
    }
    if (edit) {
      best.add(field, *edit);
    }
    return best.take(field);
  }

  // The dictionaries of a block cannot be read. A sealed segment has but one set of them.
  void leave_out(SegmentScan& scan, std::uint32_t block, const Error& error) {
    if (scan.sealed()) {
      fail_scan(scan, error);
    } else {
      scan.exclude(block, error);
    }
  }

  void fail_scan(SegmentScan& scan, const Error& error) {
    scan.exclude_all(error);
    failed_ = true;
  }

  void clear_block(const Unit& unit, std::uint32_t block) {
    for (const Unit::Slice& slice : unit.slices) {
      if (slice.block == block) {
        bits_.clear(slice.words());
      }
    }
  }

  Execution& execution_;
  const std::vector<Field>& fields_;
  std::vector<std::vector<std::unique_ptr<ValueSource>>> sources_;  // by field
  std::vector<std::unique_ptr<SegmentFacet>> closed_;               // the sources read from them
  std::uint64_t count_ = 0;
  bool failed_ = false;
  index::RowBits bits_;
};

}  // namespace

Result<FacetsAnswer> take_facets(Execution& execution, const std::vector<Field>& fields,
                                 std::uint32_t top) {
  for (const Field field : fields) {
    if (!is_countable(field)) {
      return fail(ErrorCode::invalid_argument,
                  "facets cannot be taken by " + std::string(field_name(field)));
    }
  }
  for (;;) {
    // On the heap: it holds a chunk of bits. Each failed attempt leaves out one more segment.
    const auto run = std::make_unique<FacetRun>(execution, fields);
    DOCKET_ASSIGN(std::optional<FacetsAnswer> answer, run->attempt(top));
    if (answer) {
      answer->gaps = execution.gaps();
      return std::move(*answer);
    }
  }
}

Result<Field> parse_facet_field(std::string_view name) {
  constexpr std::array<Field, 12> fields = {Field::verb,    Field::actor,       Field::actor_kind,
                                            Field::target,  Field::target_type, Field::ip,
                                            Field::outcome, Field::log,         Field::reason,
                                            Field::session, Field::request,     Field::node};
  std::string known;
  for (const Field field : fields) {
    if (name == field_name(field)) {
      return field;
    }
    known += known.empty() ? "" : ", ";
    known += field_name(field);
  }
  return fail(ErrorCode::invalid_argument,
              "facets can be taken by " + known + "; not by '" + std::string(name) + "'");
}

}  // namespace docket::query
