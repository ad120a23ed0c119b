#include "query/value_merge.hpp"

#include <algorithm>
#include <queue>

namespace docket::query {
namespace {

// Values of one group of a sorted dictionary, read one after the other.
class DictionarySource final : public ValueSource {
 public:
  DictionarySource(const FieldValues& values, Tally tally, std::uint32_t scan)
      : ValueSource(scan), values_(values), tally_(std::move(tally)) {}

  [[nodiscard]] Result<bool> next(CountedValue& into) override {
    if (!ahead_) {
      DOCKET_TRY(read_ahead());
    }
    if (!ahead_) {
      return false;
    }
    into = std::move(*ahead_);
    ahead_.reset();
    // The tuples of one identity stand side by side.
    while (at_ < tally_.size()) {
      DOCKET_TRY(read_ahead());
      if (ahead_->value != into.value) {
        break;
      }
      into.count += ahead_->count;
      ahead_.reset();
    }
    return true;
  }

 private:
  [[nodiscard]] Result<void> read_ahead() {
    if (at_ < tally_.size()) {
      CountedValue read;
      DOCKET_ASSIGN(read.value, values_.value(tally_[at_].first));
      read.count = tally_[at_].second;
      ahead_ = std::move(read);
      ++at_;
    }
    return {};
  }

  const FieldValues& values_;
  Tally tally_;
  std::size_t at_ = 0;
  std::optional<CountedValue> ahead_;
};

class MemorySource final : public ValueSource {
 public:
  MemorySource(std::vector<CountedValue> values, std::uint32_t scan)
      : ValueSource(scan), values_(std::move(values)) {}

  [[nodiscard]] Result<bool> next(CountedValue& into) override {
    if (at_ == values_.size()) {
      return false;
    }
    into = std::move(values_[at_++]);
    return true;
  }

 private:
  std::vector<CountedValue> values_;
  std::size_t at_ = 0;
};

}  // namespace

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

Result<void> add_sources(const FieldValues& values, Tally tally, std::uint32_t scan,
                         std::vector<std::unique_ptr<ValueSource>>& into) {
  if (values.is_ordered()) {
    for (auto begin = tally.begin(); begin != tally.end();) {
      const std::uint32_t group = values.group(begin->first);
      const auto end = std::find_if(begin, tally.end(), [&](const auto& entry) {
        return values.group(entry.first) != group;
      });
      into.push_back(std::make_unique<DictionarySource>(values, Tally(begin, end), scan));
      begin = end;
    }
    return {};
  }
  std::vector<CountedValue> counted;
  counted.reserve(tally.size());
  for (const auto& [number, count] : tally) {
    DOCKET_ASSIGN(FieldValue value, values.value(number));
    counted.push_back(CountedValue{std::move(value), count});
  }
  into.push_back(memory_source(std::move(counted), scan));
  return {};
}

tl::expected<void, MergeFailure> merge_values(
    std::vector<std::unique_ptr<ValueSource>> sources,
    const std::function<void(const CountedValue& value)>& emit) {
  struct Head {
    CountedValue value;
    std::size_t source = 0;
  };
  const auto later = [](const Head& a, const Head& b) { return a.value.value > b.value.value; };
  // A heap by hand: std::priority_queue does not let its top be moved out.
  std::vector<Head> heads;
  const auto pull = [&](std::size_t source) -> tl::expected<void, MergeFailure> {
    Head head;
    head.source = source;
    const Result<bool> more = sources[source]->next(head.value);
    if (!more) {
      return tl::unexpected<MergeFailure>(MergeFailure{sources[source]->scan(), more.error()});
    }
    if (*more) {
      heads.push_back(std::move(head));
      std::push_heap(heads.begin(), heads.end(), later);
    }
    return {};
  };
  for (std::size_t source = 0; source < sources.size(); ++source) {
    if (auto done = pull(source); !done) {
      return done;
    }
  }
  std::optional<CountedValue> current;
  while (!heads.empty()) {
    std::pop_heap(heads.begin(), heads.end(), later);
    Head head = std::move(heads.back());
    heads.pop_back();
    if (auto done = pull(head.source); !done) {
      return done;
    }
    if (current && current->value == head.value.value) {
      current->count += head.value.count;
      continue;
    }
    if (current) {
      emit(*current);
    }
    current = std::move(head.value);
  }
  if (current) {
    emit(*current);
  }
  return {};
}

}  // namespace docket::query
