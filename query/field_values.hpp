// The values that rows have in a field, as small numbers: what facets and histograms count by.
#pragma once

#include <algorithm>
#include <bit>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/result.hpp"
#include "index/row_bits.hpp"
#include "query/evaluator.hpp"
#include "query/segment_scan.hpp"
#include "query/tuple_table.hpp"

namespace docket::query {

// A value as it was sent.
struct FieldValue {
  std::string kind;  // of an actor or target, else empty
  std::string id;    // of an actor or target, else the value
  friend auto operator<=>(const FieldValue&, const FieldValue&) = default;
};

// How it is shown: kind:id, a type that stands alone, an address, the value.
[[nodiscard]] std::string label_of(Field field, const FieldValue& value);

// The dimension of an index whose values are the numbers of FieldValues; none for log.
[[nodiscard]] std::optional<index::Dimension> dimension_of(Field field);

// Whether facets and histograms can be taken by the field.
[[nodiscard]] bool is_countable(Field field);

// The values of dictionaries in order: (kind, id) ascends with the numbers. Keeps the dictionaries
// alive. Thread-safe.
class OrderedTexts {
 public:
  struct Kind {
    std::string text;
    IdRange ids;
  };

  // `ids` belongs to the dictionaries. The ranges of `kinds` follow one another, none is empty, and
  // together they are all ids.
  OrderedTexts(std::shared_ptr<const Dictionaries> dictionaries, const StringTable& ids,
               std::vector<Kind> kinds)
      : dictionaries_(std::move(dictionaries)), ids_(&ids), kinds_(std::move(kinds)) {}

  [[nodiscard]] std::uint32_t size() const { return kinds_.empty() ? 0 : kinds_.back().ids.end; }
  // Precondition: number < size().
  [[nodiscard]] const Kind& kind_of(std::uint32_t number) const;
  [[nodiscard]] const StringTable& ids() const { return *ids_; }

 private:
  std::shared_ptr<const Dictionaries> dictionaries_;
  const StringTable* ids_;
  std::vector<Kind> kinds_;
};

// One field's values under one set of dictionaries: of a sealed segment, or of a block of an active
// one. Numbers are below universe(); they are the ids of the dictionary or table. Not thread-safe.
class FieldValues {
 public:
  // `block` is any of the blocks that share the dictionaries. Error: they cannot be read.
  [[nodiscard]] static Result<FieldValues> open(Field field, SegmentScan& scan,
                                                std::uint32_t block);

  [[nodiscard]] Field field() const { return field_; }
  [[nodiscard]] std::uint32_t universe() const { return universe_; }
  // Whether the number stands for "absent", which is no value.
  [[nodiscard]] bool is_absent(std::uint32_t number) const {
    return number == 0 && zero_is_absent_;
  }

  // Reads what for_each() needs of the unit's rows in `bits`.
  [[nodiscard]] Evaluated load(const Unit& unit, const index::RowBits& bits);
  // Calls visit(bit, number) for each row of `bits` in `words` and each distinct value it has.
  // Identities that differ in name only are one value.
  // Precondition: load() of the unit, with a superset of the bits.
  template <typename Visit>
  void for_each(index::WordRange words, const index::RowBits& bits, Visit&& visit) const {
    for (std::uint32_t i = words.begin; i < words.end; ++i) {
      // Rows of several values are gone through below.
      std::uint64_t word = several_.empty() ? bits.words[i] : bits.words[i] & ~several_bits_[i];
      const std::uint32_t* const numbers = numbers_.data() + (i * 64 - first_bit_);
      if (word == ~std::uint64_t{0}) {
        for (std::uint32_t bit = 0; bit < 64; ++bit) {
          visit(i * 64 + bit, numbers[bit]);
        }
        continue;
      }
      for (; word != 0; word &= word - 1) {
        const auto bit = static_cast<std::uint32_t>(std::countr_zero(word));
        visit(i * 64 + bit, numbers[bit]);
      }
    }
    for (auto entry =
             std::lower_bound(several_.begin(), several_.end(),
                              std::pair<std::uint32_t, std::uint32_t>(words.begin * 64, 0));
         entry != several_.end() && entry->first < words.end * 64; ++entry) {
      if ((bits.words[entry->first / 64] >> (entry->first % 64) & 1) != 0) {
        visit(entry->first, entry->second);
      }
    }
  }

  // The value behind a number.
  [[nodiscard]] Result<FieldValue> value(std::uint32_t number) const;
  // Its values in order, where they ascend with their numbers; they may outlive `*this`. Error: the
  // dictionaries cannot be read.
  [[nodiscard]] Result<std::optional<OrderedTexts>> ordered_texts() const;

 private:
  FieldValues(Field field, SegmentScan& scan) : field_(field), scan_(&scan) {}

  [[nodiscard]] Result<void> open_tuples(bool actors);
  [[nodiscard]] Evaluated load_slice(const Unit::Slice& slice, const index::RowBits& bits);
  [[nodiscard]] Evaluated load_related(const Unit::Slice& slice, const index::RowBits& bits);
  // The number that stands for all that are the same value as `number`.
  [[nodiscard]] Result<std::uint32_t> canonical(std::uint32_t number);
  [[nodiscard]] bool of_kinds() const {
    return field_ == Field::actor_kind || field_ == Field::target_type;
  }

  Field field_;
  SegmentScan* scan_;
  std::shared_ptr<const Dictionaries> dictionaries_;
  std::uint32_t universe_ = 1;
  bool zero_is_absent_ = true;
  bool ordered_ = false;
  bool related_ = false;         // look at related targets, too
  bool entries_differ_ = false;  // distinct entries are known to be distinct values in each row
  std::optional<RowColumn> column_;
  std::uint32_t column_universe_ = 1;
  const StringTable* strings_ = nullptr;  // of a plain field or of the kinds
  std::optional<TupleTable> tuples_;
  std::vector<std::uint32_t> kind_of_;  // by tuple, where numbers are kinds

  // Of the loaded unit.
  std::uint32_t first_bit_ = 0;
  std::vector<std::uint32_t> numbers_;                            // by bit - first_bit_
  std::vector<std::pair<std::uint32_t, std::uint32_t>> several_;  // (bit, number), ascending
  std::vector<std::uint64_t> several_bits_;                       // rows that are in several_

  std::unordered_map<std::uint32_t, std::uint32_t> canonical_;
  std::unordered_map<std::string, std::uint32_t> by_text_;
};

}  // namespace docket::query
