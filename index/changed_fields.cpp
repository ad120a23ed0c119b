#include "index/changed_fields.hpp"

#include <algorithm>
#include <numeric>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/interner.hpp"
#include "index/payload_diff.hpp"

namespace docket::index {
namespace {

// One name: length u16, then the bytes.
constexpr std::size_t length_bytes = 2;
constexpr std::size_t name_bytes_max = UINT16_MAX;

[[nodiscard]] tl::unexpected<Error> corrupt_names() {
  return fail(ErrorCode::corrupt, "names of changed fields: cut, or not in order");
}

}  // namespace

void ChangedNames::encode(const std::vector<std::string>& names, std::vector<std::byte>& out) {
  for (const std::string& name : names) {
    DOCKET_ASSERT(name.size() <= name_bytes_max);
    append_le(out, static_cast<std::uint16_t>(name.size()));
    append_bytes(out, as_byte_span(name));
  }
}

Result<ChangedNames> ChangedNames::parse(std::vector<std::byte> bytes, std::uint32_t count) {
  // Bounds the memory by the section's size.
  if (bytes.size() / length_bytes < count) {
    return corrupt_names();
  }
  ChangedNames names;
  names.bytes_ = std::move(bytes);
  names.starts_.reserve(count);
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (names.bytes_.size() - at < length_bytes) {
      return corrupt_names();
    }
    names.starts_.push_back(static_cast<std::uint32_t>(at));
    const auto length = load_le<std::uint16_t>(names.bytes_.data() + at);
    at += length_bytes;
    if (names.bytes_.size() - at < length) {
      return corrupt_names();
    }
    at += length;
    if (i > 0 && names.name(i - 1) >= names.name(i)) {
      return corrupt_names();
    }
  }
  if (at != names.bytes_.size()) {
    return corrupt_names();
  }
  return names;
}

std::string_view ChangedNames::name(std::uint32_t i) const {
  const std::byte* const at = bytes_.data() + starts_[i];
  return as_text(std::span(at + length_bytes, load_le<std::uint16_t>(at)));
}

IdRange ChangedNames::values(std::string_view text, bool prefix) const {
  const auto first = [&](const auto& before) {
    std::uint32_t begin = 0;
    std::uint32_t end = size();
    while (begin < end) {
      const std::uint32_t middle = begin + (end - begin) / 2;
      if (before(name(middle))) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    return begin;
  };
  const std::uint32_t begin = first([&](std::string_view name) { return name < text; });
  const std::uint32_t end = first([&](std::string_view name) {
    return name < text || (prefix ? name.starts_with(text) : name == text);
  });
  return IdRange{begin + 1, end + 1};
}

// Numbers names in the order in which they are met.
class ChangedFieldsCollector::State {
 public:
  explicit State(std::size_t rows)
      : entries_max_(rows * changed_entries_per_row + changed_entries_more) {}

  void add_row(std::uint32_t row, std::string_view payload) {
    if (too_many_) {
      return;
    }
    const std::size_t before = fields_.entries.values.size();
    row_ = row;
    if (!payload.empty() && tree_.read(payload)) {
      visit_diff(tree_, visit_);
    }
    if (fields_.entries.values.size() == before) {
      add_entry(0);
    }
  }

  [[nodiscard]] ChangedFields finish() {
    if (too_many_) {
      return {};
    }
    // From the order of first appearance to that of the names.
    std::vector<std::uint32_t> order(names_.size() - 1);
    std::iota(order.begin(), order.end(), 1U);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return names_[a].first < names_[b].first; });
    std::vector<std::uint32_t> value_of(names_.size(), 0);
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      value_of[order[i]] = i + 1;
      fields_.names.emplace_back(names_[order[i]].first);
    }
    for (std::uint32_t& value : fields_.entries.values) {
      value = value_of[value];
    }
    fields_.entries.universe = static_cast<std::uint32_t>(order.size()) + 1;
    return std::move(fields_);
  }

 private:
  void add_name(std::string_view name) {
    // Not the empty tuple, also for the empty name.
    const std::uint32_t number = names_.intern(Interner::Key{1, 0, name, {}});
    if (number == last_row_.size()) {
      if (number > changed_names_max || name.size() > name_bytes_max ||
          names_.string_bytes() > changed_names_bytes_max) {
        too_many_ = true;
        return;
      }
      last_row_.push_back(UINT32_MAX);
    }
    if (last_row_[number] != row_) {
      last_row_[number] = row_;
      add_entry(number);
    }
  }

  void add_entry(std::uint32_t number) {
    too_many_ = too_many_ || fields_.entries.values.size() == entries_max_;
    if (!too_many_) {
      fields_.entries.values.push_back(number);
      fields_.entries.rows.push_back(row_);
    }
  }

  const std::size_t entries_max_;
  ChangedFields fields_;
  Interner names_;                             // numbered from 1 on
  std::vector<std::uint32_t> last_row_ = {0};  // by number; none has number 0
  bool too_many_ = false;
  std::uint32_t row_ = 0;
  PayloadTree tree_;
  const VisitChange visit_ = [this](std::string_view field, bool is_path, const PayloadNode*,
                                    const PayloadNode*) {
    static_cast<void>(any_changed_name(field, is_path, [this](std::string_view name) {
      add_name(name);
      return too_many_;
    }));
  };
};

ChangedFieldsCollector::ChangedFieldsCollector(std::size_t rows)
    : state_(std::make_unique<State>(rows)) {}
ChangedFieldsCollector::~ChangedFieldsCollector() = default;

void ChangedFieldsCollector::add_row(std::uint32_t row, std::string_view payload) {
  state_->add_row(row, payload);
}

ChangedFields ChangedFieldsCollector::finish() {
  return state_->finish();
}

}  // namespace docket::index
