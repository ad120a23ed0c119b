#include "engine/sealer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "engine/assert.hpp"
#include "engine/block.hpp"
#include "engine/body.hpp"
#include "engine/bytes.hpp"
#include "engine/dictionary_merge.hpp"
#include "engine/dictionary_writer.hpp"
#include "engine/file_writer.hpp"
#include "engine/footer.hpp"
#include "engine/limits.hpp"
#include "engine/out_of_memory.hpp"
#include "engine/segment_file.hpp"
#include "engine/segment_survey.hpp"
#include "engine/token_table.hpp"

namespace docket {

namespace {

constexpr std::size_t id_column_count = 9;
// The columns that hold ids or small numbers, as 32 bits, in the order of their sections.
constexpr std::array<RowColumn, id_column_count> id_columns = {
    RowColumn::actor,  RowColumn::verb,    RowColumn::target,  RowColumn::ip,  RowColumn::outcome,
    RowColumn::reason, RowColumn::session, RowColumn::request, RowColumn::node};

// Rows on their way from the source's blocks to full ones.
struct Rows {
  std::vector<std::uint64_t> ts, received, affected;
  std::array<std::vector<std::uint32_t>, id_column_count> ids;
  std::vector<std::uint32_t> related_counts, related_targets, payload_lengths;
  std::vector<std::byte> payloads;

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(ts.size()); }
  void clear() {
    for (auto* column : {&ts, &received, &affected}) {
      column->clear();
    }
    for (auto& column : ids) {
      column.clear();
    }
    for (auto* column : {&related_counts, &related_targets, &payload_lengths}) {
      column->clear();
    }
    payloads.clear();
  }
};

class Sealer {
 public:
  Sealer(Disk& disk, const SealRequest& request)
      : disk_(disk), request_(request), source_(*request.source) {}

  Result<SealResult> seal() {
    DOCKET_ASSIGN(blocks_, source_.blocks());
    DOCKET_TRY(merge_dictionaries());
    const std::string path = request_.directory + "/" + segment_file_name(source_.info().id, "seg");
    const std::string temporary = path + ".tmp";
    DOCKET_ASSIGN(const auto file, disk_.open(temporary, OpenMode::create_empty));
    if (auto written = within_memory([&] { return write(*file); }); !written) {
      static_cast<void>(disk_.unlink(temporary));
      return fail(written.error());
    }
    if (result_.info.rows == 0) {
      static_cast<void>(disk_.unlink(temporary));
      return std::move(result_);
    }
    if (auto renamed = disk_.rename(temporary, path); !renamed) {
      static_cast<void>(disk_.unlink(temporary));
      return fail(renamed.error());
    }
    // If this fails the file stays: an earlier attempt may have got as far as the manifest, which
    // then lists it, and the next attempt makes the same file again.
    DOCKET_TRY(disk_.sync_directory(request_.directory));
    result_.info.path = path;
    return std::move(result_);
  }

 private:
  // Damage is a loss to name; anything else ends the sealing.
  Result<void> lose(std::uint32_t block, const Error& error) {
    if (error.code != ErrorCode::corrupt) {
      return fail(error);
    }
    const BlockInfo& info = blocks_[block];
    result_.losses.push_back(
        {info.first_seq, info.first_seq + (info.rows - 1), error.describe(), source_.range(block)});
    return {};
  }

  // A file that is cut or not ours any more has lost tens of thousands of small blocks in a row.
  // That is one loss, with the reason of its first block.
  void join_losses() {
    std::sort(result_.losses.begin(), result_.losses.end(),
              [](const SealLoss& a, const SealLoss& b) { return a.first_seq < b.first_seq; });
    std::vector<SealLoss> joined;
    std::uint64_t more = 0;  // blocks in the last one, besides its first
    const auto finish = [&] {
      if (more != 0) {
        joined.back().reason += fmt::format(", and {} more blocks behind it", more);
      }
      more = 0;
    };
    for (SealLoss& loss : result_.losses) {
      if (!joined.empty() && joined.back().last_seq + 1 == loss.first_seq) {
        FileRange& range = joined.back().range;
        range.bytes = loss.range.at.value + loss.range.bytes - range.at.value;
        joined.back().last_seq = loss.last_seq;
        ++more;
      } else {
        finish();
        joined.push_back(std::move(loss));
      }
    }
    finish();
    result_.losses = std::move(joined);
  }

  Result<void> merge_dictionaries() {
    maps_.resize(blocks_.size());
    for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
      const auto dictionaries = source_.dictionaries(b);
      Result<IdMaps> maps =
          dictionaries ? merge_.add(**dictionaries) : Result<IdMaps>(fail(dictionaries.error()));
      if (maps) {
        maps_[b] = std::move(*maps);
      } else {
        DOCKET_TRY(lose(b, maps.error()));
      }
    }
    merge_.sort();
    for (auto& maps : maps_) {
      if (maps) {
        merge_.finish(*maps);
      }
    }
    return {};
  }

  Result<void> write(File& file) {
    DOCKET_TRY(survey());
    writer_.emplace(file);
    DOCKET_TRY(writer_->append(encode_segment_header(
        {SegmentKind::sealed, source_.info().log, source_.info().id, source_.info().first_seq})));
    footer_.summary.ts_min = footer_.summary.received_min = INT64_MAX;
    footer_.summary.ts_max = footer_.summary.received_max = INT64_MIN;
    for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
      if (!maps_[b]) {
        continue;
      }
      const BlockInfo& block = blocks_[b];
      if (rows_.size() != 0 && first_seq_ + rows_.size() != block.first_seq) {
        DOCKET_TRY(flush_block());  // a gap: seqs run on within a block
      }
      if (auto taken = take(b); !taken) {
        DOCKET_TRY(lose(b, taken.error()));
      }
    }
    DOCKET_TRY(flush_block());
    join_losses();
    DOCKET_TRY(write_dictionaries());
    DOCKET_TRY(write_footer());
    DOCKET_TRY(writer_->flush());
    return file.sync_data();
  }

  // What is frequent in the segment: ids, and what payloads are made of.
  Result<void> survey() {
    SegmentSurvey survey(
        source_, {merge_.actor_count(), merge_.target_count(), merge_.size(DictionaryField::ip)});
    for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
      if (maps_[b]) {
        // What is damaged is met again where its rows are taken.
        if (auto seen = survey.look_at(b, *maps_[b]);
            !seen && seen.error().code != ErrorCode::corrupt) {
          return fail(seen.error());
        }
      }
    }
    actor_order_ = survey.actors();
    target_order_ = survey.targets();
    ip_order_ = survey.ips();
    tokens_ = survey.payload_tokens();
    if (tokens_) {
      token_encoder_.emplace(*tokens_);
    }
    return {};
  }

  [[nodiscard]] const ValueOrder* order_of(RowColumn column) const {
    switch (column) {
      case RowColumn::actor:
        return &actor_order_;
      case RowColumn::target:
        return &target_order_;
      case RowColumn::ip:
        return &ip_order_;
      default:
        return nullptr;
    }
  }

  // Reads all of a source block before any of it goes into rows_, so that damage loses the block
  // and nothing else.
  struct TakenBlock {
    std::array<PackedInts, row_column_count> columns;
    std::shared_ptr<const RelatedColumn> related;
    std::vector<std::uint32_t> payload_lengths;
    std::vector<std::byte> payloads;
  };

  Result<void> take(std::uint32_t b) {
    const BlockInfo& block = blocks_[b];
    TakenBlock taken;
    for (std::size_t c = 0; c < row_column_count; ++c) {
      DOCKET_ASSIGN(taken.columns[c], source_.column(b, static_cast<RowColumn>(c)));
    }
    DOCKET_ASSIGN(taken.related, source_.related(b));
    if (block.has_payload) {
      DOCKET_TRY(take_payloads(b, taken));
    }
    std::uint32_t done = 0;
    while (done < block.rows) {
      if (rows_.size() == 0) {
        first_seq_ = block.first_seq + done;
      }
      const std::uint32_t count = rows_that_fit(taken, done, block.rows);
      append(taken, *maps_[b], done, done + count);
      done += count;
      if (is_full()) {
        DOCKET_TRY(flush_block());
      }
    }
    return {};
  }

  // Whether rows_ is a full block: of rows, of payloads, or of related targets.
  [[nodiscard]] bool is_full() const {
    return rows_.size() == limits::block_rows_max ||
           rows_.payloads.size() >= limits::block_raw_bytes_target ||
           rows_.related_targets.size() > limits::block_related_max - limits::related_max;
  }

  // How many rows of a taken block from `begin` on go into rows_ until it is full: at least one.
  [[nodiscard]] std::uint32_t rows_that_fit(const TakenBlock& taken, std::uint32_t begin,
                                            std::uint32_t rows) const {
    const std::uint32_t room = std::min(rows - begin, limits::block_rows_max - rows_.size());
    std::size_t payloads = rows_.payloads.size();
    std::size_t related = rows_.related_targets.size();
    for (std::uint32_t row = begin; row < begin + room; ++row) {
      if (!taken.payload_lengths.empty()) {
        payloads += taken.payload_lengths[row];
      }
      if (!taken.related->starts.empty()) {
        related += taken.related->starts[row + 1] - taken.related->starts[row];
      }
      if (payloads >= limits::block_raw_bytes_target ||
          related > limits::block_related_max - limits::related_max) {
        return row + 1 - begin;
      }
    }
    return room;
  }

  Result<void> take_payloads(std::uint32_t b, TakenBlock& taken) {
    const BlockInfo& block = blocks_[b];
    taken.payload_lengths.resize(block.rows);
    std::vector<std::uint32_t> all(block.rows);
    for (std::uint32_t row = 0; row < block.rows; ++row) {
      all[row] = row;
    }
    return source_.payloads(b, all, [&taken](std::uint32_t row, std::string_view payload) {
      taken.payload_lengths[row] = static_cast<std::uint32_t>(payload.size());
      append_bytes(taken.payloads, as_byte_span(payload));
      return true;
    });
  }

  // Rows [begin, end) of a taken block go to the end of rows_.
  void append(TakenBlock& taken, const IdMaps& maps, std::uint32_t begin, std::uint32_t end) {
    const auto wide = [&](RowColumn column, std::vector<std::uint64_t>& out) {
      const std::size_t at = out.size();
      out.resize(at + (end - begin));
      taken.columns[static_cast<std::size_t>(column)].unpack(begin, end, out.data() + at);
    };
    wide(RowColumn::ts, rows_.ts);
    wide(RowColumn::received, rows_.received);
    wide(RowColumn::affected, rows_.affected);
    for (std::size_t c = 0; c < id_column_count; ++c) {
      std::vector<std::uint32_t>& out = rows_.ids[c];
      const std::size_t at = out.size();
      out.resize(at + (end - begin));
      taken.columns[static_cast<std::size_t>(id_columns[c])].unpack(begin, end, out.data() + at);
      if (const auto* map = map_of(maps, id_columns[c])) {
        for (std::size_t i = at; i < out.size(); ++i) {
          out[i] = (*map)[out[i]];
        }
      }
    }
    for (std::uint32_t row = begin; row < end; ++row) {
      const bool any = !taken.related->starts.empty();
      const std::uint32_t from = any ? taken.related->starts[row] : 0;
      const std::uint32_t to = any ? taken.related->starts[row + 1] : 0;
      rows_.related_counts.push_back(to - from);
      for (std::uint32_t i = from; i < to; ++i) {
        rows_.related_targets.push_back(maps.targets[taken.related->targets[i]]);
      }
    }
    if (taken.payload_lengths.empty()) {
      rows_.payload_lengths.resize(rows_.payload_lengths.size() + (end - begin));
      return;
    }
    std::size_t bytes = 0;
    for (std::uint32_t row = begin; row < end; ++row) {
      rows_.payload_lengths.push_back(taken.payload_lengths[row]);
      bytes += taken.payload_lengths[row];
    }
    const auto from = std::span<const std::byte>(taken.payloads);
    append_bytes(rows_.payloads, from.subspan(payload_at(taken, begin), bytes));
  }

  static std::size_t payload_at(const TakenBlock& taken, std::uint32_t row) {
    std::size_t at = 0;
    for (std::uint32_t r = 0; r < row; ++r) {
      at += taken.payload_lengths[r];
    }
    return at;
  }

  static const std::vector<std::uint32_t>* map_of(const IdMaps& maps, RowColumn column) {
    const auto plain = [&maps](DictionaryField f) {
      return &maps.plain[static_cast<std::size_t>(f)];
    };
    switch (column) {
      case RowColumn::actor:
        return &maps.actors;
      case RowColumn::target:
        return &maps.targets;
      case RowColumn::verb:
        return plain(DictionaryField::verb);
      case RowColumn::ip:
        return plain(DictionaryField::ip);
      case RowColumn::reason:
        return plain(DictionaryField::reason);
      case RowColumn::session:
        return plain(DictionaryField::session);
      case RowColumn::request:
        return plain(DictionaryField::request);
      case RowColumn::node:
        return plain(DictionaryField::node);
      default:
        return nullptr;
    }
  }

  // Writes rows_ as one sealed block.
  Result<void> flush_block() {
    if (rows_.size() == 0) {
      return {};
    }
    body_.start(rows_.size(), BodyForm::sealed);
    body_.add_ints(Section::row_ts, rows_.ts, true);
    body_.add_ints(Section::row_received, rows_.received, true);
    // Sections stand in ascending order; `affected` comes between target and ip.
    for (std::size_t c = 0; c < id_column_count; ++c) {
      body_.add_ints(section_of(id_columns[c]), rows_.ids[c], {.order = order_of(id_columns[c])});
      if (id_columns[c] == RowColumn::target) {
        body_.add_ints(Section::row_affected, rows_.affected, false);
      }
    }
    body_.add_ints(Section::related_counts, rows_.related_counts);
    body_.add_ints(Section::related_targets, rows_.related_targets, {.order = &target_order_});
    body_.add_payloads(rows_.payload_lengths, rows_.payloads,
                       token_encoder_ ? &*token_encoder_ : nullptr);
    const std::vector<std::byte> body = body_.finish();
    DOCKET_TRY(write_block(body));
    rows_.clear();
    return {};
  }

  Result<void> write_block(std::span<const std::byte> body) {
    const auto time_range = [](const std::vector<std::uint64_t>& values) {
      const auto [least, most] =
          std::minmax_element(values.begin(), values.end(), [](std::uint64_t a, std::uint64_t b) {
            return static_cast<Nanos>(a) < static_cast<Nanos>(b);
          });
      return std::pair(static_cast<Nanos>(*least), static_cast<Nanos>(*most));
    };
    auto directory = parse_directory(body, BodyForm::sealed);
    DOCKET_ASSERT(directory.has_value());
    BlockHeader header;
    header.flags = block_sealed;
    header.flags |= directory->find(Section::related_counts) != nullptr ? block_has_related : 0U;
    header.flags |= directory->find(Section::payload_data) != nullptr ? block_has_payload : 0U;
    header.segment = source_.info().id;
    header.offset = writer_->position();
    header.first_seq = first_seq_;
    header.rows = rows_.size();
    header.body_bytes = static_cast<std::uint32_t>(body.size());
    header.directory_bytes = static_cast<std::uint32_t>(directory->directory_bytes());
    header.durable_seq = source_.info().first_seq - 1;
    std::tie(header.ts_min, header.ts_max) = time_range(rows_.ts);
    std::tie(header.received_min, header.received_max) = time_range(rows_.received);

    std::vector<std::byte> block(block_header_bytes);
    append_bytes(block, body);
    encode_block_header(header,
                        std::span(block).first(block_header_bytes + header.directory_bytes));
    block.resize(header.block_bytes());
    DOCKET_TRY(writer_->append(block));

    SegmentSummary& s = footer_.summary;
    if (footer_.blocks.empty()) {
      s.first_seq = header.first_seq;
    }
    s.last_seq = header.end_seq() - 1;
    s.rows += header.rows;
    s.ts_min = std::min(s.ts_min, header.ts_min);
    s.ts_max = std::max(s.ts_max, header.ts_max);
    s.received_min = std::min(s.received_min, header.received_min);
    s.received_max = std::max(s.received_max, header.received_max);
    footer_.blocks.push_back({header, std::move(*directory)});
    return {};
  }

  Result<void> write_dictionaries() {
    DictionaryWriter writer(*writer_, footer_);
    DOCKET_TRY(writer.write(merge_));
    // Only what a block needs: nothing would ever read, and so verify, anything else.
    if (is_used(Section::row_actor, Codec::ints_coded)) {
      DOCKET_TRY(writer.write_order(actor_order_, footer_.actor_order));
    }
    if (is_used(Section::row_target, Codec::ints_coded) ||
        is_used(Section::related_targets, Codec::ints_coded)) {
      DOCKET_TRY(writer.write_order(target_order_, footer_.target_order));
    }
    if (is_used(Section::row_ip, Codec::ints_coded)) {
      DOCKET_TRY(writer.write_order(ip_order_, footer_.ip_order));
    }
    return tokens_ && is_used(Section::payload_data, Codec::chunks_tokens)
               ? writer.write_tokens(*tokens_, footer_.payload_tokens)
               : Result<void>();
  }

  [[nodiscard]] bool is_used(Section section, Codec codec) const {
    return std::any_of(footer_.blocks.begin(), footer_.blocks.end(), [&](const SealedBlock& block) {
      const SectionEntry* entry = block.directory.find(section);
      return entry != nullptr && entry->codec == codec;
    });
  }

  Result<void> write_footer() {
    footer_.producers = request_.producers;
    const std::vector<std::byte> footer = encode_footer(footer_, writer_->position());
    DOCKET_TRY(writer_->append(footer));
    const SegmentSummary& s = footer_.summary;
    result_.info = {.log = source_.info().log,
                    .id = source_.info().id,
                    .first_seq = s.first_seq,
                    .last_seq = s.last_seq,
                    .rows = s.rows,
                    .ts_min = s.ts_min,
                    .ts_max = s.ts_max,
                    .received_max = s.received_max,
                    .bytes = writer_->position().value,
                    .sealed = true,
                    .digest = trailer_digest(footer),
                    .path = {}};
    return {};
  }

  Disk& disk_;
  const SealRequest& request_;
  const SegmentBase& source_;
  std::span<const BlockInfo> blocks_;
  DictionaryMerge merge_;
  std::vector<std::optional<IdMaps>> maps_;  // by block; empty: the block is lost
  ValueOrder actor_order_, target_order_, ip_order_;
  std::optional<Tokens> tokens_;  // of payloads
  std::optional<TokenEncoder> token_encoder_;
  std::optional<FileWriter> writer_;
  Rows rows_;
  Seq first_seq_;  // of rows_
  BodyWriter body_;
  Footer footer_;
  SealResult result_;
};

}  // namespace

Result<SealResult> seal_segment(Disk& disk, const SealRequest& request) {
  DOCKET_ASSERT(request.source != nullptr && request.source->info().rows != 0);
  return Sealer(disk, request).seal();
}

}  // namespace docket
