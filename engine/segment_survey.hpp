// What is frequent in a segment that is to be sealed: ids of its columns, and the tokens of its
// payloads. A look at all ids and at a sample of the payloads, before anything is written.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/coded_ints.hpp"
#include "engine/dictionary_merge.hpp"
#include "engine/segment_reader.hpp"
#include "engine/token_table.hpp"

namespace docket {

// Not thread-safe. `source` must outlive it.
class SegmentSurvey {
 public:
  // Entries of the merged tables and of the dictionary of addresses.
  struct Sizes {
    std::uint32_t actors = 1;
    std::uint32_t targets = 1;
    std::uint32_t ips = 1;
  };
  SegmentSurvey(const SegmentReader& source, const Sizes& sizes);

  // Counts a block's ids, which `maps` leads to merged ones, and perhaps takes some of its payloads
  // into the sample. Call it once for each block, ascending. Errors: io, corrupt; a block may then
  // have been counted in part, which costs bytes of the file and nothing else.
  [[nodiscard]] Result<void> look_at(std::uint32_t block, const IdMaps& maps);

  [[nodiscard]] ValueOrder actors() const { return ValueOrder::by_frequency(actors_); }
  [[nodiscard]] ValueOrder targets() const { return ValueOrder::by_frequency(targets_); }
  [[nodiscard]] ValueOrder ips() const { return ValueOrder::by_frequency(ips_); }
  // Nothing where LZ4 does as well, or there is too little to learn from.
  [[nodiscard]] std::optional<Tokens> payload_tokens() const;

 private:
  [[nodiscard]] Result<void> sample_payloads(std::uint32_t block);

  const SegmentReader& source_;
  std::vector<std::uint32_t> actors_, targets_, ips_;  // by id: how often
  std::vector<std::uint32_t> ids_;                     // of the column at hand
  std::size_t sample_bytes_max_;
  std::size_t allowance_ = 0;      // what the sample may have after the blocks looked at
  std::vector<std::byte> sample_;  // texts one after the other
  std::vector<std::size_t> sample_ends_;
};

}  // namespace docket
