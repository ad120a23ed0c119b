// The names of fields as they are typed. Internal to query/; parser.hpp has the public part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "query/expression.hpp"

namespace docket::query {

// What can stand before a colon. since, until and on are three ways to say one field, `time`.
enum class TypedTime : std::uint8_t { none, since, until, on };

struct TypedField {
  Field field = Field::text;
  TypedTime time = TypedTime::none;
};

[[nodiscard]] std::optional<TypedField> find_typed_field(std::string_view name);

// For the message about an unknown name: the names like it ("verb, node"), or every name when none
// is near.
[[nodiscard]] std::string near_field_names(std::string_view name);

}  // namespace docket::query
