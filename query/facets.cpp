#include "query/facets.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "query/counting.hpp"
#include "query/other_filters.hpp"
#include "query/parser.hpp"
#include "query/segment_facet.hpp"
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

// One attempt at an answer. Blocks that cannot be read are left out on the way. Where something
// turns out unreadable only after rows of it were counted, it is left out and the attempt has
// failed: the next one does without it.
class FacetRun {
 public:
  FacetRun(Execution& execution, const std::vector<Field>& fields)
      : execution_(execution), fields_(fields), sources_(fields.size()) {}

  // Nothing: try again.
  [[nodiscard]] Result<std::optional<FacetsAnswer>> attempt(std::uint32_t top) {
    Scans& scans = execution_.scans();
    for (std::uint32_t number = 0; number < scans.size(); ++number) {
      SegmentScan& scan = *scans[number];
      DOCKET_TRY(execution_.check_cancelled());
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
  using Facets = std::vector<std::unique_ptr<SegmentFacet>>;

  [[nodiscard]] Result<void> count_scan(SegmentScan& scan, std::uint32_t number) {
    Facets facets;
    for (const Field field : fields_) {
      facets.push_back(std::make_unique<SegmentFacet>(field, scan, number));
    }
    if (matches_whole_segment(scan)) {
      DOCKET_TRY(count_whole(scan, facets));
    } else {
      DOCKET_TRY(execution_.for_each_unit(scan, [&](const Unit& unit) {
        if (!failed_) {
          count_unit(scan, unit, facets);
        }
      }));
    }
    for (std::size_t i = 0; i < facets.size() && !failed_; ++i) {
      if (auto done = facets[i]->close(sources_[i]); !done) {
        fail_scan(scan, done.error());
      }
      closed_.push_back(std::move(facets[i]));
    }
    return {};
  }

  // By the index's totals, as far as that goes, and the rest by rows.
  [[nodiscard]] Result<void> count_whole(SegmentScan& scan, const Facets& facets) {
    if (!open_all(scan, 0, facets)) {
      return {};
    }
    std::vector<SegmentFacet*> by_rows;
    for (const auto& facet : facets) {
      if (!facet->count_by_totals()) {
        by_rows.push_back(facet.get());
      }
    }
    count_ += scan.info().rows;
    if (by_rows.empty()) {
      return {};
    }
    return execution_.for_each_unit(scan, [&](const Unit& unit) {
      if (!failed_) {
        static_cast<void>(count_rows(scan, unit, by_rows));
        fail_if_excluded(scan, unit);
      }
    });
  }

  void count_unit(SegmentScan& scan, const Unit& unit, const Facets& facets) {
    const Unit rest = without_whole_blocks(scan, unit);
    std::vector<SegmentFacet*> by_rows;      // of the whole unit
    std::vector<SegmentFacet*> by_the_rest;  // the whole blocks are counted without their rows
    if (rest.slices.size() < unit.slices.size()) {
      if (!open_all(scan, unit.slices.front().block, facets)) {
        return;
      }
      for (const auto& facet : facets) {
        (facet->count_by_blocks(unit, rest) ? by_the_rest : by_rows).push_back(facet.get());
      }
      for (const Unit::Slice& slice : unit.slices) {
        count_ += slice.rows;
      }
      for (const Unit::Slice& slice : rest.slices) {
        count_ -= slice.rows;
      }
      count_ += count_rows(scan, rest, by_the_rest);
      static_cast<void>(count_rows(scan, unit, by_rows));
      fail_if_excluded(scan, unit);
      return;
    }
    for (const auto& facet : facets) {
      by_rows.push_back(facet.get());
    }
    if (scan.evaluate(unit, bits_) && open_all(scan, unit.slices.front().block, facets)) {
      load(scan, unit, by_rows);
      for (SegmentFacet* const facet : by_rows) {
        facet->count(unit, bits_);
      }
      if (scan.sealed() || keep_block(scan, unit, facets)) {
        count_ += bits_.count(unit.words);
      }
    }
  }

  // Counts the unit's rows by looking at them. Returns how many match.
  std::uint64_t count_rows(SegmentScan& scan, const Unit& unit,
                           const std::vector<SegmentFacet*>& facets) {
    if (unit.slices.empty() || !scan.evaluate(unit, bits_)) {
      return 0;
    }
    load(scan, unit, facets);
    for (SegmentFacet* const facet : facets) {
      facet->count(unit, bits_);
    }
    return bits_.count(unit.words);
  }

  // Some rows were counted without reading them. A block of theirs that turned out unreadable for
  // others would have to be taken out of their counts: the next attempt does without it.
  void fail_if_excluded(SegmentScan& scan, const Unit& unit) {
    failed_ = failed_ || std::any_of(unit.slices.begin(), unit.slices.end(),
                                     [&](const auto& s) { return scan.excluded(s.block); });
  }

  [[nodiscard]] bool open_all(SegmentScan& scan, std::uint32_t block, const Facets& facets) {
    for (const auto& facet : facets) {
      if (auto done = facet->open(block); !done) {
        leave_out(scan, block, done.error());
        return false;
      }
    }
    return true;
  }

  // Loads what the facets need of the rows in bits_. Blocks that cannot be read are left out.
  void load(SegmentScan& scan, const Unit& unit, const std::vector<SegmentFacet*>& facets) {
    for (std::size_t i = 0; i < facets.size();) {
      const Evaluated done = facets[i]->load(unit, bits_);
      if (done) {
        ++i;
        continue;
      }
      scan.exclude(done.error().block, done.error().error);
      for (const Unit::Slice& slice : unit.slices) {
        if (slice.block == done.error().block) {
          bits_.clear(slice.words());
        }
      }
      i = 0;
    }
  }

  // Takes over the values of a block of an active segment, or none of them.
  [[nodiscard]] bool keep_block(SegmentScan& scan, const Unit& unit, const Facets& facets) {
    std::vector<std::vector<CountedValue>> found;
    for (const auto& facet : facets) {
      auto values = facet->values_of_block();
      if (!values) {
        leave_out(scan, unit.slices.front().block, values.error());
        return false;
      }
      found.push_back(std::move(*values));
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      facets[i]->keep(std::move(found[i]));
    }
    return true;
  }

  [[nodiscard]] Facet merge(Field field, std::vector<std::unique_ptr<ValueSource>> sources,
                            std::uint32_t top) {
    TopValues best(top);
    const auto done = merge_values(std::move(sources),
                                   [&](const CountedValue& value) { best.add(field, value); });
    if (!done) {
      fail_scan(*execution_.scans()[done.error().scan], done.error().error);
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
    // On the heap: it holds a chunk of bits. Each failed attempt leaves out a block more.
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

Result<FacetsAnswer> facets_under_others(SearcherParts& parts, const Query& query,
                                         const std::vector<Field>& fields, std::uint32_t top) {
  FacetsAnswer answer;
  answer.facets.resize(fields.size());
  const auto take = [&](const Query& asked,
                        const std::vector<Field>& some) -> Result<std::uint64_t> {
    Execution execution(parts, asked);
    DOCKET_ASSIGN(FacetsAnswer part, take_facets(execution, some, top));
    for (Facet& facet : part.facets) {
      const auto place = std::ranges::find(fields, facet.field) - fields.begin();
      answer.facets[static_cast<std::size_t>(place)] = std::move(facet);
    }
    answer.gaps.insert(answer.gaps.end(), part.gaps.begin(), part.gaps.end());
    return part.count;
  };
  std::vector<Field> without_own;
  for (const Field field : fields) {
    Query others = query;
    others.where = without_conditions_on(query.where, field);
    if (others.where == query.where) {
      without_own.push_back(field);
      continue;
    }
    others.names_log = query.names_log && field != Field::log;
    DOCKET_TRY(take(others, {field}));
  }
  // With no field left it is the count alone.
  DOCKET_ASSIGN(answer.count, take(query, without_own));
  merge_gaps(answer.gaps);
  return answer;
}

}  // namespace docket::query
