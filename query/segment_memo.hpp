// A segment as one query sees it while it decodes events: strings that were read stay at hand, and
// those of many rows can be read ahead together.
//
// Dictionaries are read through a cache that all queries share, page by page, under a lock. That is
// right for the few strings of a page of answers, and most of the cost of an export.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/segment_reader.hpp"
#include "query/text_window.hpp"

namespace docket::query {

class MemoDictionaries;

// Not thread-safe, other than what it stands for: make one per query. `segment` must outlive it.
class SegmentMemo final : public SegmentReader {
 public:
  explicit SegmentMemo(const SegmentReader& segment);
  ~SegmentMemo() override;

  // A row by its block and its place in it.
  using BlockRow = std::pair<std::uint32_t, std::uint32_t>;
  // Reads strings and payloads of these rows, which will be read next, instead of those of the rows
  // before. Memory: the strings of the rows, and payload_bytes_ahead of payloads. What cannot be
  // read is left to the reading of its row, to be told there. Only worth it for hundreds of rows.
  void read_ahead(std::vector<BlockRow> rows);

  [[nodiscard]] const SegmentInfo& info() const override { return segment_.info(); }
  [[nodiscard]] Result<std::span<const BlockInfo>> blocks() const override {
    return segment_.blocks();
  }
  [[nodiscard]] Result<PackedInts> column(std::uint32_t block, RowColumn column) const override {
    return segment_.column(block, column);
  }
  [[nodiscard]] Result<std::shared_ptr<const RelatedColumn>> related(
      std::uint32_t block) const override {
    return segment_.related(block);
  }
  [[nodiscard]] Result<void> payloads(
      std::uint32_t block, std::span<const std::uint32_t> rows,
      const std::function<bool(std::uint32_t row, std::string_view payload)>& visit) const override;
  [[nodiscard]] Result<std::shared_ptr<const PayloadRuns>> payload_runs(
      std::uint32_t block) const override {
    return segment_.payload_runs(block);
  }
  // Of a sealed segment; those of an active one are in memory as they are.
  [[nodiscard]] Result<std::shared_ptr<const Dictionaries>> dictionaries(
      std::uint32_t block) const override;

 private:
  [[nodiscard]] Result<std::shared_ptr<const MemoDictionaries>> memo() const;
  void read_strings_ahead(const std::vector<BlockRow>& rows);
  void read_payloads_ahead(const std::vector<BlockRow>& rows);

  const SegmentReader& segment_;
  mutable std::shared_ptr<const MemoDictionaries> memo_;
  TextWindow payloads_;  // by block and row; empty: the row has none
};

}  // namespace docket::query
