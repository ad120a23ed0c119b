#include "query/field_values.hpp"

#include <algorithm>
#include <cstring>

#include "engine/assert.hpp"

namespace docket::query {
namespace {

struct PlainColumn {
  DictionaryField dictionary;
  RowColumn column;
};

[[nodiscard]] std::optional<PlainColumn> plain_column(Field field) {
  switch (field) {
    case Field::verb:
      return PlainColumn{DictionaryField::verb, RowColumn::verb};
    case Field::ip:
      return PlainColumn{DictionaryField::ip, RowColumn::ip};
    case Field::reason:
      return PlainColumn{DictionaryField::reason, RowColumn::reason};
    case Field::session:
      return PlainColumn{DictionaryField::session, RowColumn::session};
    case Field::request:
      return PlainColumn{DictionaryField::request, RowColumn::request};
    case Field::node:
      return PlainColumn{DictionaryField::node, RowColumn::node};
    default:
      return std::nullopt;
  }
}

[[nodiscard]] tl::unexpected<BlockFailure> failure(std::uint32_t block, Error error) {
  return tl::unexpected<BlockFailure>(BlockFailure{block, std::move(error)});
}

[[nodiscard]] Error foreign_id() {
  return Error{ErrorCode::corrupt, "a row refers to an entry that its dictionary does not have", 0,
               0, 0};
}

}  // namespace

std::optional<index::Dimension> dimension_of(Field field) {
  switch (field) {
    case Field::verb:
      return index::Dimension::verb;
    case Field::outcome:
      return index::Dimension::outcome;
    case Field::actor:
      return index::Dimension::actor;
    case Field::actor_kind:
      return index::Dimension::kind;
    case Field::target:
      return index::Dimension::target;
    case Field::target_type:
      return index::Dimension::type;
    case Field::ip:
      return index::Dimension::ip;
    case Field::reason:
      return index::Dimension::reason;
    case Field::session:
      return index::Dimension::session;
    case Field::request:
      return index::Dimension::request;
    case Field::node:
      return index::Dimension::node;
    default:
      return std::nullopt;
  }
}

bool is_countable(Field field) {
  switch (field) {
    case Field::log:
    case Field::outcome:
    case Field::actor:
    case Field::actor_kind:
    case Field::target:
    case Field::target_type:
      return true;
    default:
      return plain_column(field).has_value();
  }
}

std::string label_of(Field field, const FieldValue& value) {
  switch (field) {
    case Field::actor:
    case Field::target:
      return value.id.empty() ? value.kind : value.kind + ':' + value.id;
    case Field::ip: {
      IpAddress ip;
      if (value.id.size() != ip.bytes.size()) {
        return value.id;
      }
      std::memcpy(ip.bytes.data(), value.id.data(), ip.bytes.size());
      return format_ip(ip);
    }
    default:
      return value.id;
  }
}

Result<FieldValues> FieldValues::open(Field field, SegmentScan& scan, std::uint32_t block) {
  DOCKET_ASSERT(is_countable(field));
  FieldValues values(field, scan);
  if (field == Field::log) {
    values.zero_is_absent_ = false;
    values.ordered_ = true;
    return values;
  }
  if (field == Field::outcome) {
    values.zero_is_absent_ = false;
    values.column_ = RowColumn::outcome;
    values.universe_ = 3;
    values.column_universe_ = values.universe_;
    return values;
  }
  DOCKET_ASSIGN(values.dictionaries_, scan.segment().dictionaries(block));
  values.ordered_ = values.dictionaries_->sorted();
  if (const auto plain = plain_column(field)) {
    values.column_ = plain->column;
    DOCKET_ASSIGN(values.strings_, values.dictionaries_->strings(plain->dictionary));
    values.universe_ = std::max<std::uint32_t>(1, values.strings_->size());
    values.column_universe_ = values.universe_;
    return values;
  }
  DOCKET_TRY(values.open_tuples(field == Field::actor || field == Field::actor_kind));
  return values;
}

Result<void> FieldValues::open_tuples(bool actors) {
  column_ = actors ? RowColumn::actor : RowColumn::target;
  related_ = !actors;
  DOCKET_ASSIGN(tuples_, actors ? TupleTable::actors(*dictionaries_, nullptr)
                                : TupleTable::targets(*dictionaries_, nullptr));
  column_universe_ = tuples_->size();
  universe_ = column_universe_;
  strings_ = &tuples_->kinds();
  if (of_kinds()) {
    universe_ = std::max<std::uint32_t>(1, strings_->size());
    kind_of_.resize(tuples_->size());
    for (std::uint32_t tuple = 0; tuple < tuples_->size(); ++tuple) {
      kind_of_[tuple] = tuples_->kind_of(tuple);
      if (kind_of_[tuple] >= universe_) {
        return fail(foreign_id());
      }
    }
  }
  if (related_ && scan_->sealed()) {
    const auto index = scan_->index();
    entries_differ_ = index != nullptr && !index->has_overlapping_targets();
  }
  return {};
}

Evaluated FieldValues::load(const Unit& unit, const index::RowBits& bits) {
  first_bit_ = unit.words.begin * 64;
  several_.clear();
  if (!column_) {
    numbers_.assign((unit.words.end - unit.words.begin) * 64, 0);
    return {};
  }
  numbers_.resize((unit.words.end - unit.words.begin) * 64);
  several_bits_.assign(unit.words.end, 0);
  for (const Unit::Slice& slice : unit.slices) {
    if (!bits.any(slice.words())) {
      continue;
    }
    if (auto done = load_slice(slice, bits); !done) {
      return done;
    }
    if (related_ && scan_->blocks()[slice.block].has_related) {
      if (auto done = load_related(slice, bits); !done) {
        return done;
      }
    }
  }
  return {};
}

Evaluated FieldValues::load_slice(const Unit::Slice& slice, const index::RowBits& bits) {
  const auto column = scan_->segment().column(slice.block, *column_);
  if (!column) {
    return failure(slice.block, column.error());
  }
  if (column->size() < slice.rows) {
    return failure(slice.block, foreign_id());
  }
  std::uint32_t* const numbers = numbers_.data() + (slice.at - first_bit_);
  const index::WordRange words = slice.words();
  const std::uint32_t wanted = bits.count(words);
  std::uint32_t largest = 0;
  // As in a column scan, few rows are looked up one by one.
  if (wanted * 16 < slice.rows) {
    bits.for_each(words, [&](std::uint32_t bit) {
      const auto number = static_cast<std::uint32_t>((*column)[bit - slice.at]);
      numbers[bit - slice.at] = number;
      largest = std::max(largest, number);
    });
  } else {
    column->unpack(0, slice.rows, numbers);
    for (std::uint32_t row = 0; row < slice.rows; ++row) {
      largest = std::max(largest, numbers[row]);
    }
  }
  if (largest >= column_universe_) {
    return failure(slice.block, foreign_id());
  }
  if (of_kinds()) {
    bits.for_each(words, [&](std::uint32_t bit) {
      numbers[bit - slice.at] = kind_of_[numbers[bit - slice.at]];
    });
  }
  return {};
}

Evaluated FieldValues::load_related(const Unit::Slice& slice, const index::RowBits& bits) {
  const auto related = scan_->segment().related(slice.block);
  if (!related) {
    return failure(slice.block, related.error());
  }
  const RelatedColumn& column = **related;
  if (column.starts.empty()) {
    return {};
  }
  if (column.starts.size() <= slice.rows) {
    return failure(slice.block, foreign_id());
  }
  std::optional<Error> error;
  std::vector<std::uint32_t> of_row;
  const auto add = [&](std::uint32_t number) {
    auto same = canonical(number);
    if (!same) {
      error = std::move(same).error();
      return;
    }
    of_row.push_back(*same);
  };
  bits.for_each(slice.words(), [&](std::uint32_t bit) {
    const std::uint32_t row = bit - slice.at;
    if (error || column.starts[row] == column.starts[row + 1]) {
      return;
    }
    of_row.clear();
    add(numbers_[bit - first_bit_]);
    for (std::uint32_t i = column.starts[row]; i < column.starts[row + 1]; ++i) {
      const std::uint32_t target = column.targets[i];
      if (target >= column_universe_) {
        error = foreign_id();
        return;
      }
      add(of_kinds() ? kind_of_[target] : target);
    }
    std::sort(of_row.begin(), of_row.end());
    of_row.erase(std::unique(of_row.begin(), of_row.end()), of_row.end());
    for (const std::uint32_t number : of_row) {
      several_.emplace_back(bit, number);
    }
    several_bits_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  });
  if (error) {
    return failure(slice.block, std::move(*error));
  }
  return {};
}

Result<std::uint32_t> FieldValues::canonical(std::uint32_t number) {
  if (entries_differ_ || of_kinds()) {
    return number;
  }
  const auto known = canonical_.find(number);
  if (known != canonical_.end()) {
    return known->second;
  }
  DOCKET_ASSIGN(const FieldValue found, value(number));
  // The kind's length in front keeps (a, bc) and (ab, c) apart.
  const std::string text = std::to_string(found.kind.size()) + ':' + found.kind + found.id;
  const std::uint32_t first = by_text_.try_emplace(text, number).first->second;
  canonical_.emplace(number, first);
  return first;
}

Result<FieldValue> FieldValues::value(std::uint32_t number) const {
  DOCKET_ASSERT(number < universe_);
  FieldValue result;
  if (field_ == Field::log) {
    result.id = scan_->info().log;
    return result;
  }
  if (field_ == Field::outcome) {
    result.id = to_string(static_cast<Outcome>(number));
    return result;
  }
  if (tuples_ && !of_kinds()) {
    const std::uint32_t kind = tuples_->kind_of(number);
    if (kind >= strings_->size()) {
      return fail(foreign_id());
    }
    DOCKET_TRY(strings_->read(kind, result.kind));
    DOCKET_TRY(tuples_->ids().read(number, result.id));
    return result;
  }
  DOCKET_TRY(strings_->read(number, result.id));
  return result;
}

Result<std::optional<OrderedTexts>> FieldValues::ordered_texts() const {
  if (!ordered_ || strings_ == nullptr) {
    return std::optional<OrderedTexts>();
  }
  std::vector<OrderedTexts::Kind> kinds;
  if (!tuples_ || of_kinds()) {
    if (strings_->size() != 0) {
      kinds.push_back(OrderedTexts::Kind{{}, IdRange{0, strings_->size()}});
    }
    return std::optional<OrderedTexts>(OrderedTexts(dictionaries_, *strings_, std::move(kinds)));
  }
  for (std::uint32_t begin = 0; begin < universe_;) {
    OrderedTexts::Kind kind;
    const std::uint32_t number = tuples_->kind_of(begin);
    if (number >= strings_->size() || kinds.size() == strings_->size()) {
      return fail(foreign_id());
    }
    DOCKET_TRY(strings_->read(number, kind.text));
    kind.ids = IdRange{begin, begin + 1};
    for (std::uint32_t beyond = universe_; kind.ids.end < beyond;) {
      const std::uint32_t middle = kind.ids.end + (beyond - kind.ids.end) / 2;
      if (tuples_->kind_of(middle) <= number) {
        kind.ids.end = middle + 1;
      } else {
        beyond = middle;
      }
    }
    begin = kind.ids.end;
    kinds.push_back(std::move(kind));
  }
  return std::optional<OrderedTexts>(OrderedTexts(dictionaries_, tuples_->ids(), std::move(kinds)));
}

const OrderedTexts::Kind& OrderedTexts::kind_of(std::uint32_t number) const {
  return *std::upper_bound(kinds_.begin(), kinds_.end(), number,
                           [](std::uint32_t n, const Kind& kind) { return n < kind.ids.end; });
}

}  // namespace docket::query
