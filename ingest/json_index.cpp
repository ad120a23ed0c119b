#include "ingest/json_index.hpp"

#include <simdjson.h>

#include <algorithm>

#include "engine/assert.hpp"

namespace docket::ingest {
namespace {

constexpr std::size_t capacity_min = 4096;
// simdjson counts in 32 bits; every caller bounds its input far below.
constexpr std::size_t text_bytes_max = std::size_t{1} << 30;

}  // namespace

// Only simdjson's first stage is used, chosen for the processor at run time. Its second stage would
// refuse numbers beyond a double and copy every string; ours (json_cursor.hpp) does neither.
struct JsonIndex::State {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

JsonIndex::JsonIndex() : state_(std::make_unique<State>()) {}
JsonIndex::~JsonIndex() = default;
JsonIndex::JsonIndex(JsonIndex&&) noexcept = default;
JsonIndex& JsonIndex::operator=(JsonIndex&&) noexcept = default;

const char* JsonIndex::build(std::string_view text) {
  positions_ = {};
  if (text.size() > text_bytes_max) {
    return "is too long";
  }
  auto& parser = state_->parser;
  if (!parser || parser->capacity() < text.size()) {
    const std::size_t grown = parser ? 2 * parser->capacity() : 0;
    const std::size_t capacity = std::max({capacity_min, grown, text.size()});
    // The depth is that of the second stage, which never runs.
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, 1, parser) != simdjson::SUCCESS) {
      throw std::bad_alloc();
    }
  }
  switch (parser->stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                         simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS:
      break;
    case simdjson::UTF8_ERROR:
      return "is not valid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "has a string without an end";
    case simdjson::UNESCAPED_CHARS:
      return "has a control character inside a string";
    case simdjson::EMPTY:
      return "is empty";
    default:
      return "is not valid JSON";
  }
  positions_ = {parser->structural_indexes.get(), parser->n_structural_indexes};
  DOCKET_ASSERT(parser->structural_indexes[positions_.size()] == text.size());
  return nullptr;
}

}  // namespace docket::ingest
