// Messages of OTLP as bytes, for tests. Composed field by field, not by what is tested.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace docket::testing::otlp {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U) {
    out += static_cast<char>(value | 0x80U);
  }
  return out + static_cast<char>(value);
}
inline std::string bytes(unsigned number, std::string_view content) {
  return varint(number << 3U | 2U) + varint(content.size()) + std::string(content);
}
inline std::string integer(unsigned number, std::uint64_t value) {
  return varint(number << 3U) + varint(value);
}
inline std::string fixed64(unsigned number, std::uint64_t value) {
  std::string out = varint(number << 3U | 1U);
  for (unsigned shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>(value >> shift);
  }
  return out;
}
inline std::string real(unsigned number, double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return fixed64(number, bits);
}

// An AnyValue of text, and an attribute of one.
inline std::string text(std::string_view value) {
  return bytes(1, value);
}
inline std::string pair(std::string_view key, std::string_view value) {
  return bytes(1, key) + bytes(2, value);
}

// A request of one resource and one scope. `records` are LogRecords, each as bytes(2, record).
inline std::string request(std::string_view records, std::string_view resource = {},
                           std::string_view scope = {}) {
  const std::string scope_logs = bytes(1, scope) + std::string(records);
  return bytes(1, bytes(1, resource) + bytes(2, scope_logs));
}

}  // namespace docket::testing::otlp
