// Compares an index with the segment that it was made from.
#pragma once

#include "engine/result.hpp"
#include "engine/segment_reader.hpp"
#include "index/segment_index.hpp"

namespace docket::index {

// Every section's checksum, every total, every posting, against the rows. Error: corrupt, naming
// the place; or what reading the segment gave.
[[nodiscard]] Result<void> verify_index(const SegmentIndex& index, const SegmentReader& segment);

}  // namespace docket::index
