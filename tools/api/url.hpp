// Request targets: `/api/v1/count?q=verb%3ADELETE&tz=UTC` -> path and parameters, and back.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/result.hpp"

namespace docket::api {

// The parameters of one request, decoded, in the order of the URL. Names are distinct.
class Parameters {
 public:
  Parameters() = default;
  Parameters(std::initializer_list<std::pair<std::string, std::string>> items) : items_(items) {}

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  // The value, or the empty string where it is absent.
  [[nodiscard]] std::string_view value(std::string_view name) const;
  // Sets it, or replaces what was there.
  void set(std::string_view name, std::string_view value);
  // Error: invalid_argument naming a parameter that is not one of `known`, and those that are.
  [[nodiscard]] Result<void> expect_only(std::initializer_list<std::string_view> known) const;
  // 1, 0, true or false; absent is false. Error: invalid_argument.
  [[nodiscard]] Result<bool> flag(std::string_view name) const;
  // Absent: nullopt. Error: invalid_argument naming the range.
  [[nodiscard]] Result<std::optional<std::uint64_t>> number(std::string_view name,
                                                            std::uint64_t first,
                                                            std::uint64_t last) const;
  // `a=1&b=2`, percent-encoded.
  [[nodiscard]] std::string encode() const;

 private:
  std::vector<std::pair<std::string, std::string>> items_;
};

struct RequestTarget {
  std::string path;  // decoded; starts with '/'
  Parameters parameters;
};

// Error: invalid_argument for a target that is not origin-form, a broken percent sign, bytes that
// are no UTF-8, a control character in the path, or a parameter given twice.
[[nodiscard]] Result<RequestTarget> parse_target(std::string_view target);

// Percent-encodes everything but unreserved characters, so that the result fits anywhere in a URL.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace docket::api
