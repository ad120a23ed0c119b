#include "query/facets.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "query/counting.hpp"
#include "query/other_filters.hpp"
#include "query/parser.hpp"
#include "query/segment_facet.hpp"
#include "query/top_values.hpp"
#include "query/value_merge.hpp"

namespace docket::query {
namespace {

// A field's values: those of the part of the alphabet at hand, of which the segments' counts are
// here, and the best of all parts so far.
struct FieldCounts {
  FieldCounts(Field counted, std::uint32_t top) : field(counted), best(counted, top) {}

  [[nodiscard]] std::size_t memory_bytes() const {
    std::size_t bytes = 0;
    for (const auto& source : sources) {
      bytes += source->memory_bytes();
    }
    return bytes;
  }

  Field field;
  TopValues best;
  ValueRange part;
  std::vector<std::unique_ptr<ValueSource>> sources;
};

// One attempt at an answer. Blocks that cannot be read are left out on the way. Where something
// turns out unreadable only after rows of it were counted, it is left out and the attempt has
// failed: the next one does without it.
class FacetRun {
 public:
  FacetRun(Execution& execution, const std::vector<Field>& fields, std::uint32_t top,
           std::size_t bytes_max)
      : execution_(execution), bytes_max_(bytes_max) {
    for (const Field field : fields) {
      counted_.push_back(std::make_unique<FieldCounts>(field, top));
    }
  }

  // Nothing: try again.
  [[nodiscard]] Result<std::optional<FacetsAnswer>> attempt() {
    FacetsAnswer answer;
    for (const auto& counts : counted_) {
      asked_.push_back(counts.get());
    }
    DOCKET_TRY(count_part());
    answer.count = count_;
    later_pass_ = true;
    while (!failed_ && !asked_.empty()) {
      std::vector<FieldCounts*> rest;
      for (FieldCounts* const counts : asked_) {
        merge(*counts);
        if (counts->part.until) {
          counts->part.from = std::exchange(counts->part.until, std::nullopt);
          rest.push_back(counts);
        }
      }
      asked_ = std::move(rest);
      if (!asked_.empty() && !failed_) {
        DOCKET_TRY(count_part());
      }
    }
    if (failed_) {
      return std::optional<FacetsAnswer>();
    }
    for (const auto& counts : counted_) {
      answer.facets.push_back(counts->best.take());
    }
    return std::optional<FacetsAnswer>(std::move(answer));
  }

 private:
  using Facets = std::vector<std::unique_ptr<SegmentFacet>>;

  // Counts the values of asked_ that are in their parts of the alphabet.
  [[nodiscard]] Result<void> count_part() {
    Scans& scans = execution_.scans();
    for (std::uint32_t number = 0; number < scans.size() && !failed_; ++number) {
      SegmentScan& scan = *scans[number];
      DOCKET_TRY(execution_.check_cancelled());
      if (scan.outside()) {
        continue;
      }
      scan.prepare();
      DOCKET_TRY(count_scan(scan, number));
    }
    return {};
  }

  [[nodiscard]] Result<void> count_scan(SegmentScan& scan, std::uint32_t number) {
    Facets facets;
    for (const FieldCounts* const counts : asked_) {
      facets.push_back(std::make_unique<SegmentFacet>(counts->field, scan, number));
    }
    if (matches_whole_segment(scan)) {
      DOCKET_TRY(count_whole(scan, facets));
    } else {
      DOCKET_TRY(execution_.for_each_unit(scan, [&](const Unit& unit) {
        if (!failed_) {
          count_unit(scan, unit, facets);
          if (later_pass_) {
            fail_if_excluded(scan, unit);
          }
        }
      }));
    }
    for (std::size_t i = 0; i < facets.size() && !failed_; ++i) {
      if (auto done = take_counts(*facets[i], *asked_[i]); !done) {
        fail_scan(scan, done.error());
      }
      facets[i].reset();
    }
    keep_within_bounds();
    return {};
  }

  [[nodiscard]] static Result<void> take_counts(SegmentFacet& facet, FieldCounts& into) {
    DOCKET_ASSIGN(auto source, facet.close());
    if (into.part.from || into.part.until) {
      DOCKET_TRY(source->keep(into.part));
    }
    into.sources.push_back(std::move(source));
    return {};
  }

  // Where counts take too much, the field with the most goes on with the first half of its part.
  void keep_within_bounds() {
    for (;;) {
      std::size_t bytes = 0;
      FieldCounts* largest = nullptr;
      std::size_t largest_bytes = 0;
      for (FieldCounts* const counts : asked_) {
        const std::size_t of_field = counts->memory_bytes();
        bytes += of_field;
        if (of_field > largest_bytes) {
          largest = counts;
          largest_bytes = of_field;
        }
      }
      if (failed_ || bytes <= bytes_max_ || largest == nullptr || !halve(*largest)) {
        return;
      }
    }
  }

  // False when it cannot be made smaller.
  [[nodiscard]] bool halve(FieldCounts& counts) {
    const auto& largest = *std::max_element(
        counts.sources.begin(), counts.sources.end(),
        [](const auto& a, const auto& b) { return a->memory_bytes() < b->memory_bytes(); });
    auto middle = largest->middle();
    if (!middle) {
      fail_scan(*execution_.scans()[largest->scan()], middle.error());
      return false;
    }
    if (!*middle) {
      return false;
    }
    counts.part.until = std::move(*middle);
    for (const auto& source : counts.sources) {
      if (auto done = source->keep(counts.part); !done) {
        fail_scan(*execution_.scans()[source->scan()], done.error());
        return false;
      }
    }
    return true;
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

  // Some rows were counted without reading them, or in an earlier pass. A block of theirs that
  // turned out unreadable for others would have to be taken out of their counts: the next attempt
  // does without it.
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

  void merge(FieldCounts& counts) {
    if (const auto done = merge_values(
            counts.sources, [&](std::string_view kind, std::string_view id,
                                std::uint64_t count) { counts.best.add(kind, id, count); });
        !done) {
      fail_scan(*execution_.scans()[done.error().scan], done.error().error);
    }
    counts.sources.clear();
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
  const std::size_t bytes_max_;
  std::vector<std::unique_ptr<FieldCounts>> counted_;
  std::vector<FieldCounts*> asked_;  // those with a part of the alphabet still to be counted
  std::uint64_t count_ = 0;          // of the passes so far
  bool later_pass_ = false;          // what was counted before is part of the answer
  bool failed_ = false;
  index::RowBits bits_;
};

}  // namespace

Result<FacetsAnswer> take_facets(Execution& execution, const std::vector<Field>& fields,
                                 std::uint32_t top, std::size_t bytes_max) {
  for (const Field field : fields) {
    if (!is_countable(field)) {
      return fail(ErrorCode::invalid_argument,
                  "facets cannot be taken by " + std::string(field_name(field)));
    }
  }
  for (;;) {
    // On the heap: it holds a chunk of bits. Each failed attempt leaves out a block more.
    const auto run = std::make_unique<FacetRun>(execution, fields, top, bytes_max);
    DOCKET_ASSIGN(std::optional<FacetsAnswer> answer, run->attempt());
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
