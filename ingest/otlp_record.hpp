// A log record of OpenTelemetry, as both encodings of it are read, and the event it becomes.
// PROTOCOL.md says what becomes of what. Internal to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"

namespace docket::ingest {

// Where records go that name no field of an event.
inline constexpr std::string_view otlp_log = "otlp";
// Bounds of one record, and of what its resource and its scope say each. The SDKs keep to 128
// attributes.
inline constexpr std::size_t otlp_attributes_max = 256;
inline constexpr std::size_t otlp_bytes_max = std::size_t{2} << 20;  // as JSON
inline constexpr std::size_t otlp_depth_max = 32;                    // of values within values

struct OtlpAttribute {
  std::string key;
  std::string value;  // JSON
};

struct OtlpScope {
  std::string name, version;
  std::vector<OtlpAttribute> attributes;
  void clear();
};

// Empty strings and zeros are absent.
struct OtlpRecord {
  std::uint64_t time = 0;      // ns since the epoch
  std::uint64_t observed = 0;  // the same, by the collector
  std::uint32_t severity = 0;  // 1 to 24
  std::string severity_text;
  std::string event_name;
  std::string body;               // JSON
  std::string trace_id, span_id;  // hexadecimal digits
  std::vector<OtlpAttribute> attributes;
  std::string fault;  // why it cannot be an event; the rest is then not complete

  void clear();
};

// What the decoders share of the forms of values, JSON each.
void append_otlp_double(std::string& out, double value);  // NaN and infinities as strings
void append_otlp_base64(std::string& out, std::string_view bytes);
void append_otlp_hex(std::string& out, std::string_view bytes);

// Appends the record as an event object, for the decoder of events. `received` is when it came.
void append_otlp_event(std::string& out, const OtlpRecord& record,
                       const std::vector<OtlpAttribute>& resource, const OtlpScope& scope,
                       Nanos received);

}  // namespace docket::ingest
