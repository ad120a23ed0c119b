#include "engine/segment_base.hpp"

#include <algorithm>
#include <array>

#include "engine/block.hpp"
#include "engine/body.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"
#include "engine/time_strips.hpp"

namespace docket {

namespace {

constexpr std::uint64_t kind_related = 3;
constexpr std::uint64_t kind_payload_index = 4;
constexpr std::uint64_t kind_payload_chunk = 5;
constexpr std::uint64_t kind_time_strips = 10;  // others are taken by those who derive from it

// A scan over more rows than this passes every chunk once; keeping the chunks would only drive
// better things out of the cache.
constexpr std::size_t rows_worth_caching = 256;

FileOffset place_of(const BlockPlace& place, const SectionEntry& entry) {
  return place.body + entry.offset;
}

Result<void> check_limit(const PackedInts& values, std::uint64_t limit) {
  if (!are_below(values, limit)) {
    return fail(ErrorCode::corrupt, "a column holds an id that its dictionary does not have");
  }
  return {};
}

}  // namespace

bool are_below(const PackedInts& values, std::uint64_t limit) {
  if (values.base() == 0 && values.scale() == 1 && values.width() < 63 &&
      (std::uint64_t{1} << values.width()) <= limit) {
    return true;
  }
  // A column of one value keeps no bytes, so it is looked at each time.
  const std::uint32_t distinct = values.width() == 0 ? std::min(1U, values.size()) : values.size();
  std::array<std::uint64_t, 512> some;
  for (std::uint32_t begin = 0; begin < distinct;) {
    const std::uint32_t end = std::min(distinct, begin + static_cast<std::uint32_t>(some.size()));
    values.unpack(begin, end, some.data());
    if (*std::max_element(some.begin(), some.begin() + (end - begin)) >= limit) {
      return false;
    }
    begin = end;
  }
  return true;
}

struct SegmentBase::PayloadIndex {
  std::vector<std::uint32_t> starts;      // rows + 1
  std::vector<std::uint32_t> first_rows;  // of the chunks, and the number of rows
  std::vector<PayloadChunk> chunks;
  FileOffset section;

  [[nodiscard]] SectionCache::Key key(const SegmentSource& source, std::size_t chunk) const {
    return source.key(section + chunks[chunk].offset, kind_payload_chunk);
  }
  // Reads and decompresses a chunk. `stored` is memory to read into, `raw` of the chunk's size.
  [[nodiscard]] Result<void> read(const SegmentSource& source, std::size_t number,
                                  const TokenTable* tokens, std::vector<std::byte>& stored,
                                  std::span<std::byte> raw) const {
    const PayloadChunk& chunk = chunks[number];
    const FileOffset at = section + chunk.offset;
    if (stored.size() < chunk.stored_bytes + section_padding) {
      stored.resize(chunk.stored_bytes + section_padding);
    }
    const std::span<std::byte> bytes(stored.data(), chunk.stored_bytes);
    DOCKET_TRY(source.read(at, bytes));
    if (auto done = read_chunk(chunk, bytes, raw, tokens); !done) {
      return source.placed(done.error(), at);
    }
    return {};
  }
};

class SegmentBase::ChunkRuns final : public PayloadRuns {
 public:
  ChunkRuns(const SegmentSource& source, std::shared_ptr<const PayloadIndex> index,
            std::shared_ptr<const TokenTable> tokens)
      : source_(source), index_(std::move(index)), tokens_(std::move(tokens)) {}

  [[nodiscard]] std::span<const std::uint32_t> first_rows() const override {
    return index_->first_rows;
  }
  [[nodiscard]] std::span<const std::uint32_t> starts() const override { return index_->starts; }
  // Past the cache: a pass over many payloads would only drive better things out of it, and looking
  // for each run there takes a twelfth of a search.
  using PayloadRuns::read;
  [[nodiscard]] Result<RunTexts> read(std::span<const std::size_t> runs,
                                      PayloadBuffer& buffer) const override {
    std::size_t raw_bytes = 0;
    for (const std::size_t run : runs) {
      raw_bytes += index_->chunks[run].raw_bytes;
    }
    buffer.raw.resize(std::max(buffer.raw.size(), raw_bytes));
    DOCKET_ASSIGN(Chunks chunks, read_stored(runs, buffer));
    std::byte* raw = buffer.raw.data();
    RunTexts texts;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      chunks[i].raw = {raw, chunks[i].chunk->raw_bytes};
      texts[i] = as_text(chunks[i].raw);
      raw += chunks[i].raw.size();
    }
    if (!read_chunks(std::span(chunks).first(runs.size()), tokens_.get())) {
      // One by one they tell which it is.
      for (std::size_t i = 0; i < runs.size(); ++i) {
        const StoredChunk& each = chunks[i];
        if (auto done = read_chunk(*each.chunk, each.stored, each.raw, tokens_.get()); !done) {
          return source_.placed(done.error(), index_->section + each.chunk->offset);
        }
      }
    }
    return texts;
  }
  [[nodiscard]] Result<void> scan(std::span<const std::size_t> runs,
                                  const std::shared_ptr<const ByteAutomaton>& automaton,
                                  PayloadBuffer& buffer, TokenScan& scan) const override {
    scan.start(runs.size());
    if (tokens_ == nullptr) {
      return {};
    }
    DOCKET_ASSIGN(const Chunks chunks, read_stored(runs, buffer));
    std::array<ScannedStream, runs_at_once> streams;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const PayloadChunk& chunk = *chunks[i].chunk;
      // Others are no streams, or not what was written.
      if (chunk.stored_bytes != chunk.raw_bytes && checksum32(chunks[i].stored) == chunk.checksum) {
        streams[i] = {chunks[i].stored, chunk.raw_bytes};
      }
    }
    scan.scan(std::span(streams).first(runs.size()), tokens_, automaton);
    return {};
  }

 private:
  using Chunks = std::array<StoredChunk, runs_at_once>;

  // Reads the stored bytes of runs, into the buffer.
  [[nodiscard]] Result<Chunks> read_stored(std::span<const std::size_t> runs,
                                           PayloadBuffer& buffer) const {
    DOCKET_ASSERT(runs.size() <= runs_at_once);
    std::size_t stored_bytes = 0;
    for (const std::size_t run : runs) {
      stored_bytes += index_->chunks[run].stored_bytes + section_padding;
    }
    buffer.stored.resize(std::max(buffer.stored.size(), stored_bytes));
    Chunks chunks;
    std::byte* stored = buffer.stored.data();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const PayloadChunk& chunk = index_->chunks[runs[i]];
      chunks[i] = StoredChunk{&chunk, {stored, chunk.stored_bytes}, {}};
      DOCKET_TRY(source_.read(index_->section + chunk.offset, {stored, chunk.stored_bytes}));
      stored += chunk.stored_bytes + section_padding;
    }
    return chunks;
  }

  const SegmentSource& source_;
  std::shared_ptr<const PayloadIndex> index_;
  std::shared_ptr<const TokenTable> tokens_;
};

Result<std::uint64_t> SegmentBase::id_limit(std::uint32_t block, RowColumn column) const {
  const auto field = [&]() -> std::optional<DictionaryField> {
    switch (column) {
      case RowColumn::verb:
        return DictionaryField::verb;
      case RowColumn::ip:
        return DictionaryField::ip;
      case RowColumn::reason:
        return DictionaryField::reason;
      case RowColumn::session:
        return DictionaryField::session;
      case RowColumn::request:
        return DictionaryField::request;
      case RowColumn::node:
        return DictionaryField::node;
      default:
        return std::nullopt;
    }
  }();
  if (column == RowColumn::outcome) {
    return 3;
  }
  if (!field && column != RowColumn::actor && column != RowColumn::target) {
    return 0;
  }
  DOCKET_ASSIGN(const auto dictionaries, this->dictionaries(block));
  if (!field) {
    return column == RowColumn::actor ? dictionaries->actor_count() : dictionaries->target_count();
  }
  DOCKET_ASSIGN(const StringTable* table, dictionaries->strings(*field));
  return table->size();
}

Result<PackedInts> SegmentBase::ints(const SegmentSource& source, const BlockPlace& place,
                                     Section section, std::uint32_t items,
                                     std::uint64_t limit) const {
  const SectionEntry* entry = place.directory.find(section);
  if (entry == nullptr) {
    return absent_column(section, items);
  }
  const auto inspect = [&](const SectionBytes& bytes) -> Result<void> {
    DOCKET_ASSIGN(const PackedInts values, read_ints(*entry, bytes));
    return limit == 0 ? Result<void>() : check_limit(values, limit);
  };
  IdOrder order;
  if (entry->codec == Codec::ints_coded) {
    DOCKET_ASSIGN(order, order_of(section));
  }
  DOCKET_ASSIGN(const SectionBytes bytes,
                source.section(*entry, place_of(place, *entry), inspect, order));
  return read_ints(*entry, bytes);
}

FileRange SegmentBase::range(std::uint32_t block) const {
  const auto where = place(block);
  return where ? FileRange{(*where)->body - block_header_bytes,
                           block_header_bytes + (*where)->directory.body_bytes}
               : FileRange{};
}

Result<PackedInts> SegmentBase::column(std::uint32_t block, RowColumn column) const {
  DOCKET_ASSIGN(const SegmentSource* src, source(block));
  DOCKET_ASSIGN(const auto where, place(block));
  DOCKET_ASSIGN(const std::uint64_t limit, id_limit(block, column));
  return ints(*src, *where, section_of(column), where->directory.rows, limit);
}

Result<std::shared_ptr<const RelatedColumn>> SegmentBase::related(std::uint32_t block) const {
  DOCKET_ASSIGN(const SegmentSource* src, source(block));
  DOCKET_ASSIGN(const auto where, place(block));
  const SectionEntry* counts = where->directory.find(Section::related_counts);
  if (counts == nullptr) {
    return std::make_shared<const RelatedColumn>();
  }
  const auto key = src->key(place_of(*where, *counts), kind_related);
  if (auto kept = src->cache().find<RelatedColumn>(key)) {
    return kept;
  }
  const std::uint32_t rows = where->directory.rows;
  DOCKET_ASSIGN(const PackedInts per_row, ints(*src, *where, Section::related_counts, rows, 0));
  auto result = std::make_shared<RelatedColumn>();
  result->starts.resize(std::size_t{rows} + 1);
  std::uint64_t total = 0;
  for (std::uint32_t row = 0; row < rows; ++row) {
    result->starts[row] = static_cast<std::uint32_t>(total);
    const std::uint64_t count = per_row[row];
    if (count > limits::related_max || (total += count) > limits::block_related_max * 2) {
      return src->placed({ErrorCode::corrupt, "too many related targets", 0, 0, 0},
                         place_of(*where, *counts));
    }
  }
  result->starts[rows] = static_cast<std::uint32_t>(total);
  const SectionEntry* targets = where->directory.find(Section::related_targets);
  if (targets == nullptr || targets->items != total) {
    return src->placed({ErrorCode::corrupt, "related targets do not match their counts", 0, 0, 0},
                       place_of(*where, *counts));
  }
  DOCKET_ASSIGN(const auto dictionaries, this->dictionaries(block));
  DOCKET_ASSIGN(const PackedInts ids,
                ints(*src, *where, Section::related_targets, static_cast<std::uint32_t>(total),
                     dictionaries->target_count()));
  result->targets.resize(total);
  ids.unpack(0, ids.size(), result->targets.data());
  std::shared_ptr<const RelatedColumn> shared = std::move(result);
  src->cache().put<RelatedColumn>(key, shared, (shared->starts.size() + total) * 4);
  return shared;
}

Result<std::shared_ptr<const SegmentBase::PayloadIndex>> SegmentBase::payload_index(
    const SegmentSource& source, const BlockPlace& where) const {
  const SectionEntry* data = where.directory.find(Section::payload_data);
  const FileOffset at = place_of(where, *data);
  const auto key = source.key(at, kind_payload_index);
  if (auto kept = source.cache().find<PayloadIndex>(key)) {
    return kept;
  }
  const std::uint32_t rows = where.directory.rows;
  DOCKET_ASSIGN(const PackedInts lengths, ints(source, where, Section::payload_lengths, rows, 0));
  auto index = std::make_shared<PayloadIndex>();
  index->section = at;
  index->starts.resize(std::size_t{rows} + 1);
  std::uint64_t total = 0;
  for (std::uint32_t row = 0; row < rows; ++row) {
    index->starts[row] = static_cast<std::uint32_t>(total);
    const std::uint64_t length = lengths[row];
    if (length > limits::payload_bytes_max || (total += length) > limits::block_bytes_max) {
      return source.placed({ErrorCode::corrupt, "payload lengths are out of bounds", 0, 0, 0}, at);
    }
  }
  index->starts[rows] = static_cast<std::uint32_t>(total);
  std::vector<std::byte> table(data->items * chunk_entry_bytes);
  DOCKET_TRY(source.read(at, table));
  auto chunks = read_chunk_table(*data, table, rows);
  if (!chunks) {
    return source.placed(chunks.error(), at);
  }
  index->chunks = std::move(*chunks);
  if (index->chunks.empty() && total != 0) {
    return source.placed({ErrorCode::corrupt, "payload lengths without payloads", 0, 0, 0}, at);
  }
  for (const PayloadChunk& chunk : index->chunks) {
    index->first_rows.push_back(chunk.first_row);
  }
  index->first_rows.push_back(rows);
  for (std::size_t i = 0; i < index->chunks.size(); ++i) {
    const PayloadChunk& chunk = index->chunks[i];
    const std::uint32_t end = index->first_rows[i + 1];
    if (index->starts[end] - index->starts[chunk.first_row] != chunk.raw_bytes ||
        (i == 0 && index->starts[chunk.first_row] != 0)) {
      return source.placed({ErrorCode::corrupt, "payload chunks do not match the lengths", 0, 0, 0},
                           at);
    }
  }
  std::shared_ptr<const PayloadIndex> shared = std::move(index);
  source.cache().put<PayloadIndex>(key, shared,
                                   shared->starts.size() * 4 + shared->chunks.size() * 24);
  return shared;
}

Result<std::shared_ptr<const TokenTable>> SegmentBase::tokens_of(const SegmentSource& source,
                                                                 const BlockPlace& place) const {
  const SectionEntry* data = place.directory.find(Section::payload_data);
  if (data->codec != Codec::chunks_tokens) {
    return nullptr;
  }
  DOCKET_ASSIGN(const PlacedTokens* placed, payload_tokens());
  if (placed == nullptr) {
    return source.placed({ErrorCode::corrupt, "payloads of tokens that are not there", 0, 0, 0},
                         place_of(place, *data));
  }
  return source.tokens(*placed);
}

Result<void> SegmentBase::payloads(
    std::uint32_t block, std::span<const std::uint32_t> rows,
    const std::function<bool(std::uint32_t row, std::string_view payload)>& visit) const {
  DOCKET_ASSIGN(const SegmentSource* src, source(block));
  DOCKET_ASSIGN(const auto where, place(block));
  if (where->directory.find(Section::payload_data) == nullptr) {
    return {};
  }
  DOCKET_ASSIGN(const auto index, payload_index(*src, *where));
  DOCKET_ASSIGN(const auto tokens, tokens_of(*src, *where));
  std::shared_ptr<const std::vector<std::byte>> raw;
  std::vector<std::byte> stored;
  std::size_t loaded = index->chunks.size();  // none
  for (const std::uint32_t row : rows) {
    const std::uint32_t bytes = index->starts[row + 1] - index->starts[row];
    if (bytes == 0) {
      continue;
    }
    const auto after = std::upper_bound(
        index->chunks.begin(), index->chunks.end(), row,
        [](std::uint32_t r, const PayloadChunk& chunk) { return r < chunk.first_row; });
    const auto number = static_cast<std::size_t>(after - index->chunks.begin()) - 1;
    const PayloadChunk& chunk = index->chunks[number];
    if (number != loaded) {
      const auto key = index->key(*src, number);
      raw = src->cache().find<std::vector<std::byte>>(key);
      if (!raw) {
        auto decompressed = std::make_shared<std::vector<std::byte>>(chunk.raw_bytes);
        DOCKET_TRY(index->read(*src, number, tokens.get(), stored, *decompressed));
        raw = std::move(decompressed);
        if (rows.size() <= rows_worth_caching) {
          src->cache().put<std::vector<std::byte>>(key, raw, raw->size());
        }
      }
      loaded = number;
    }
    const std::uint32_t start = index->starts[row] - index->starts[chunk.first_row];
    if (!visit(row, {reinterpret_cast<const char*>(raw->data()) + start, bytes})) {
      break;
    }
  }
  return {};
}

Result<std::shared_ptr<const TimeStrips>> SegmentBase::time_strips(std::uint32_t block) const {
  DOCKET_ASSIGN(const SegmentSource* src, source(block));
  DOCKET_ASSIGN(const auto where, place(block));
  const SectionEntry* times = where->directory.find(Section::row_ts);
  if (times == nullptr) {
    return SegmentReader::time_strips(block);
  }
  const auto key = src->key(place_of(*where, *times), kind_time_strips);
  if (auto kept = src->cache().find<TimeStrips>(key)) {
    return kept;
  }
  DOCKET_ASSIGN(auto made, SegmentReader::time_strips(block));
  src->cache().put<TimeStrips>(key, made, made->memory_bytes());
  return made;
}

Result<std::shared_ptr<const PayloadRuns>> SegmentBase::payload_runs(std::uint32_t block) const {
  DOCKET_ASSIGN(const SegmentSource* src, source(block));
  DOCKET_ASSIGN(const auto where, place(block));
  if (where->directory.find(Section::payload_data) == nullptr) {
    return nullptr;
  }
  DOCKET_ASSIGN(auto index, payload_index(*src, *where));
  DOCKET_ASSIGN(auto tokens, tokens_of(*src, *where));
  return std::make_shared<const ChunkRuns>(*src, std::move(index), std::move(tokens));
}

Result<void> PayloadRuns::scan(std::span<const std::size_t> runs,
                               const std::shared_ptr<const ByteAutomaton>& /*automaton*/,
                               PayloadBuffer& /*buffer*/, TokenScan& scan) const {
  scan.start(runs.size());
  return {};
}

std::uint32_t block_of_row(std::span<const BlockInfo> blocks, std::uint32_t row) {
  const auto after =
      std::upper_bound(blocks.begin(), blocks.end(), row,
                       [](std::uint32_t r, const BlockInfo& block) { return r < block.first_row; });
  return static_cast<std::uint32_t>(after - blocks.begin()) - 1;
}

}  // namespace docket
