// What active and sealed segments read the same way: columns, related targets and payloads of a
// block whose directory is at hand.
#pragma once

#include <memory>
#include <optional>

#include "engine/segment_reader.hpp"
#include "engine/segment_source.hpp"

namespace docket {

struct BlockPlace {
  FileOffset body;  // of the section directory in the file
  BodyDirectory directory;
};

// A part of a file; of no length where it is not known.
struct FileRange {
  FileOffset at;
  std::uint64_t bytes = 0;
};

// Whether each value is below `limit`: no id but those that a dictionary has.
[[nodiscard]] bool are_below(const PackedInts& values, std::uint64_t limit);

class SegmentBase : public SegmentReader {
 public:
  // The block with its header, without padding. For naming what is damaged: reads nothing that has
  // not been read, as far as it can.
  [[nodiscard]] virtual FileRange range(std::uint32_t block) const;
  [[nodiscard]] Result<PackedInts> column(std::uint32_t block, RowColumn column) const override;
  [[nodiscard]] Result<std::shared_ptr<const RelatedColumn>> related(
      std::uint32_t block) const override;
  [[nodiscard]] Result<void> payloads(
      std::uint32_t block, std::span<const std::uint32_t> rows,
      const std::function<bool(std::uint32_t row, std::string_view payload)>& visit) const override;
  [[nodiscard]] Result<std::shared_ptr<const TimeStrips>> time_strips(
      std::uint32_t block) const override;
  [[nodiscard]] Result<std::shared_ptr<const PayloadRuns>> payload_runs(
      std::uint32_t block) const override;

 protected:
  // Where `block` is. It must be below the number of blocks.
  [[nodiscard]] virtual Result<std::shared_ptr<const BlockPlace>> place(
      std::uint32_t block) const = 0;
  // What the block is read from; lives as long as the segment.
  [[nodiscard]] virtual Result<const SegmentSource*> source(std::uint32_t block) const = 0;
  // Where the tokens of its payloads are; nullptr where it has none.
  [[nodiscard]] virtual Result<const PlacedTokens*> payload_tokens() const { return nullptr; }
  // By what order the ids of a section are coded.
  [[nodiscard]] virtual Result<IdOrder> order_of(Section) const { return IdOrder(); }

 private:
  struct PayloadIndex;
  class ChunkRuns;
  [[nodiscard]] Result<PackedInts> ints(const SegmentSource& source, const BlockPlace& place,
                                        Section section, std::uint32_t items,
                                        std::uint64_t limit) const;
  [[nodiscard]] Result<std::shared_ptr<const PayloadIndex>> payload_index(
      const SegmentSource& source, const BlockPlace& place) const;
  // What the payloads of a block are decoded with: null where they are LZ4 blocks.
  [[nodiscard]] Result<std::shared_ptr<const TokenTable>> tokens_of(const SegmentSource& source,
                                                                    const BlockPlace& place) const;
  // One above the largest id that `column` may hold in that block; 0: any value.
  [[nodiscard]] Result<std::uint64_t> id_limit(std::uint32_t block, RowColumn column) const;
};

}  // namespace docket
