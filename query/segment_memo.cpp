#include "query/segment_memo.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "engine/limits.hpp"

namespace docket::query {

namespace {

// Verbs, kinds, roles: read again and again, a few of them.
constexpr std::uint32_t slots = 16;
// A dictionary's page that holds fewer wanted strings is not worth going through.
constexpr std::size_t worth_a_page = 6;
constexpr std::size_t payload_bytes_ahead = std::size_t{4} << 20;

[[nodiscard]] constexpr std::uint64_t payload_key(std::uint32_t block, std::uint32_t row) {
  return std::uint64_t{block} << 32 | row;
}

class MemoStrings final : public StringTable {
 public:
  explicit MemoStrings(const StringTable& strings) : strings_(strings) {}

  [[nodiscard]] std::uint32_t size() const override { return strings_.size(); }

  [[nodiscard]] Result<void> read(std::uint32_t id, std::string& out) const override {
    Slot& slot = slots_[id % slots];
    if (slot.filled && slot.id == id) {
      out = slot.text;
      return {};
    }
    if (const auto ahead = ahead_.find(id)) {
      out.assign(*ahead);
      return {};
    }
    DOCKET_TRY(strings_.read(id, out));
    slot = Slot{true, id, out};
    return {};
  }

  [[nodiscard]] Result<void> scan(
      std::uint32_t begin, std::uint32_t end,
      const std::function<bool(std::uint32_t id, std::string_view text)>& visit) const override {
    return strings_.scan(begin, end, visit);
  }

  // `ids` ascend and are distinct.
  void read_ahead(std::span<const std::uint32_t> ids) const {
    ahead_.start(ids.size());
    std::string text;
    for (std::size_t begin = 0; begin < ids.size();) {
      const std::uint32_t page = ids[begin] / limits::dictionary_page_entries;
      std::size_t end = begin + 1;
      while (end < ids.size() && ids[end] / limits::dictionary_page_entries == page) {
        ++end;
      }
      const std::span<const std::uint32_t> wanted = ids.subspan(begin, end - begin);
      begin = end;
      if (wanted.size() >= worth_a_page) {
        read_part(wanted);
        continue;
      }
      for (const std::uint32_t id : wanted) {
        if (strings_.read(id, text)) {
          ahead_.add(id, text);
        }
      }
    }
  }

 private:
  struct Slot {
    bool filled = false;
    std::uint32_t id = 0;
    std::string text;
  };

  void read_part(std::span<const std::uint32_t> wanted) const {
    std::size_t next = 0;
    // A page that cannot be read is read again, and told, with the row that needs it.
    static_cast<void>(strings_.scan(wanted.front(), wanted.back() + 1,
                                    [&](std::uint32_t id, std::string_view text) {
                                      if (id == wanted[next]) {
                                        ahead_.add(id, text);
                                        ++next;
                                      }
                                      return true;
                                    }));
  }

  const StringTable& strings_;
  mutable std::array<Slot, slots> slots_;
  mutable TextWindow ahead_;
};

}  // namespace

class MemoDictionaries final : public Dictionaries {
 public:
  [[nodiscard]] static Result<std::shared_ptr<const MemoDictionaries>> make(
      std::shared_ptr<const Dictionaries> dictionaries) {
    auto memo = std::shared_ptr<MemoDictionaries>(new MemoDictionaries(std::move(dictionaries)));
    for (std::size_t field = 0; field < dictionary_field_count; ++field) {
      DOCKET_ASSIGN(const StringTable* strings,
                    memo->dictionaries_->strings(static_cast<DictionaryField>(field)));
      memo->strings_[field] = std::make_unique<MemoStrings>(*strings);
    }
    DOCKET_ASSIGN(const StringTable* actor_ids, memo->dictionaries_->actor_ids());
    DOCKET_ASSIGN(const StringTable* actor_names, memo->dictionaries_->actor_names());
    DOCKET_ASSIGN(const StringTable* target_ids, memo->dictionaries_->target_ids());
    DOCKET_ASSIGN(const StringTable* target_names, memo->dictionaries_->target_names());
    memo->actor_ids_ = std::make_unique<MemoStrings>(*actor_ids);
    memo->actor_names_ = std::make_unique<MemoStrings>(*actor_names);
    memo->target_ids_ = std::make_unique<MemoStrings>(*target_ids);
    memo->target_names_ = std::make_unique<MemoStrings>(*target_names);
    return std::shared_ptr<const MemoDictionaries>(std::move(memo));
  }

  // Reads the strings of these ids of a column ahead.
  void read_ahead(RowColumn column, std::span<const std::uint32_t> ids) const {
    switch (column) {
      case RowColumn::actor:
        actor_ids_->read_ahead(ids);
        actor_names_->read_ahead(ids);
        break;
      case RowColumn::target:
        target_ids_->read_ahead(ids);
        target_names_->read_ahead(ids);
        break;
      case RowColumn::ip:
        strings_[static_cast<std::size_t>(DictionaryField::ip)]->read_ahead(ids);
        break;
      case RowColumn::session:
        strings_[static_cast<std::size_t>(DictionaryField::session)]->read_ahead(ids);
        break;
      case RowColumn::request:
        strings_[static_cast<std::size_t>(DictionaryField::request)]->read_ahead(ids);
        break;
      default:
        break;
    }
  }

  [[nodiscard]] bool sorted() const override { return dictionaries_->sorted(); }
  [[nodiscard]] Result<const StringTable*> strings(DictionaryField field) const override {
    return strings_[static_cast<std::size_t>(field)].get();
  }
  [[nodiscard]] std::uint32_t actor_count() const override { return dictionaries_->actor_count(); }
  [[nodiscard]] Result<const StringTable*> actor_ids() const override { return actor_ids_.get(); }
  [[nodiscard]] Result<const StringTable*> actor_names() const override {
    return actor_names_.get();
  }
  [[nodiscard]] Result<PackedInts> actor_kinds() const override {
    return dictionaries_->actor_kinds();
  }
  [[nodiscard]] Result<PackedInts> actor_roles() const override {
    return dictionaries_->actor_roles();
  }
  [[nodiscard]] std::uint32_t target_count() const override {
    return dictionaries_->target_count();
  }
  [[nodiscard]] Result<const StringTable*> target_ids() const override { return target_ids_.get(); }
  [[nodiscard]] Result<const StringTable*> target_names() const override {
    return target_names_.get();
  }
  [[nodiscard]] Result<PackedInts> target_types() const override {
    return dictionaries_->target_types();
  }

 private:
  explicit MemoDictionaries(std::shared_ptr<const Dictionaries> dictionaries)
      : dictionaries_(std::move(dictionaries)) {}

  std::shared_ptr<const Dictionaries> dictionaries_;
  std::array<std::unique_ptr<MemoStrings>, dictionary_field_count> strings_;
  std::unique_ptr<MemoStrings> actor_ids_, actor_names_, target_ids_, target_names_;
};

SegmentMemo::SegmentMemo(const SegmentReader& segment) : segment_(segment) {}

SegmentMemo::~SegmentMemo() = default;

Result<std::shared_ptr<const MemoDictionaries>> SegmentMemo::memo() const {
  if (memo_ == nullptr) {
    DOCKET_ASSIGN(std::shared_ptr<const Dictionaries> dictionaries, segment_.dictionaries(0));
    DOCKET_ASSIGN(memo_, MemoDictionaries::make(std::move(dictionaries)));
  }
  return memo_;
}

Result<std::shared_ptr<const Dictionaries>> SegmentMemo::dictionaries(std::uint32_t block) const {
  if (!segment_.info().sealed) {
    return segment_.dictionaries(block);
  }
  DOCKET_ASSIGN(std::shared_ptr<const MemoDictionaries> shared, memo());
  return std::shared_ptr<const Dictionaries>(std::move(shared));
}

void SegmentMemo::read_ahead(std::vector<BlockRow> rows) {
  std::sort(rows.begin(), rows.end());
  if (segment_.info().sealed) {
    read_strings_ahead(rows);
  }
  read_payloads_ahead(rows);
}

void SegmentMemo::read_strings_ahead(const std::vector<BlockRow>& rows) {
  const auto dictionaries = memo();
  if (!dictionaries) {
    return;
  }
  std::vector<std::uint32_t> ids;
  for (const RowColumn column : {RowColumn::actor, RowColumn::target, RowColumn::ip,
                                 RowColumn::session, RowColumn::request}) {
    ids.clear();
    std::uint32_t block = UINT32_MAX;
    Result<PackedInts> values;
    for (const auto& [row_block, row] : rows) {
      if (row_block != block) {
        block = row_block;
        values = segment_.column(block, column);
      }
      if (values && row < values->size()) {
        ids.push_back(static_cast<std::uint32_t>((*values)[row]));
      }
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    (*dictionaries)->read_ahead(column, ids);
  }
}

void SegmentMemo::read_payloads_ahead(const std::vector<BlockRow>& rows) {
  payloads_.start(rows.size());
  std::vector<std::uint32_t> of_block;
  for (std::size_t begin = 0;
       begin < rows.size() && payloads_.text_bytes() < payload_bytes_ahead;) {
    const std::uint32_t block = rows[begin].first;
    of_block.clear();
    for (; begin < rows.size() && rows[begin].first == block; ++begin) {
      of_block.push_back(rows[begin].second);
    }
    std::size_t next = 0;
    bool all = true;
    const auto done =
        segment_.payloads(block, of_block, [&](std::uint32_t row, std::string_view payload) {
          for (; next < of_block.size() && of_block[next] < row; ++next) {
            payloads_.add(payload_key(block, of_block[next]), {});
          }
          payloads_.add(payload_key(block, row), payload);
          ++next;
          all = payloads_.text_bytes() < payload_bytes_ahead;
          return all;
        });
    // The rows behind the last payload have none, if nothing has stopped the reading before.
    for (; done && all && next < of_block.size(); ++next) {
      payloads_.add(payload_key(block, of_block[next]), {});
    }
  }
}

Result<void> SegmentMemo::payloads(
    std::uint32_t block, std::span<const std::uint32_t> rows,
    const std::function<bool(std::uint32_t row, std::string_view payload)>& visit) const {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto ahead = payloads_.find(payload_key(block, rows[i]));
    if (!ahead) {
      return segment_.payloads(block, rows.subspan(i), visit);
    }
    if (!ahead->empty() && !visit(rows[i], *ahead)) {
      break;
    }
  }
  return {};
}

}  // namespace docket::query
