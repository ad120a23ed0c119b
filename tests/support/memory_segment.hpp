// A segment in memory, made from events: what queries and indexes read, without a disk, and with
// parts that can be made unreadable.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/event.hpp"
#include "engine/segment_reader.hpp"

namespace docket::testing {

class MemoryDictionaries;

// Reading is thread-safe. Damage is set before readers start.
class MemorySegment final : public SegmentReader {
 public:
  // Blocks of `block_rows` rows and one set of sorted dictionaries. `log` and `seq` of the
  // events are not looked at: the first one is `first_seq`.
  [[nodiscard]] static std::shared_ptr<MemorySegment> sealed(
      const std::string& log, SegmentId id, Seq first_seq, std::span<const Event> events,
      std::uint32_t block_rows = limits::block_rows_max);
  // Blocks of these sizes (the last one again and again until the events run out), each with its
  // own dictionaries in the order of first appearance.
  [[nodiscard]] static std::shared_ptr<MemorySegment> active(
      const std::string& log, SegmentId id, Seq first_seq, std::span<const Event> events,
      const std::vector<std::uint32_t>& block_sizes);

  // From now on reading the part fails with `corrupt`, "<part> is damaged".
  void damage_column(std::uint32_t block, RowColumn column) { columns_.insert({block, column}); }
  void damage_related(std::uint32_t block) { related_.insert(block); }
  void damage_payloads(std::uint32_t block) { payloads_.insert(block); }
  void damage_dictionaries(std::uint32_t block) { dictionaries_.insert(block); }
  void damage_directory() { directory_damaged_ = true; }
  // Strings of one field of the dictionaries of `block`, when they are read.
  void damage_strings(std::uint32_t block, DictionaryField field);
  void set_path(std::string path) { info_.path = std::move(path); }
  void set_digest(std::uint64_t digest) { info_.digest = digest; }

  [[nodiscard]] const SegmentInfo& info() const override { return info_; }
  [[nodiscard]] Result<std::span<const BlockInfo>> blocks() const override;
  [[nodiscard]] Result<PackedInts> column(std::uint32_t block, RowColumn column) const override;
  [[nodiscard]] Result<std::shared_ptr<const RelatedColumn>> related(
      std::uint32_t block) const override;
  [[nodiscard]] Result<void> payloads(
      std::uint32_t block, std::span<const std::uint32_t> rows,
      const std::function<bool(std::uint32_t row, std::string_view payload)>& visit) const override;
  // Runs that are shorter than those of files.
  [[nodiscard]] Result<std::shared_ptr<const PayloadRuns>> payload_runs(
      std::uint32_t block) const override;
  [[nodiscard]] Result<std::shared_ptr<const Dictionaries>> dictionaries(
      std::uint32_t block) const override;

 private:
  struct Block;

  MemorySegment(const std::string& log, SegmentId id, Seq first_seq, std::span<const Event> events);
  void add_block(std::span<const Event> events, std::shared_ptr<MemoryDictionaries> dictionaries);

  SegmentInfo info_;
  std::vector<BlockInfo> block_infos_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::set<std::pair<std::uint32_t, RowColumn>> columns_;
  std::set<std::uint32_t> related_, payloads_, dictionaries_;
  bool directory_damaged_ = false;
};

}  // namespace docket::testing
