// A whole body in memory, taken apart: what admission, sealing and tools work on. The query path
// reads single sections instead.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/result.hpp"
#include "engine/section.hpp"
#include "engine/segment_reader.hpp"

namespace docket {

// Ids of every row are below their dictionary's size, every list has one value a row, payload
// lengths add up: checked when it is made.
struct DecodedBody {
  std::uint32_t rows = 0;
  std::array<StringList, dictionary_field_count> dictionaries;  // by DictionaryField; entry 0 empty
  std::vector<std::uint32_t> actor_kinds, actor_roles;          // by actor id
  StringList actor_ids, actor_names;
  std::vector<std::uint32_t> target_types;  // by target id
  StringList target_ids, target_names;
  std::array<PackedInts, row_column_count> columns;  // by RowColumn
  std::vector<std::uint32_t> related_starts;         // rows + 1, or empty: no row has any
  std::vector<std::uint32_t> related_targets;
  std::vector<std::uint32_t> payload_starts;  // rows + 1, or empty: no row has any
  std::vector<std::byte> payloads;            // decompressed

  [[nodiscard]] const StringList& strings(DictionaryField field) const {
    return dictionaries[static_cast<std::size_t>(field)];
  }
  [[nodiscard]] const PackedInts& column(RowColumn c) const {
    return columns[static_cast<std::size_t>(c)];
  }
  [[nodiscard]] std::uint32_t actor_count() const {
    return static_cast<std::uint32_t>(actor_kinds.size());
  }
  [[nodiscard]] std::uint32_t target_count() const {
    return static_cast<std::uint32_t>(target_types.size());
  }
  [[nodiscard]] ActorView actor(std::uint32_t id) const;
  [[nodiscard]] TargetView target(std::uint32_t id) const;
  [[nodiscard]] std::string_view payload(std::uint32_t row) const;
  // The row as an event; `related_scratch` holds the views of its related targets.
  [[nodiscard]] EventView event(std::uint32_t row, std::vector<TargetView>& related_scratch) const;
};

// The section of a dictionary or a row column.
[[nodiscard]] constexpr Section section_of(DictionaryField field) {
  constexpr std::array<Section, dictionary_field_count> sections = {
      Section::verb, Section::reason, Section::session, Section::request, Section::ip,
      Section::node, Section::kind,   Section::role,    Section::type};
  return sections[static_cast<std::size_t>(field)];
}
[[nodiscard]] constexpr Section section_of(RowColumn column) {
  constexpr std::array<Section, row_column_count> sections = {
      Section::row_ts,     Section::row_received, Section::row_actor,   Section::row_verb,
      Section::row_target, Section::row_affected, Section::row_ip,      Section::row_outcome,
      Section::row_reason, Section::row_session,  Section::row_request, Section::row_node};
  return sections[static_cast<std::size_t>(column)];
}

// Takes `body` apart; it must be exactly one body, and stay alive and unchanged as long as the
// result (columns are read in place), followed by section_padding readable bytes. Every checksum
// and bound is checked, and no more than a fixed multiple of block_bytes_max is decompressed.
// Error: corrupt, without a place.
[[nodiscard]] Result<DecodedBody> decode_body(std::span<const std::byte> body);

}  // namespace docket
