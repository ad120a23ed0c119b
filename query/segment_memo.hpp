// A segment as one query sees it while it decodes events: strings that were read stay at hand.
//
// Dictionaries are read through a cache that all queries share, page by page, under a lock. That is
// right for the few strings of a page of answers, and most of the cost of an export, which reads
// the same ones over and over.
#pragma once

#include <memory>
#include <span>

#include "engine/segment_reader.hpp"

namespace docket::query {

// Not thread-safe, other than what it stands for: make one per query. `segment` must outlive it.
// Memory: a bounded number of bytes for each dictionary (segment_memo.cpp).
class SegmentMemo final : public SegmentReader {
 public:
  explicit SegmentMemo(const SegmentReader& segment);
  ~SegmentMemo() override;

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
      const std::function<bool(std::uint32_t row, std::string_view payload)>& visit)
      const override {
    return segment_.payloads(block, rows, visit);
  }
  // Of a sealed segment; those of an active one are in memory as they are.
  [[nodiscard]] Result<std::shared_ptr<const Dictionaries>> dictionaries(
      std::uint32_t block) const override;

 private:
  const SegmentReader& segment_;
  mutable std::shared_ptr<const Dictionaries> memo_;
};

}  // namespace docket::query
