// Every setting of the file but the policies of single logs, in one table: reading, printing and
// comparing go through it, so that none of them can forget one.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "tools/docketd/settings.hpp"

namespace docket::server {

struct Setting {
  enum class Kind : std::uint8_t {
    text,    // a TOML string
    size,    // a string such as "10GiB", or a whole number of bytes
    number,  // a whole number
  };
  std::string_view section;  // "" at the top of the file
  std::string_view name;
  Kind kind = Kind::text;
  std::function<std::string(const Settings&)> get;
  std::function<Result<void>(Settings&, std::string_view)> set;
};

// Sections stand together.
[[nodiscard]] std::span<const Setting> settings_table();
[[nodiscard]] std::string full_name(const Setting& setting);

}  // namespace docket::server
