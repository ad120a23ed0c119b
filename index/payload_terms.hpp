// What the payloads of a segment are indexed by, all collected in one pass over them.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/result.hpp"
#include "engine/segment_reader.hpp"
#include "index/changed_fields.hpp"

namespace docket::index {

struct PayloadTerms {
  ChangedFields changed;
  std::optional<std::vector<std::byte>> text_filter;  // nothing: it would not be worth its size
};

// Reads all payloads, a run at a time. Where one is damaged there is no telling what stands in it:
// there are no terms at all. Error: io.
[[nodiscard]] Result<PayloadTerms> payload_terms_of(const SegmentReader& segment);

}  // namespace docket::index
