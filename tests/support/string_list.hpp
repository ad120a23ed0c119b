// Strings as a section gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/bytes.hpp"
#include "engine/section.hpp"

namespace docket::testing {

inline StringList list_of(std::span<const std::string> texts) {
  StringList list;
  auto bytes = std::make_shared<std::vector<std::byte>>();
  for (const std::string& text : texts) {
    list.starts.push_back(static_cast<std::uint32_t>(bytes->size()));
    append_bytes(*bytes, as_byte_span(text));
  }
  list.starts.push_back(static_cast<std::uint32_t>(bytes->size()));
  list.bytes = std::move(bytes);
  return list;
}

}  // namespace docket::testing
