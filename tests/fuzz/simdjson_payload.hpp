// A payload taken apart by simdjson, whose values keep their exact text: what index/payload_tree is
// compared with.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace docket::testing {

struct SimdjsonValue {
  enum class Kind { object, array, string, other };

  Kind kind = Kind::other;
  std::string key;
  std::string raw;
  std::string text;
  std::vector<SimdjsonValue> children;
};

// Nothing where `payload` is no JSON object to simdjson, which looks at numbers and words by their
// first character only, or nests deeper than 512.
[[nodiscard]] std::optional<SimdjsonValue> simdjson_payload(std::string_view payload);

}  // namespace docket::testing
