#include "engine/hot_segment.hpp"

#include <algorithm>

#include "engine/body.hpp"
#include "engine/string_list_table.hpp"

namespace docket {

namespace {

constexpr std::uint64_t kind_place = 6;
constexpr std::uint64_t kind_dictionaries = 7;

// The dictionaries of one hot block, decoded whole.
class HotDictionaries : public Dictionaries {
 public:
  // Reads what the directory names. Checks that tables refer to entries that are there.
  static Result<std::shared_ptr<const HotDictionaries>> load(const SegmentSource& source,
                                                             const BlockPlace& place) {
    auto result = std::make_shared<HotDictionaries>();
    Loader loader{source, place, *result};
    DOCKET_TRY(loader.load());
    return std::shared_ptr<const HotDictionaries>(std::move(result));
  }

  [[nodiscard]] bool sorted() const override { return false; }
  [[nodiscard]] Result<const StringTable*> strings(DictionaryField field) const override {
    return &plain_[static_cast<std::size_t>(field)];
  }
  [[nodiscard]] std::uint32_t actor_count() const override { return actor_kinds_.size(); }
  [[nodiscard]] Result<const StringTable*> actor_ids() const override { return &actor_ids_; }
  [[nodiscard]] Result<const StringTable*> actor_names() const override { return &actor_names_; }
  [[nodiscard]] Result<PackedInts> actor_kinds() const override { return actor_kinds_; }
  [[nodiscard]] Result<PackedInts> actor_roles() const override { return actor_roles_; }
  [[nodiscard]] std::uint32_t target_count() const override { return target_types_.size(); }
  [[nodiscard]] Result<const StringTable*> target_ids() const override { return &target_ids_; }
  [[nodiscard]] Result<const StringTable*> target_names() const override { return &target_names_; }
  [[nodiscard]] Result<PackedInts> target_types() const override { return target_types_; }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Loader {
    const SegmentSource& source;
    const BlockPlace& place;
    HotDictionaries& into;

    Result<void> load();
    Result<StringListTable> table(Section section, std::uint32_t entries_when_absent);
    Result<PackedInts> ints(Section section, std::uint32_t entries, std::uint32_t limit);
    tl::unexpected<Error> damaged(const char* what) const {
      return source.placed({ErrorCode::corrupt, what, 0, 0, 0}, place.body);
    }
  };

  std::array<StringListTable, dictionary_field_count> plain_;
  StringListTable actor_ids_, actor_names_, target_ids_, target_names_;
  PackedInts actor_kinds_, actor_roles_, target_types_;
  std::size_t bytes_ = 0;
};

Result<StringListTable> HotDictionaries::Loader::table(Section section,
                                                       std::uint32_t entries_when_absent) {
  const SectionEntry* entry = place.directory.find(section);
  if (entry == nullptr) {
    return StringListTable({std::make_shared<const std::vector<std::byte>>(),
                            std::vector<std::uint32_t>(std::size_t{entries_when_absent} + 1)});
  }
  const FileOffset at = place.body + entry->offset;
  std::vector<std::byte> bytes(entry->bytes);
  DOCKET_TRY(source.read(at, bytes));
  if (auto checked = check_section(*entry, bytes); !checked) {
    return source.placed(checked.error(), at);
  }
  // Recovery has looked at it, but the file may be another by now.
  if (!string_bounds(*entry, bytes).are_kept) {
    return damaged("a string is longer than any field may be");
  }
  auto list = read_strings(*entry, bytes);
  if (!list) {
    return source.placed(list.error(), at);
  }
  if (list->size() == 0 || !(*list)[0].empty()) {
    return damaged("entry 0 of a dictionary is not empty");
  }
  into.bytes_ += list->bytes->size() + list->starts.size() * 4;
  return StringListTable(std::move(*list));
}

Result<PackedInts> HotDictionaries::Loader::ints(Section section, std::uint32_t entries,
                                                 std::uint32_t limit) {
  const SectionEntry* entry = place.directory.find(section);
  if (entry == nullptr) {
    return absent_column(section, entries);
  }
  DOCKET_ASSIGN(const SectionBytes bytes, source.section(*entry, place.body + entry->offset));
  DOCKET_ASSIGN(const PackedInts values, read_ints(*entry, bytes));
  if (!are_below(values, limit)) {
    return damaged("a table refers to an entry that is not there");
  }
  into.bytes_ += entry->bytes;
  return values;
}

Result<void> HotDictionaries::Loader::load() {
  for (std::size_t f = 0; f < dictionary_field_count; ++f) {
    DOCKET_ASSIGN(into.plain_[f], table(section_of(static_cast<DictionaryField>(f)), 1));
  }
  const StringList& ips = into.plain_[static_cast<std::size_t>(DictionaryField::ip)].list();
  for (std::uint32_t i = 1; i < ips.size(); ++i) {
    if (ips[i].size() != 16) {
      return damaged("an address is not 16 bytes");
    }
  }
  const auto plain_size = [this](DictionaryField field) {
    return into.plain_[static_cast<std::size_t>(field)].size();
  };
  const std::uint32_t actors = place.directory.actor_entries();
  DOCKET_ASSIGN(into.actor_kinds_,
                ints(Section::actor_kind, actors, plain_size(DictionaryField::kind)));
  DOCKET_ASSIGN(into.actor_roles_,
                ints(Section::actor_role, actors, plain_size(DictionaryField::role)));
  DOCKET_ASSIGN(into.actor_ids_, table(Section::actor_id, actors));
  DOCKET_ASSIGN(into.actor_names_, table(Section::actor_name, actors));
  const std::uint32_t targets = place.directory.target_entries();
  DOCKET_ASSIGN(into.target_types_,
                ints(Section::target_type, targets, plain_size(DictionaryField::type)));
  DOCKET_ASSIGN(into.target_ids_, table(Section::target_id, targets));
  DOCKET_ASSIGN(into.target_names_, table(Section::target_name, targets));
  return {};
}

// A frozen view of a hot segment's blocks.
class HotReader : public SegmentBase {
 public:
  HotReader(std::shared_ptr<const SegmentSource> source,
            std::shared_ptr<const SegmentSource> memory, SegmentInfo info,
            AppendOnly<BlockInfo>::View infos, AppendOnly<HotBlockRef>::View refs)
      : source_(std::move(source)),
        memory_(std::move(memory)),
        info_(std::move(info)),
        infos_(std::move(infos)),
        refs_(std::move(refs)) {}

  [[nodiscard]] const SegmentInfo& info() const override { return info_; }
  [[nodiscard]] Result<std::span<const BlockInfo>> blocks() const override { return infos_.span(); }

  [[nodiscard]] FileRange range(std::uint32_t block) const override {
    const HotBlockRef ref = refs_.span()[block];
    return ref.merged ? FileRange{} : FileRange{ref.at, block_header_bytes + ref.body_bytes};
  }
  [[nodiscard]] Result<std::shared_ptr<const Dictionaries>> dictionaries(
      std::uint32_t block) const override {
    const HotBlockRef ref = refs_.span()[block];
    const SegmentSource& from = source_of(ref);
    const auto key = from.key(ref.at, kind_dictionaries);
    if (auto kept = from.cache().find<HotDictionaries>(key)) {
      return kept;
    }
    DOCKET_ASSIGN(const auto where, place(block));
    DOCKET_ASSIGN(auto loaded, HotDictionaries::load(from, *where));
    from.cache().put<HotDictionaries>(key, loaded, loaded->bytes());
    return loaded;
  }

 protected:
  [[nodiscard]] Result<std::shared_ptr<const BlockPlace>> place(
      std::uint32_t block) const override {
    const HotBlockRef ref = refs_.span()[block];
    const SegmentSource& from = source_of(ref);
    const auto key = from.key(ref.at, kind_place);
    if (auto kept = from.cache().find<BlockPlace>(key)) {
      return kept;
    }
    std::vector<std::byte> head(ref.head_bytes);
    DOCKET_TRY(from.read(ref.at, head));
    const auto header = decode_block_header(head);
    if (!header) {
      return from.placed(header.error(), ref.at);
    }
    auto directory = parse_directory(std::span<const std::byte>(head).subspan(block_header_bytes));
    if (!directory) {
      return from.placed(directory.error(), ref.at);
    }
    const BlockInfo& expected = infos_.span()[block];
    if (header->offset != ref.at || header->first_seq != expected.first_seq ||
        directory->rows != expected.rows || header->rows != expected.rows) {
      return from.placed({ErrorCode::corrupt, "another block stands in its place", 0, 0, 0},
                         ref.at);
    }
    auto result = std::make_shared<const BlockPlace>(
        BlockPlace{ref.at + block_header_bytes, std::move(*directory)});
    from.cache().put<BlockPlace>(key, result,
                                 result->directory.entries.size() * sizeof(SectionEntry));
    return result;
  }

  [[nodiscard]] Result<const SegmentSource*> source(std::uint32_t block) const override {
    return &source_of(refs_.span()[block]);
  }

 private:
  [[nodiscard]] const SegmentSource& source_of(const HotBlockRef& ref) const {
    return ref.merged ? *memory_ : *source_;
  }

  std::shared_ptr<const SegmentSource> source_;
  std::shared_ptr<const SegmentSource> memory_;  // null where nothing is merged
  SegmentInfo info_;
  AppendOnly<BlockInfo>::View infos_;
  AppendOnly<HotBlockRef>::View refs_;
};

}  // namespace

HotBlocks::HotBlocks(std::shared_ptr<const SegmentSource> source, std::string log, Seq first_seq)
    : source_(std::move(source)), log_(std::move(log)), first_seq_(first_seq) {}

void HotBlocks::reserve(std::size_t blocks) {
  infos_.reserve(blocks);
  refs_.reserve(blocks);
  view_infos_.reserve(blocks);
  view_refs_.reserve(blocks);
}

void HotBlocks::append(const BlockHeader& header) {
  reserve(1);
  if (header.rows == 0) {
    return;
  }
  const BlockInfo info{.first_seq = header.first_seq,
                       .first_row = rows_,
                       .rows = header.rows,
                       .ts_min = header.ts_min,
                       .ts_max = header.ts_max,
                       .has_related = (header.flags & block_has_related) != 0,
                       .has_payload = (header.flags & block_has_payload) != 0};
  const HotBlockRef ref{header.offset,
                        static_cast<std::uint32_t>(block_header_bytes) + header.directory_bytes,
                        header.body_bytes, false};
  infos_.append(info);
  refs_.append(ref);
  view_infos_.append(info);
  view_refs_.append(ref);
  rows_ += header.rows;
  ts_min_ = std::min(ts_min_, header.ts_min);
  ts_max_ = std::max(ts_max_, header.ts_max);
  received_max_ = std::max(received_max_, header.received_max);
  small_run_ = header.rows <= small_rows_max ? small_run_ + 1 : 0;
}

std::shared_ptr<const SegmentBase> HotBlocks::reader(
    std::uint64_t file_bytes, std::shared_ptr<const SegmentSource> source) const {
  SegmentInfo info;
  info.log = log_;
  info.id = source_->id();
  info.first_seq = infos_.size() == 0 ? first_seq_ : infos_.view().span().front().first_seq;
  info.last_seq =
      infos_.size() == 0 ? info.first_seq - 1 : infos_.back().first_seq + (infos_.back().rows - 1);
  info.rows = rows_;
  info.ts_min = rows_ == 0 ? 0 : ts_min_;
  info.ts_max = rows_ == 0 ? 0 : ts_max_;
  info.received_max = rows_ == 0 ? 0 : received_max_;
  info.bytes = file_bytes;
  info.path = source_->path();
  if (source) {
    return std::make_shared<const HotReader>(std::move(source), nullptr, std::move(info),
                                             infos_.view(), refs_.view());
  }
  return std::make_shared<const HotReader>(source_, memory_, std::move(info), view_infos_.view(),
                                           view_refs_.view());
}

}  // namespace docket
