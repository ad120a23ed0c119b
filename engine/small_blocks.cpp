// HotBlocks: merging runs of small blocks in memory.
#include <algorithm>

#include "engine/assert.hpp"
#include "engine/batch.hpp"
#include "engine/body.hpp"
#include "engine/bytes.hpp"
#include "engine/hot_segment.hpp"
#include "engine/memory_file.hpp"

namespace docket {

namespace {

// Collects the rows of consecutive blocks and turns them into merged ones.
class Merger {
 public:
  Merger(const SegmentSource& file, const SegmentSource& memory) : file_(file), memory_(memory) {}

  Result<void> add(const HotBlockRef& ref, const BlockInfo& info) {
    const bool goes_on =
        builder_.rows() != 0 && first_.first_seq + builder_.rows() == info.first_seq;
    if (builder_.rows() != 0 &&
        (!goes_on || builder_.full() || builder_.rows() + info.rows > limits::block_rows_max)) {
      DOCKET_TRY(flush());
    }
    if (builder_.rows() == 0) {
      first_ = info;
      first_.rows = 0;
    }
    const SegmentSource& from = ref.merged ? memory_ : file_;
    const FileOffset at = ref.at + block_header_bytes;
    std::vector<std::byte> bytes(ref.body_bytes + section_padding);
    DOCKET_TRY(from.read(at, std::span(bytes).first(ref.body_bytes)));
    const auto body = decode_body(std::span<const std::byte>(bytes).first(ref.body_bytes));
    if (!body) {
      return from.placed(body.error(), at);
    }
    if (body->rows != info.rows) {
      return from.placed({ErrorCode::corrupt, "another block stands in its place", 0, 0, 0}, at);
    }
    const StringList& nodes = body->strings(DictionaryField::node);
    for (std::uint32_t row = 0; row < body->rows; ++row) {
      if (builder_.full()) {
        DOCKET_TRY(flush());
        first_ = info;
        first_.first_seq = info.first_seq + row;
        first_.rows = 0;
      }
      builder_.add_stored(body->event(row, related_),
                          static_cast<Nanos>(body->column(RowColumn::received)[row]),
                          nodes[static_cast<std::uint32_t>(body->column(RowColumn::node)[row])]);
    }
    return {};
  }

  Result<void> flush() {
    if (builder_.rows() == 0) {
      return {};
    }
    EncodedBatch batch = builder_.finish();
    BlockHeader header;
    header.segment = file_.id();
    header.first_seq = first_.first_seq;
    header.rows = batch.rows;
    header.ts_min = batch.ts_min;
    header.ts_max = batch.ts_max;
    header.body_bytes = static_cast<std::uint32_t>(batch.bytes.size());
    header.directory_bytes = static_cast<std::uint32_t>(directory_size(batch.bytes));
    const auto directory = parse_directory(batch.bytes);
    DOCKET_ASSERT(directory.has_value());
    header.flags |= directory->find(Section::related_counts) != nullptr ? block_has_related : 0U;
    header.flags |= directory->find(Section::payload_data) != nullptr ? block_has_payload : 0U;
    DOCKET_ASSIGN(const std::uint64_t end, memory_.file().size());
    header.offset = FileOffset(align_block(end));
    std::vector<std::byte> block(block_header_bytes);
    append_bytes(block, batch.bytes);
    encode_block_header(header,
                        std::span(block).first(block_header_bytes + header.directory_bytes));
    const std::span<const std::byte> part(block);
    DOCKET_TRY(memory_.file().write_at(header.offset, std::span(&part, 1)));
    merged_.refs.push_back({header.offset,
                            static_cast<std::uint32_t>(block_header_bytes) + header.directory_bytes,
                            header.body_bytes, true});
    merged_.infos.push_back({.first_seq = header.first_seq,
                             .first_row = 0,
                             .rows = header.rows,
                             .ts_min = header.ts_min,
                             .ts_max = header.ts_max,
                             .has_related = (header.flags & block_has_related) != 0,
                             .has_payload = (header.flags & block_has_payload) != 0});
    return {};
  }

  HotBlocks::MergedBlocks take() { return std::move(merged_); }

 private:
  const SegmentSource& file_;
  const SegmentSource& memory_;
  BatchBuilder builder_;
  BlockInfo first_;  // first_seq of what is in the builder
  std::vector<TargetView> related_;
  HotBlocks::MergedBlocks merged_;
};

}  // namespace

bool HotBlocks::has_small_run() const {
  if (small_run_ < small_run_min) {
    return false;
  }
  const auto used = memory_ ? memory_->file().size() : Result<std::uint64_t>(0);
  return used && *used < merged_bytes_max;
}

SmallBlockMerge HotBlocks::small_run() {
  if (!memory_) {
    memory_ = std::make_shared<const SegmentSource>(
        std::make_unique<MemoryFile>(), source_->cache(), source_->id(), source_->path());
  }
  SmallBlockMerge run;
  run.end = view_refs_.size();
  run.begin = run.end - small_run_;
  const auto refs = view_refs_.view().span().subspan(run.begin);
  const auto infos = view_infos_.view().span().subspan(run.begin);
  run.refs.assign(refs.begin(), refs.end());
  run.infos.assign(infos.begin(), infos.end());
  return run;
}

Result<HotBlocks::MergedBlocks> HotBlocks::merge(const SegmentSource& file,
                                                 const SegmentSource& memory,
                                                 const SmallBlockMerge& run) {
  Merger merger(file, memory);
  for (std::size_t i = 0; i < run.refs.size(); ++i) {
    DOCKET_TRY(merger.add(run.refs[i], run.infos[i]));
  }
  DOCKET_TRY(merger.flush());
  return merger.take();
}

bool HotBlocks::replace(const SmallBlockMerge& run, const MergedBlocks& merged) {
  const auto infos = view_infos_.view();
  const auto refs = view_refs_.view();
  const auto stands = [&](std::size_t at, const HotBlockRef& ref) {
    return refs.span()[at].at == ref.at && refs.span()[at].merged == ref.merged;
  };
  if (run.refs.empty() || refs.size < run.end || !stands(run.begin, run.refs.front()) ||
      !stands(run.end - 1, run.refs.back())) {
    return false;
  }
  // New arrays: a view that a reader holds never changes.
  AppendOnly<BlockInfo> new_infos;
  AppendOnly<HotBlockRef> new_refs;
  // As wide as the old ones: what was reserved stays so.
  new_infos.reserve(view_infos_.capacity());
  new_refs.reserve(view_refs_.capacity());
  std::uint32_t row = 0;
  std::size_t small = 0;
  const auto add = [&](BlockInfo info, const HotBlockRef& ref) {
    info.first_row = row;
    row += info.rows;
    new_infos.append(info);
    new_refs.append(ref);
    small = info.rows <= small_rows_max ? small + 1 : 0;
  };
  for (std::size_t i = 0; i < run.begin; ++i) {
    add(infos.span()[i], refs.span()[i]);
  }
  for (std::size_t i = 0; i < merged.refs.size(); ++i) {
    add(merged.infos[i], merged.refs[i]);
  }
  for (std::size_t i = run.end; i < refs.size; ++i) {
    add(infos.span()[i], refs.span()[i]);
  }
  DOCKET_ASSERT(row == rows_);
  small_run_ = small;
  view_infos_ = std::move(new_infos);
  view_refs_ = std::move(new_refs);
  return true;
}

}  // namespace docket
