// Which tokens a text is best written with, learnt from a sample of it.
#pragma once

#include <span>
#include <string_view>

#include "engine/token_table.hpp"

namespace docket {

// For payloads: tokens never go across the end of a text of the sample. The same sample gives the
// same tokens. Time and memory: a few passes over the sample, which has at most
// limits::token_sample_bytes_max bytes.
[[nodiscard]] Tokens train_tokens(std::span<const std::string_view> sample);
// For lists: the texts of the sample stand in runs of neighbours, each `run` long but for the last.
[[nodiscard]] Tokens train_list_tokens(std::span<const std::string_view> sample, std::size_t run);

}  // namespace docket
