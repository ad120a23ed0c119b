#include "query/value_source.hpp"

#include <algorithm>
#include <utility>

#include "engine/limits.hpp"

namespace docket::query {
namespace {

constexpr std::size_t batch_ids = limits::dictionary_page_entries;

// Reads a sorted dictionary by its pages.
class DictionarySource final : public ValueSource {
 public:
  DictionarySource(OrderedTexts texts, Tally tally, std::uint32_t scan)
      : ValueSource(scan), texts_(std::move(texts)), tally_(std::move(tally)) {}

  [[nodiscard]] Result<void> keep(const ValueRange& range) override {
    const std::uint32_t size = texts_.size();
    DOCKET_ASSIGN(const std::uint32_t begin,
                  range.from ? first_not_before(*range.from) : Result<std::uint32_t>(0));
    DOCKET_ASSIGN(const std::uint32_t end,
                  range.until ? first_not_before(*range.until) : Result<std::uint32_t>(size));
    tally_.keep(begin, end);
    return {};
  }

  [[nodiscard]] Result<std::optional<FieldValue>> middle() const override {
    Tally::Reader reader(tally_);
    Tally::Entry entry;
    if (!reader.next(entry)) {
      return std::optional<FieldValue>();
    }
    DOCKET_ASSIGN(const FieldValue first, value(entry.number));
    for (std::size_t i = 1; i < tally_.entries(); ++i) {
      static_cast<void>(reader.next(entry));
      if (i < tally_.entries() / 2) {
        continue;
      }
      // An identity under many names stands there as often.
      DOCKET_ASSIGN(FieldValue found, value(entry.number));
      if (found != first) {
        return std::optional<FieldValue>(std::move(found));
      }
    }
    return std::optional<FieldValue>();
  }

  [[nodiscard]] std::size_t memory_bytes() const override { return tally_.memory_bytes(); }

  [[nodiscard]] Result<std::optional<std::string_view>> next_kind() override {
    while (!at_end_ && has_ahead_ && ahead_.number < kind_end_) {
      step();
    }
    if (!has_ahead_) {
      step();
    }
    if (at_end_) {
      return std::optional<std::string_view>();
    }
    const OrderedTexts::Kind& kind = texts_.kind_of(ahead_.number);
    kind_end_ = kind.ids.end;
    return std::optional<std::string_view>(kind.text);
  }

  [[nodiscard]] Result<void> next_ids(IdBatch& into) override {
    into.clear();
    numbers_.clear();
    counts_.clear();
    while (!at_end_ && ahead_.number < kind_end_ && numbers_.size() < batch_ids) {
      numbers_.push_back(ahead_.number);
      counts_.push_back(ahead_.count);
      step();
    }
    return texts_.ids().read_ascending(
        numbers_, [&](std::size_t first, std::span<const std::string_view> ids) {
          for (std::size_t i = 0; i < ids.size(); ++i) {
            into.add(ids[i], counts_[first + i]);
          }
        });
  }

 private:
  [[nodiscard]] Result<FieldValue> value(std::uint32_t number) const {
    FieldValue result;
    result.kind = texts_.kind_of(number).text;
    DOCKET_TRY(texts_.ids().read(number, result.id));
    return result;
  }

  // The first number whose value does not come before this one.
  [[nodiscard]] Result<std::uint32_t> first_not_before(const FieldValue& bound) const {
    std::uint32_t begin = 0;
    for (std::uint32_t end = texts_.size(); begin < end;) {
      const std::uint32_t middle = begin + (end - begin) / 2;
      DOCKET_ASSIGN(const FieldValue found, value(middle));
      if (found < bound) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    return begin;
  }

  void step() {
    has_ahead_ = true;
    at_end_ = !reader_.next(ahead_);
  }

  OrderedTexts texts_;
  Tally tally_;
  Tally::Reader reader_{tally_};
  Tally::Entry ahead_;
  bool has_ahead_ = false;
  bool at_end_ = false;
  std::uint32_t kind_end_ = 0;
  std::vector<std::uint32_t> numbers_;  // of a batch
  std::vector<std::uint32_t> counts_;
};

class MemorySource final : public ValueSource {
 public:
  MemorySource(std::vector<CountedValue> values, std::uint32_t scan)
      : ValueSource(scan), values_(std::move(values)) {}

  [[nodiscard]] Result<void> keep(const ValueRange& range) override {
    const auto first_not_before = [this](const std::optional<FieldValue>& bound, auto otherwise) {
      return !bound ? otherwise
                    : std::lower_bound(
                          values_.begin(), values_.end(), *bound,
                          [](const CountedValue& a, const FieldValue& b) { return a.value < b; });
    };
    values_.erase(first_not_before(range.until, values_.end()), values_.end());
    values_.erase(values_.begin(), first_not_before(range.from, values_.begin()));
    values_.shrink_to_fit();
    return {};
  }

  [[nodiscard]] Result<std::optional<FieldValue>> middle() const override {
    if (values_.size() < 2) {
      return std::optional<FieldValue>();
    }
    return std::optional<FieldValue>(values_[values_.size() / 2].value);
  }

  [[nodiscard]] std::size_t memory_bytes() const override {
    return values_.capacity() * sizeof(CountedValue);
  }

  [[nodiscard]] Result<std::optional<std::string_view>> next_kind() override {
    at_ = kind_end_;
    if (at_ == values_.size()) {
      return std::optional<std::string_view>();
    }
    const std::string& kind = values_[at_].value.kind;
    kind_end_ = static_cast<std::size_t>(
        std::find_if(values_.begin() + static_cast<std::ptrdiff_t>(at_), values_.end(),
                     [&](const CountedValue& other) { return other.value.kind != kind; }) -
        values_.begin());
    return std::optional<std::string_view>(kind);
  }

  [[nodiscard]] Result<void> next_ids(IdBatch& into) override {
    into.clear();
    for (; at_ < kind_end_ && into.entries.size() < batch_ids; ++at_) {
      into.add(values_[at_].value.id, values_[at_].count);
    }
    return {};
  }

 private:
  std::vector<CountedValue> values_;  // ascending, each once
  std::size_t at_ = 0;
  std::size_t kind_end_ = 0;
};

}  // namespace

void IdBatch::add(std::string_view id, std::uint64_t count) {
  entries.push_back(
      Entry{static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(id.size()), count});
  text += id;
}

void IdBatch::clear() {
  text.clear();
  entries.clear();
}

std::unique_ptr<ValueSource> memory_source(std::vector<CountedValue> values, std::uint32_t scan) {
  sort_values(values);
  return std::make_unique<MemorySource>(std::move(values), scan);
}

void sort_values(std::vector<CountedValue>& values) {
  std::sort(values.begin(), values.end(),
            [](const CountedValue& a, const CountedValue& b) { return a.value < b.value; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (kept > 0 && values[kept - 1].value == values[i].value) {
      values[kept - 1].count += values[i].count;
    } else {
      if (kept != i) {
        values[kept] = std::move(values[i]);
      }
      ++kept;
    }
  }
  values.resize(kept);
}

Result<std::unique_ptr<ValueSource>> tally_source(const FieldValues& values, Tally tally,
                                                  std::uint32_t scan) {
  DOCKET_ASSIGN(std::optional<OrderedTexts> texts, values.ordered_texts());
  if (texts) {
    return std::make_unique<DictionarySource>(std::move(*texts), std::move(tally), scan);
  }
  std::vector<CountedValue> counted;
  counted.reserve(tally.entries());
  Tally::Entry entry;
  for (Tally::Reader reader(tally); reader.next(entry);) {
    DOCKET_ASSIGN(FieldValue value, values.value(entry.number));
    counted.push_back(CountedValue{std::move(value), entry.count});
  }
  return memory_source(std::move(counted), scan);
}

}  // namespace docket::query
