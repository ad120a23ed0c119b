#include "engine/segment_source.hpp"

#include <algorithm>

#include "engine/assert.hpp"
#include "engine/read_account.hpp"

namespace docket {

namespace {
constexpr std::uint64_t kind_bytes = 1;
constexpr std::uint64_t kind_strings = 2;
constexpr std::uint64_t kind_tokens = 6;
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

// A constant column has no bytes, and a place that the next section shares.
SectionBytes SegmentSource::kept_section(const SectionEntry& entry, FileOffset at) const {
  return entry.bytes != 0 ? cache_.find<std::byte>(key(at, kind_bytes)) : nullptr;
}

Result<SectionBytes> SegmentSource::section(const SectionEntry& entry, FileOffset at,
                                            const Inspect& inspect, const IdOrder& order) const {
  if (auto kept = kept_section(entry, at)) {
    return kept;
  }
  const std::shared_ptr<std::byte[]> buffer(new std::byte[entry.bytes + section_padding]());
  const std::span<std::byte> bytes(buffer.get(), entry.bytes);
  DOCKET_TRY(read(at, bytes));
  if (auto checked = check_section(entry, bytes); !checked) {
    return placed(checked.error(), at);
  }
  SectionBytes section(buffer, buffer.get());
  if (entry.codec == Codec::ints_coded) {
    auto unpacked = unpack_coded(
        entry, bytes,
        order ? std::span<const std::uint32_t>(*order) : std::span<const std::uint32_t>());
    if (!unpacked) {
      return placed(unpacked.error(), at);
    }
    section = std::move(*unpacked);
  }
  if (inspect) {
    if (auto accepted = inspect(section); !accepted) {
      return placed(accepted.error(), at);
    }
  }
  if (entry.bytes != 0) {
    cache_.put<std::byte>(key(at, kind_bytes), section,
                          is_ints(entry.codec) ? packed_section_bytes(entry) : entry.bytes);
  }
  return section;
}

// A list of empty strings has no bytes, and a place that the next list shares.
std::shared_ptr<const StringList> SegmentSource::kept_strings(const SectionEntry& entry,
                                                              FileOffset at) const {
  return entry.bytes != 0 ? cache_.find<StringList>(key(at, kind_strings)) : nullptr;
}

Result<std::shared_ptr<const StringList>> SegmentSource::strings(
    const SectionEntry& entry, FileOffset at,
    const std::optional<PlacedTokens>& placed_tokens) const {
  if (auto kept = kept_strings(entry, at)) {
    return kept;
  }
  std::vector<std::byte> buffer(entry.bytes + section_padding);
  const std::span<std::byte> bytes(buffer.data(), entry.bytes);
  DOCKET_TRY(read(at, bytes));
  if (auto checked = check_section(entry, bytes); !checked) {
    return placed(checked.error(), at);
  }
  Result<StringList> list = StringList{};
  if (entry.codec == Codec::strings_tokens) {
    DOCKET_ASSERT(placed_tokens.has_value());
    DOCKET_ASSIGN(const auto table, tokens(*placed_tokens));
    list = table->decode_strings(bytes, entry.items);
  } else {
    list = read_strings(entry, bytes);
  }
  if (!list) {
    return placed(list.error(), at);
  }
  auto shared = std::make_shared<const StringList>(std::move(*list));
  if (entry.bytes != 0) {
    cache_.put<StringList>(key(at, kind_strings), shared,
                           shared->bytes->size() + shared->starts.size() * 4);
  }
  return shared;
}

Result<std::shared_ptr<const TokenTable>> SegmentSource::tokens(const PlacedTokens& where) const {
  const auto place = key(where.texts.at, kind_tokens);
  if (auto kept = cache_.find<TokenTable>(place)) {
    return kept;
  }
  const auto lengths_of = [this](const PlacedSection& of) -> Result<std::vector<std::uint8_t>> {
    DOCKET_ASSIGN(const SectionBytes bytes, section(of.entry, of.at));
    DOCKET_ASSIGN(const PackedInts ints, read_ints(of.entry, bytes));
    std::vector<std::uint8_t> lengths(ints.size());
    for (std::uint32_t i = 0; i < ints.size(); ++i) {
      lengths[i] = static_cast<std::uint8_t>(std::min<std::uint64_t>(ints[i], UINT8_MAX));
    }
    return lengths;
  };
  DOCKET_ASSIGN(const auto texts, strings(where.texts.entry, where.texts.at));
  DOCKET_ASSIGN(const auto lengths, lengths_of(where.lengths));
  std::vector<std::uint8_t> shared;
  if (where.shared_lengths) {
    DOCKET_ASSIGN(shared, lengths_of(*where.shared_lengths));
  }
  auto table = TokenTable::make(*texts, lengths, shared);
  if (!table) {
    return placed(table.error(), where.texts.at);
  }
  auto result = std::make_shared<const TokenTable>(std::move(*table));
  cache_.put<TokenTable>(place, result, result->memory_bytes());
  return result;
}

}  // namespace docket
