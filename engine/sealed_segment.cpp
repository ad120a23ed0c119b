#include "engine/sealed_segment.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/assert.hpp"
#include "engine/limits.hpp"
#include "engine/out_of_memory.hpp"

namespace docket {

namespace {

// Of what the cache holds of a place: one for each order, since one of a single id has no bytes,
// and a place that the next one shares.
constexpr std::uint64_t kind_actor_order = 7;
constexpr std::uint64_t kind_target_order = 8;
constexpr std::uint64_t kind_ip_order = 9;

// Of a block's payloads, its table of chunks first, that are fetched with its columns: all, where
// they are of the usual size.
constexpr std::uint32_t payload_bytes_ahead = 128U << 10;

// Strings of a sealed segment, read by pages through the cache.
class PagedStrings : public StringTable {
 public:
  PagedStrings(std::shared_ptr<const SegmentSource> source, StringPages pages)
      : source_(std::move(source)), pages_(std::move(pages)) {}

  [[nodiscard]] std::uint32_t size() const override { return pages_.size; }

  [[nodiscard]] Result<void> read(std::uint32_t id, std::string& out) const override {
    DOCKET_ASSERT(id < pages_.size);
    DOCKET_ASSIGN(const auto page, page_of(id));
    out.assign((*page)[id % limits::dictionary_page_entries]);
    return {};
  }

  [[nodiscard]] Result<void> scan(
      std::uint32_t begin, std::uint32_t end,
      const std::function<bool(std::uint32_t id, std::string_view text)>& visit) const override {
    DOCKET_ASSERT(begin <= end && end <= pages_.size);
    std::shared_ptr<const StringList> page;
    for (std::uint32_t id = begin; id < end; ++id) {
      const std::uint32_t in_page = id % limits::dictionary_page_entries;
      if (!page || in_page == 0) {
        DOCKET_ASSIGN(page, page_of(id));
      }
      if (!visit(id, (*page)[in_page])) {
        break;
      }
    }
    return {};
  }

  [[nodiscard]] Result<void> read_ascending(std::span<const std::uint32_t> ids,
                                            const VisitTexts& visit) const override {
    // Of a page of answers only a few: room for more would take longer to clear than they to read.
    constexpr std::size_t few = 16;
    return ids.size() <= few ? read_pages<few>(ids, visit)
                             : read_pages<limits::dictionary_page_entries>(ids, visit);
  }

 private:
  // At most `at_once` texts are handed on together.
  template <std::size_t at_once>
  [[nodiscard]] Result<void> read_pages(std::span<const std::uint32_t> ids,
                                        const VisitTexts& visit) const {
    std::array<std::string_view, at_once> texts;
    bool told = false;
    for (std::size_t first = 0; first < ids.size();) {
      DOCKET_ASSERT(ids[first] < pages_.size);
      const PlacedSection& placed = place_of(ids[first]);
      auto page = source_->kept_strings(placed.entry, placed.at);
      if (!page) {
        if (!std::exchange(told, true)) {
          tell_of(ids.subspan(first));
        }
        DOCKET_ASSIGN(page, page_of(ids[first]));
      }
      const std::uint32_t begin = ids[first] - ids[first] % limits::dictionary_page_entries;
      std::size_t count = 0;
      // An id twice would be more than there is room for: such ids take several turns.
      while (first + count < ids.size() && count < texts.size() &&
             ids[first + count] - begin < page->size()) {
        texts[count] = (*page)[ids[first + count] - begin];
        ++count;
      }
      DOCKET_ASSERT(count != 0);
      visit(first, std::span(texts).first(count));
      first += count;
    }
    return {};
  }

  [[nodiscard]] const PlacedSection& place_of(std::uint32_t id) const {
    return pages_.pages[id / limits::dictionary_page_entries];
  }

  Result<std::shared_ptr<const StringList>> page_of(std::uint32_t id) const {
    const PlacedSection& page = place_of(id);
    return source_->strings(page.entry, page.at, pages_.tokens);
  }

  // The pages that `ids` are on will be read.
  void tell_of(std::span<const std::uint32_t> ids) const {
    DOCKET_ASSERT(ids.back() < pages_.size);
    FileOffset begin;
    FileOffset end;
    const PlacedSection* last = nullptr;
    for (const std::uint32_t id : ids) {
      const PlacedSection& page = place_of(id);
      if (std::exchange(last, &page) == &page || page.entry.bytes == 0 ||
          source_->kept_strings(page.entry, page.at)) {
        continue;
      }
      if (page.at != end) {
        source_->file().will_read(begin, end.value - begin.value);
        begin = page.at;
      }
      end = page.at + page.entry.bytes;
    }
    source_->file().will_read(begin, end.value - begin.value);
  }

  std::shared_ptr<const SegmentSource> source_;
  StringPages pages_;
};

class SealedDictionaries : public Dictionaries {
 public:
  SealedDictionaries(const std::shared_ptr<const SegmentSource>& source, const Footer& footer)
      : source_(source),
        actor_count_(footer.actor_count),
        target_count_(footer.target_count),
        kind_count_(footer.strings[string_list_number(DictionaryField::kind)].size),
        role_count_(footer.strings[string_list_number(DictionaryField::role)].size),
        type_count_(footer.strings[string_list_number(DictionaryField::type)].size),
        actor_kinds_(footer.actor_kinds),
        actor_roles_(footer.actor_roles),
        target_types_(footer.target_types) {
    lists_.reserve(string_list_count);
    for (const StringPages& pages : footer.strings) {
      lists_.emplace_back(source, pages);
    }
  }

  [[nodiscard]] bool sorted() const override { return true; }
  [[nodiscard]] Result<const StringTable*> strings(DictionaryField field) const override {
    return &lists_[string_list_number(field)];
  }
  [[nodiscard]] std::uint32_t actor_count() const override { return actor_count_; }
  [[nodiscard]] Result<const StringTable*> actor_ids() const override {
    return &lists_[string_list_number(TableStrings::actor_id)];
  }
  [[nodiscard]] Result<const StringTable*> actor_names() const override {
    return &lists_[string_list_number(TableStrings::actor_name)];
  }
  [[nodiscard]] Result<PackedInts> actor_kinds() const override {
    return table(actor_kinds_, actor_count_, kind_count_);
  }
  [[nodiscard]] Result<PackedInts> actor_roles() const override {
    return table(actor_roles_, actor_count_, role_count_);
  }
  [[nodiscard]] std::uint32_t target_count() const override { return target_count_; }
  [[nodiscard]] Result<const StringTable*> target_ids() const override {
    return &lists_[string_list_number(TableStrings::target_id)];
  }
  [[nodiscard]] Result<const StringTable*> target_names() const override {
    return &lists_[string_list_number(TableStrings::target_name)];
  }
  [[nodiscard]] Result<PackedInts> target_types() const override {
    return table(target_types_, target_count_, type_count_);
  }

 private:
  Result<PackedInts> table(const std::optional<PlacedSection>& placed, std::uint32_t size,
                           std::uint32_t limit) const {
    if (!placed) {
      return absent_column(Section::actor_kind, size);
    }
    const auto inspect = [&](const SectionBytes& bytes) -> Result<void> {
      DOCKET_ASSIGN(const PackedInts values, read_ints(placed->entry, bytes));
      return are_below(values, limit)
                 ? Result<void>()
                 : fail(ErrorCode::corrupt, "a table refers to an entry that is not there");
    };
    DOCKET_ASSIGN(const SectionBytes bytes, source_->section(placed->entry, placed->at, inspect));
    return read_ints(placed->entry, bytes);
  }

  std::shared_ptr<const SegmentSource> source_;
  std::uint32_t actor_count_, target_count_, kind_count_, role_count_, type_count_;
  std::optional<PlacedSection> actor_kinds_, actor_roles_, target_types_;
  std::vector<PagedStrings> lists_;
};

}  // namespace

struct SealedSegment::Loaded {
  std::shared_ptr<const SegmentSource> source;
  std::vector<BlockInfo> blocks;
  std::vector<std::shared_ptr<const BlockPlace>> places;
  std::shared_ptr<const SealedDictionaries> dictionaries;
  std::optional<PlacedSection> actor_order, target_order, ip_order;
  std::optional<PlacedTokens> payload_tokens;
};

SealedSegment::SealedSegment(Disk& disk, SectionCache& cache, SegmentInfo info)
    : disk_(disk), cache_(cache), info_(std::move(info)) {}

SegmentRemoval::SegmentRemoval(Disk& disk, std::string directory)
    : disk_(disk), directory_(std::move(directory)) {}

// Where it fails, a crash of the machine may bring files back; the next start removes them again.
SegmentRemoval::~SegmentRemoval() {
  static_cast<void>(within_memory([this] { return disk_.sync_directory(directory_); }));
}

SealedSegment::~SealedSegment() {
  if (remove_files_.empty()) {
    return;
  }
  // What cannot be removed now is removed at the next start: the manifest does not list it.
  static_cast<void>(within_memory([this] {
    for (const std::string& file : remove_files_) {
      static_cast<void>(disk_.unlink(file));
    }
    return Result<void>();
  }));
}

void SealedSegment::remove_when_released(std::vector<std::string> files,
                                         std::shared_ptr<const SegmentRemoval> removal) const {
  const std::lock_guard lock(mutex_);
  remove_files_ = std::move(files);
  removal_ = std::move(removal);
}

Result<const SealedSegment::Loaded*> SealedSegment::load() const {
  if (const Loaded* loaded = loaded_.load(std::memory_order_acquire)) {
    return loaded;
  }
  const std::lock_guard lock(mutex_);
  if (owned_) {
    return owned_.get();
  }
  DOCKET_ASSIGN(auto file, disk_.open(info_.path, OpenMode::read));
  DOCKET_ASSIGN(LoadedFooter read, load_footer(*file, info_.id));
  if (read.digest != info_.digest || read.footer.summary.rows != info_.rows ||
      read.footer.summary.first_seq != info_.first_seq) {
    return fail_corrupt("footer is not the one that was sealed", info_.id.value, 0);
  }
  auto loaded = std::make_unique<Loaded>();
  loaded->source =
      std::make_shared<const SegmentSource>(std::move(file), cache_, info_.id, info_.path);
  loaded->dictionaries = std::make_shared<const SealedDictionaries>(loaded->source, read.footer);
  loaded->actor_order = read.footer.actor_order;
  loaded->target_order = read.footer.target_order;
  loaded->ip_order = read.footer.ip_order;
  loaded->payload_tokens = read.footer.payload_tokens;
  std::uint32_t row = 0;
  for (SealedBlock& block : read.footer.blocks) {
    const BlockHeader& h = block.header;
    loaded->blocks.push_back({.first_seq = h.first_seq,
                              .first_row = row,
                              .rows = h.rows,
                              .ts_min = h.ts_min,
                              .ts_max = h.ts_max,
                              .has_related = (h.flags & block_has_related) != 0,
                              .has_payload = (h.flags & block_has_payload) != 0});
    row += h.rows;
    loaded->places.push_back(std::make_shared<const BlockPlace>(
        BlockPlace{h.offset + block_header_bytes, std::move(block.directory)}));
  }
  owned_ = std::move(loaded);
  loaded_.store(owned_.get(), std::memory_order_release);
  return owned_.get();
}

Result<std::span<const BlockInfo>> SealedSegment::blocks() const {
  DOCKET_ASSIGN(const Loaded* loaded, load());
  return std::span<const BlockInfo>(loaded->blocks);
}

Result<std::shared_ptr<const Dictionaries>> SealedSegment::dictionaries(std::uint32_t) const {
  DOCKET_ASSIGN(const Loaded* loaded, load());
  return std::shared_ptr<const Dictionaries>(loaded->dictionaries);
}

void SealedSegment::will_read(std::uint32_t block) const {
  const Loaded* loaded = loaded_.load(std::memory_order_acquire);
  if (loaded == nullptr) {
    return;
  }
  DOCKET_ASSERT(block < loaded->places.size());
  const BlockPlace& place = *loaded->places[block];
  std::uint64_t begin = UINT64_MAX;
  std::uint64_t end = 0;
  // A column by which nothing is searched tells whether the block was read before, for whole
  // events; where those are constant, another one has to do.
  const SectionEntry* sign = nullptr;
  for (const SectionEntry& entry : place.directory.entries) {
    if (entry.section < Section::row_ts || entry.bytes == 0) {
      continue;
    }
    begin = std::min<std::uint64_t>(begin, entry.offset);
    if (entry.section == Section::payload_data) {
      end = entry.offset + std::min(entry.bytes, payload_bytes_ahead);
      continue;
    }
    end = std::uint64_t{entry.offset} + entry.bytes;
    const bool is_searched =
        entry.section != Section::row_received && entry.section != Section::row_affected;
    if (sign == nullptr || !is_searched || sign->section == Section::row_ts) {
      sign = &entry;
    }
  }
  const SegmentSource& source = *loaded->source;
  if (sign != nullptr && !source.kept_section(*sign, place.body + sign->offset)) {
    source.file().will_read(place.body + begin, end - begin);
  }
}

Result<std::shared_ptr<const BlockPlace>> SealedSegment::place(std::uint32_t block) const {
  DOCKET_ASSIGN(const Loaded* loaded, load());
  DOCKET_ASSERT(block < loaded->places.size());
  return loaded->places[block];
}

Result<const SegmentSource*> SealedSegment::source(std::uint32_t) const {
  DOCKET_ASSIGN(const Loaded* loaded, load());
  return loaded->source.get();
}

Result<const PlacedTokens*> SealedSegment::payload_tokens() const {
  DOCKET_ASSIGN(const Loaded* loaded, load());
  return loaded->payload_tokens ? &*loaded->payload_tokens : nullptr;
}

Result<IdOrder> SealedSegment::order_of(Section section) const {
  DOCKET_ASSIGN(const Loaded* loaded, load());
  const std::optional<PlacedSection>* placed_order = nullptr;
  std::uint64_t kind = 0;
  switch (section) {
    case Section::row_actor:
      placed_order = &loaded->actor_order;
      kind = kind_actor_order;
      break;
    case Section::row_target:
    case Section::related_targets:
      placed_order = &loaded->target_order;
      kind = kind_target_order;
      break;
    case Section::row_ip:
      placed_order = &loaded->ip_order;
      kind = kind_ip_order;
      break;
    default:
      return IdOrder();
  }
  if (!*placed_order) {
    return IdOrder();
  }
  const PlacedSection& placed = **placed_order;
  const SegmentSource& source = *loaded->source;
  const auto key = source.key(placed.at, kind);
  if (auto kept = source.cache().find<std::vector<std::uint32_t>>(key)) {
    return kept;
  }
  DOCKET_ASSIGN(const SectionBytes bytes, source.section(placed.entry, placed.at));
  DOCKET_ASSIGN(const PackedInts packed, read_ints(placed.entry, bytes));
  auto ids = std::make_shared<std::vector<std::uint32_t>>(packed.size());
  packed.unpack(0, packed.size(), ids->data());
  IdOrder order = std::move(ids);
  source.cache().put<std::vector<std::uint32_t>>(key, order, order->size() * sizeof(std::uint32_t));
  return order;
}

}  // namespace docket
