// Makes the index of a sealed segment from its columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/result.hpp"
#include "engine/segment_reader.hpp"

namespace docket::index {

// From how many rows on a value of a segment with `rows` rows has a row bitmap.
[[nodiscard]] std::uint32_t bitmap_rows_min(std::uint32_t rows);

// The bytes of the index file. The same segment always gives the same bytes.
// Precondition: the segment is sealed. Errors: io, corrupt.
[[nodiscard]] Result<std::vector<std::byte>> build_index(const SegmentReader& segment);

}  // namespace docket::index
