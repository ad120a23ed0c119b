#include "engine/segment_survey.hpp"

#include <algorithm>
#include <string_view>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"
#include "engine/token_training.hpp"

namespace docket {

namespace {

// The dictionaries were read before the columns: somebody may have written the file in between.
Error changed() {
  return Error{ErrorCode::corrupt, "a column holds an id that its dictionary does not have", 0, 0,
               0};
}

// Less says little about what is frequent, and a table of tokens takes some 10 KiB.
constexpr std::size_t sample_bytes_min = 128 * 1024;
// A larger sample finds more of what is frequent, and takes longer: a share of what the segment
// takes keeps that in proportion, and so much is worth it for any.
constexpr std::uint64_t sample_share = 64;
constexpr std::uint64_t sample_bytes_least = 256 * 1024;

}  // namespace

SegmentSurvey::SegmentSurvey(const SegmentReader& source, const Sizes& sizes)
    : source_(source),
      actors_(sizes.actors),
      targets_(sizes.targets),
      ips_(sizes.ips),
      sample_bytes_max_(std::clamp<std::uint64_t>(
          source.info().bytes / sample_share, sample_bytes_least, limits::token_sample_bytes_max)) {
}

Result<void> SegmentSurvey::look_at(std::uint32_t block, const IdMaps& maps) {
  const auto count = [&](RowColumn column, std::span<const std::uint32_t> map,
                         std::vector<std::uint32_t>& into) -> Result<void> {
    DOCKET_ASSIGN(const PackedInts packed, source_.column(block, column));
    ids_.resize(packed.size());
    packed.unpack(0, packed.size(), ids_.data());
    for (const std::uint32_t id : ids_) {
      if (id >= map.size()) {
        return fail(changed());
      }
      ++into[map[id]];
    }
    return {};
  };
  DOCKET_TRY(count(RowColumn::actor, maps.actors, actors_));
  DOCKET_TRY(count(RowColumn::target, maps.targets, targets_));
  DOCKET_TRY(count(RowColumn::ip, maps.plain[static_cast<std::size_t>(DictionaryField::ip)], ips_));
  DOCKET_ASSIGN(const auto related, source_.related(block));
  for (const std::uint32_t id : related->targets) {
    if (id >= maps.targets.size()) {
      return fail(changed());
    }
    ++targets_[maps.targets[id]];
  }
  return sample_payloads(block);
}

Result<void> SegmentSurvey::sample_payloads(std::uint32_t block) {
  DOCKET_ASSIGN(const auto blocks, source_.blocks());
  const BlockInfo& info = blocks[block];
  // Of each block as much as is its share of the rows, in whole payloads: of small blocks every now
  // and then one.
  allowance_ +=
      sample_bytes_max_ * std::size_t{info.rows} / std::max<std::uint32_t>(source_.info().rows, 1);
  if (!info.has_payload || sample_.size() >= allowance_) {
    return {};
  }
  std::vector<std::uint32_t> rows(info.rows);
  for (std::uint32_t row = 0; row < info.rows; ++row) {
    rows[row] = row;
  }
  return source_.payloads(block, rows, [&](std::uint32_t, std::string_view payload) {
    // One that is much longer than others would leave no room for them.
    append_bytes(sample_, as_byte_span(payload.substr(0, sample_bytes_max_ / 8)));
    sample_ends_.push_back(sample_.size());
    return sample_.size() < allowance_;
  });
}

std::optional<Tokens> SegmentSurvey::payload_tokens() const {
  if (sample_.size() < sample_bytes_min) {
    return std::nullopt;
  }
  std::vector<std::string_view> texts;
  std::size_t start = 0;
  for (const std::size_t end : sample_ends_) {
    texts.push_back(as_text(std::span<const std::byte>(sample_).subspan(start, end - start)));
    start = end;
  }
  Tokens tokens = train_tokens(texts);
  const TokenEncoder encoder(tokens);
  std::vector<std::byte> lz4;
  std::vector<std::byte> coded;
  const auto all = std::span<const std::byte>(sample_);
  for (std::size_t at = 0; at < all.size(); at += limits::payload_chunk_bytes) {
    const auto chunk =
        all.subspan(at, std::min<std::size_t>(limits::payload_chunk_bytes, all.size() - at));
    if (!compress(chunk, lz4)) {
      append_bytes(lz4, chunk);
    }
    encoder.encode(as_text(chunk), coded);
  }
  if (coded.size() >= lz4.size()) {
    return std::nullopt;
  }
  return tokens;
}

}  // namespace docket
