#include "query/segment_memo.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "engine/limits.hpp"

namespace docket::query {
namespace {

// Verbs, kinds, roles: read again and again, a few of them.
constexpr std::uint32_t slots = 16;
constexpr std::uint32_t page_entries = limits::dictionary_page_entries;
// Whole pages are copied only once so many reads have missed the slots, and then a page at its
// third read: for an answer of a few dozen rows that would cost more than it saves.
constexpr std::uint32_t misses_before_pages = 256;
constexpr std::uint8_t reads_before_copy = 2;
// Of one dictionary's pages. Above it all are let go and copied anew as needed.
constexpr std::size_t page_bytes_max = std::size_t{8} << 20;

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
    if (misses_ >= misses_before_pages) {
      return read_from_page(id, out);
    }
    ++misses_;
    DOCKET_TRY(strings_.read(id, out));
    slot = Slot{true, id, out};
    return {};
  }

  [[nodiscard]] Result<void> scan(
      std::uint32_t begin, std::uint32_t end,
      const std::function<bool(std::uint32_t id, std::string_view text)>& visit) const override {
    return strings_.scan(begin, end, visit);
  }

 private:
  struct Slot {
    bool filled = false;
    std::uint32_t id = 0;
    std::string text;
  };
  struct Page {
    std::uint8_t reads = 0;
    std::vector<std::uint32_t> starts;  // one more than entries; empty: not copied
    std::string text;
  };

  [[nodiscard]] Result<void> read_from_page(std::uint32_t id, std::string& out) const {
    if (pages_.empty()) {
      pages_.resize((strings_.size() + page_entries - 1) / page_entries);
    }
    Page& page = pages_[id / page_entries];
    if (page.starts.empty()) {
      if (page.reads < reads_before_copy) {
        ++page.reads;
        return strings_.read(id, out);
      }
      DOCKET_TRY(copy(id / page_entries));
    }
    const std::uint32_t place = id % page_entries;
    out.assign(page.text.data() + page.starts[place], page.starts[place + 1] - page.starts[place]);
    return {};
  }

  [[nodiscard]] Result<void> copy(std::uint32_t number) const {
    if (page_bytes_ > page_bytes_max) {
      pages_.assign(pages_.size(), Page{});
      page_bytes_ = 0;
    }
    Page page;
    page.starts.push_back(0);
    const std::uint32_t begin = number * page_entries;
    const std::uint32_t end = std::min(begin + page_entries, strings_.size());
    DOCKET_TRY(strings_.scan(begin, end, [&](std::uint32_t, std::string_view text) {
      page.text += text;
      page.starts.push_back(static_cast<std::uint32_t>(page.text.size()));
      return true;
    }));
    page_bytes_ += page.text.capacity() + page.starts.capacity() * sizeof(std::uint32_t);
    pages_[number] = std::move(page);
    return {};
  }

  const StringTable& strings_;
  mutable std::array<Slot, slots> slots_;
  mutable std::uint32_t misses_ = 0;
  mutable std::vector<Page> pages_;
  mutable std::size_t page_bytes_ = 0;
};

class MemoDictionaries final : public Dictionaries {
 public:
  [[nodiscard]] static Result<std::shared_ptr<const Dictionaries>> make(
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
    return std::shared_ptr<const Dictionaries>(std::move(memo));
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

}  // namespace

SegmentMemo::SegmentMemo(const SegmentReader& segment) : segment_(segment) {}

SegmentMemo::~SegmentMemo() = default;

Result<std::shared_ptr<const Dictionaries>> SegmentMemo::dictionaries(std::uint32_t block) const {
  if (!segment_.info().sealed) {
    return segment_.dictionaries(block);
  }
  if (memo_ == nullptr) {
    DOCKET_ASSIGN(std::shared_ptr<const Dictionaries> dictionaries, segment_.dictionaries(block));
    DOCKET_ASSIGN(memo_, MemoDictionaries::make(std::move(dictionaries)));
  }
  return memo_;
}

}  // namespace docket::query
