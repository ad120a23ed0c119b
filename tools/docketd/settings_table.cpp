#include "tools/docketd/settings_table.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "tools/api/units.hpp"

namespace docket::server {

namespace {

using Kind = Setting::Kind;

Result<void> assign_size(std::uint64_t& into, std::string_view text, std::uint64_t first,
                         std::uint64_t last) {
  DOCKET_ASSIGN(const std::uint64_t value, api::parse_bytes(text));
  if (value < first || value > last) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("must be from {} to {}", api::format_bytes(first), api::format_bytes(last)));
  }
  into = value;
  return {};
}

Result<void> assign_duration(Nanos& into, std::string_view text, Nanos first, Nanos last) {
  DOCKET_ASSIGN(const Nanos value, api::parse_duration(text));
  if (value < first || value > last) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("must be from {} to {}", api::format_duration(first),
                            api::format_duration(last)));
  }
  into = value;
  return {};
}

template <typename Number>
Result<void> assign_number(Number& into, std::string_view text, std::uint64_t first,
                           std::uint64_t last) {
  const auto value = api::parse_number<std::uint64_t>(text);
  if (!value || *value < first || *value > last) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("must be a whole number from {} to {}", first, last));
  }
  into = static_cast<Number>(*value);
  return {};
}

Result<void> assign_mode(Settings& settings, std::string_view text) {
  constexpr std::uint32_t mode_max = 0777;
  constexpr int octal = 8;
  std::uint32_t mode = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), mode, octal);
  if (fault != std::errc{} || end != text.data() + text.size() || mode > mode_max) {
    return fail(ErrorCode::invalid_argument, "must be octal, such as 0660, and at most 0777");
  }
  settings.socket_mode = mode;
  return {};
}

constexpr std::uint64_t kib = std::uint64_t{1} << 10;
constexpr std::uint64_t mib = std::uint64_t{1} << 20;
constexpr std::uint64_t gib = std::uint64_t{1} << 30;
constexpr std::uint64_t tib = std::uint64_t{1} << 40;
constexpr Nanos second = 1'000'000'000;

Setting size_limit(std::string_view name, std::uint64_t LimitSettings::* member,
                   std::uint64_t first, std::uint64_t last) {
  return {"limits", name, Kind::size,
          [member](const Settings& s) { return api::format_bytes(s.limits.*member); },
          [=](Settings& s, std::string_view text) {
            return assign_size(s.limits.*member, text, first, last);
          }};
}

Setting count_limit(std::string_view name, std::uint32_t LimitSettings::* member,
                    std::uint64_t last) {
  return {"limits", name, Kind::number,
          [member](const Settings& s) { return std::to_string(s.limits.*member); },
          [=](Settings& s, std::string_view text) {
            return assign_number(s.limits.*member, text, 1, last);
          }};
}

Setting listener(std::string_view name, Address Settings::* member) {
  return {"", name, Kind::text, [member](const Settings& s) { return (s.*member).text(); },
          [member](Settings& s, std::string_view text) -> Result<void> {
            DOCKET_ASSIGN(s.*member, parse_address(text));
            return {};
          }};
}

Setting tls_file(std::string_view name, std::string TlsSettings::* member) {
  return {"tls", name, Kind::text, [member](const Settings& s) { return s.tls.*member; },
          [member](Settings& s, std::string_view text) -> Result<void> {
            s.tls.*member = text;
            return {};
          }};
}

Setting sender_time(std::string_view name, Nanos api::SenderRules::* member) {
  constexpr Nanos longest = 3660 * Nanos{86'400} * second;
  return {"senders", name, Kind::text,
          [member](const Settings& s) { return api::format_duration(s.senders.*member); },
          [member](Settings& s, std::string_view text) {
            return assign_duration(s.senders.*member, text, second, longest);
          }};
}

std::vector<Setting> make_table() {
  std::vector<Setting> table;
  table.push_back({"", "data", Kind::text, [](const Settings& s) { return s.data; },
                   [](Settings& s, std::string_view text) -> Result<void> {
                     if (text.empty()) {
                       return fail(ErrorCode::invalid_argument, "must not be empty");
                     }
                     s.data = text;
                     return {};
                   }});
  table.push_back(listener("ingest", &Settings::ingest));
  table.push_back(listener("http", &Settings::http));
  table.push_back({"", "socket", Kind::text, [](const Settings& s) { return s.socket; },
                   [](Settings& s, std::string_view text) -> Result<void> {
                     s.socket = text;
                     return {};
                   }});
  table.push_back({"", "socket_mode", Kind::text,
                   [](const Settings& s) { return fmt::format("{:04o}", s.socket_mode); },
                   [](Settings& s, std::string_view text) { return assign_mode(s, text); }});
  table.push_back(tls_file("certificate", &TlsSettings::certificate));
  table.push_back(tls_file("key", &TlsSettings::key));
  table.push_back(tls_file("client_ca", &TlsSettings::client_ca));
  table.push_back({"log", "level", Kind::text,
                   [](const Settings& s) { return std::string(to_string(s.log_level)); },
                   [](Settings& s, std::string_view text) -> Result<void> {
                     DOCKET_ASSIGN(s.log_level, parse_log_level(text));
                     return {};
                   }});
  table.push_back({"log", "format", Kind::text,
                   [](const Settings& s) { return std::string(to_string(s.log_format)); },
                   [](Settings& s, std::string_view text) -> Result<void> {
                     DOCKET_ASSIGN(s.log_format, parse_log_format(text));
                     return {};
                   }});
  table.push_back({"segment", "bytes", Kind::size,
                   [](const Settings& s) { return api::format_bytes(s.segment.segment_bytes); },
                   [](Settings& s, std::string_view text) {
                     return assign_size(s.segment.segment_bytes, text, 64 * kib, 2 * gib);
                   }});
  table.push_back({"segment", "rows", Kind::number,
                   [](const Settings& s) { return std::to_string(s.segment.segment_rows); },
                   [](Settings& s, std::string_view text) {
                     return assign_number(s.segment.segment_rows, text, 1,
                                          limits::segment_rows_max);
                   }});
  table.push_back({"segment", "age", Kind::text,
                   [](const Settings& s) { return api::format_duration(s.segment.segment_age); },
                   [](Settings& s, std::string_view text) {
                     return assign_duration(s.segment.segment_age, text, second,
                                            366 * Nanos{86'400} * second);
                   }});
  table.push_back(size_limit("payload_bytes", &LimitSettings::payload_bytes, 1 * kib,
                             limits::payload_bytes_max));
  table.push_back(size_limit("free_space_reserve", &LimitSettings::free_space_reserve, 0, tib));
  table.push_back(size_limit("cache_bytes", &LimitSettings::cache_bytes, mib, tib));
  table.push_back(size_limit("index_bytes", &LimitSettings::index_bytes, mib, tib));
  table.push_back(size_limit("ingest_bytes", &LimitSettings::ingest_bytes, 16 * mib, tib));
  table.push_back(count_limit("ingest_connections", &LimitSettings::ingest_connections, 65'536));
  table.push_back(count_limit("http_connections", &LimitSettings::http_connections, 65'536));
  table.push_back(size_limit("http_body_bytes", &LimitSettings::http_body_bytes, kib, gib));
  table.push_back(size_limit("http_bytes", &LimitSettings::http_bytes, 16 * mib, tib));
  table.push_back(count_limit("queries", &LimitSettings::queries, 65'536));
  table.push_back(count_limit("exports", &LimitSettings::exports, 1'024));
  table.push_back(
      {"retention", "free_space_floor", Kind::size,
       [](const Settings& s) { return api::format_bytes(s.retention.free_space_floor); },
       [](Settings& s, std::string_view text) {
         return assign_size(s.retention.free_space_floor, text, 0, 1024 * tib);
       }});
  table.push_back({"retention", "interval", Kind::text,
                   [](const Settings& s) { return api::format_duration(s.retention.interval); },
                   [](Settings& s, std::string_view text) {
                     return assign_duration(s.retention.interval, text, second / 10,
                                            Nanos{86'400} * second);
                   }});
  table.push_back(sender_time("silent_after", &api::SenderRules::silent_after));
  table.push_back(sender_time("gone_after", &api::SenderRules::gone_after));
  table.push_back({"scrub", "period", Kind::text,
                   [](const Settings& s) {
                     return s.scrub_period == 0 ? "0" : api::format_duration(s.scrub_period);
                   },
                   [](Settings& s, std::string_view text) -> Result<void> {
                     if (text == "0") {
                       s.scrub_period = 0;
                       return {};
                     }
                     return assign_duration(s.scrub_period, text, second,
                                            366 * Nanos{86'400} * second);
                   }});
  return table;
}

}  // namespace

std::span<const Setting> settings_table() {
  static const std::vector<Setting> table = make_table();
  return table;
}

std::string full_name(const Setting& setting) {
  return setting.section.empty() ? std::string(setting.name)
                                 : fmt::format("{}.{}", setting.section, setting.name);
}

}  // namespace docket::server
