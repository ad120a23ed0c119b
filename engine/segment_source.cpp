#include "engine/segment_source.hpp"

#include "engine/read_account.hpp"

namespace docket {

namespace {
constexpr std::uint64_t kind_bytes = 1;
constexpr std::uint64_t kind_strings = 2;
}  // namespace

SegmentSource::SegmentSource(std::unique_ptr<File> file, SectionCache& cache, SegmentId id,
                             std::string path)
    : file_(std::move(file)),
      cache_(cache),
      id_(id),
      path_(std::move(path)),
      owner_(SectionCache::next_owner()) {}

tl::unexpected<Error> SegmentSource::placed(Error error, FileOffset at) const {
  error.segment = id_.value;
  error.offset = at.value;
  return fail(std::move(error));
}

Result<void> SegmentSource::read(FileOffset at, std::span<std::byte> into) const {
  if (auto done = file_->read_at(at, into); !done) {
    return placed(done.error(), at);
  }
  ReadAccount::add(into.size());
  return {};
}

Result<SectionBytes> SegmentSource::section(const SectionEntry& entry, FileOffset at,
                                            const Inspect& inspect) const {
  const auto where = key(at, kind_bytes);
  // A constant column has no bytes, and a place that the next section shares.
  const bool has_place = entry.bytes != 0;
  if (auto kept = has_place ? cache_.find<std::byte>(where) : nullptr) {
    return kept;
  }
  const std::shared_ptr<std::byte[]> buffer(new std::byte[entry.bytes + section_padding]());
  const std::span<std::byte> bytes(buffer.get(), entry.bytes);
  DOCKET_TRY(read(at, bytes));
  if (auto checked = check_section(entry, bytes); !checked) {
    return placed(checked.error(), at);
  }
  SectionBytes section(buffer, buffer.get());
  if (inspect) {
    if (auto accepted = inspect(section); !accepted) {
      return placed(accepted.error(), at);
    }
  }
  if (has_place) {
    cache_.put<std::byte>(where, section, entry.bytes);
  }
  return section;
}

Result<std::shared_ptr<const StringList>> SegmentSource::strings(const SectionEntry& entry,
                                                                 FileOffset at) const {
  const auto where = key(at, kind_strings);
  // A list of empty strings has no bytes, and a place that the next list shares.
  const bool has_place = entry.bytes != 0;
  if (auto kept = has_place ? cache_.find<StringList>(where) : nullptr) {
    return kept;
  }
  std::vector<std::byte> bytes(entry.bytes);
  DOCKET_TRY(read(at, bytes));
  if (auto checked = check_section(entry, bytes); !checked) {
    return placed(checked.error(), at);
  }
  auto list = read_strings(entry, bytes);
  if (!list) {
    return placed(list.error(), at);
  }
  auto shared = std::make_shared<const StringList>(std::move(*list));
  if (has_place) {
    cache_.put<StringList>(where, shared, shared->bytes->size() + shared->starts.size() * 4);
  }
  return shared;
}

}  // namespace docket
