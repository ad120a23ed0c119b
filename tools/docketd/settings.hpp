// What docketd can be told: flags over environment over file over defaults.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/limits.hpp"
#include "engine/log.hpp"
#include "engine/result.hpp"
#include "ingest/redactor.hpp"
#include "tools/api/sender_rows.hpp"
#include "tools/docketd/address.hpp"
#include "tools/docketd/token.hpp"

namespace docket::server {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { logfmt, json };

[[nodiscard]] std::string_view to_string(LogLevel level);
[[nodiscard]] std::string_view to_string(LogFormat format);
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text);
[[nodiscard]] Result<LogFormat> parse_log_format(std::string_view text);

struct RetentionSettings {
  RetentionPolicy otherwise;                    // of logs not named in `logs`
  std::map<std::string, RetentionPolicy> logs;  // a log named here takes nothing from `otherwise`
  std::uint64_t free_space_floor = 0;           // below it the oldest segments go; 0: never
  Nanos interval = 60LL * 1'000'000'000;        // between two looks at what is to be retired

  [[nodiscard]] RetentionPolicy of(std::string_view log) const;
  friend bool operator==(const RetentionSettings&, const RetentionSettings&) = default;
};

struct LimitSettings {
  std::uint64_t payload_bytes = limits::payload_bytes_default;
  // Below so much free space senders are refused, so that sealing, retention and recovery work.
  std::uint64_t free_space_reserve = std::uint64_t{256} << 20;
  std::uint64_t cache_bytes = StoreOptions().cache_bytes;  // verified columns, dictionary pages
  std::uint64_t index_bytes = std::uint64_t{64} << 20;     // loaded indexes
  std::uint64_t ingest_bytes = std::uint64_t{128} << 20;   // received and not yet stored
  std::uint32_t ingest_connections = 16'384;
  std::uint32_t http_connections = 256;
  std::uint64_t http_body_bytes = std::uint64_t{16} << 20;  // of one POST
  std::uint64_t http_bytes = std::uint64_t{128} << 20;      // of all bodies, in and out
  std::uint32_t queries = 256;  // running and waiting; more are refused with 429
  std::uint32_t exports = 8;    // at one time
  friend bool operator==(const LimitSettings&, const LimitSettings&) = default;
};

// Paths of PEM files.
struct TlsSettings {
  std::string certificate;  // its chain; empty: no TLS
  std::string key;
  std::string client_ca;  // empty: no certificate is asked of clients
  [[nodiscard]] bool is_on() const { return !certificate.empty(); }
};

struct Settings {
  std::string data = "./docket-data";
  Address ingest{"127.0.0.1", 7470};
  std::string socket;                // path of a Unix socket for events; empty: none
  std::uint32_t socket_mode = 0660;  // of its file
  Address http{"127.0.0.1", 7480};
  bool insecure = false;  // may listen beyond this machine without TLS and tokens
  TlsSettings tls;
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::logfmt;
  RetentionSettings retention;
  Nanos scrub_period =
      7 * Nanos{86'400} * 1'000'000'000;  // everything is read once in it; 0: never
  api::SenderRules senders;
  LogOptions segment;
  LimitSettings limits;
  ingest::RedactionRules redaction;
  std::vector<Token> tokens;  // none: everybody may do everything
};

// Reads a TOML file over `settings`. Error: invalid_argument; one line for each fault,
// "FILE:LINE:COLUMN: key: rule"; not_found or io when it cannot be read. `settings` is changed in
// success only.
[[nodiscard]] Result<void> read_settings_file(const std::string& path, Settings& settings);
[[nodiscard]] Result<void> read_settings_text(std::string_view text, const std::string& name,
                                              Settings& settings);

// A TOML file that says the same, but for the digests of tokens, which it does not show.
[[nodiscard]] std::string print_settings(const Settings& settings);

// What keeps a server from starting with these. Error: invalid_argument.
[[nodiscard]] Result<void> check_settings(const Settings& settings);

struct SettingChange {
  std::string name;  // "retention.activity.max_age"
  std::string before, after;
};
// What differs, by the names of the file.
[[nodiscard]] std::vector<SettingChange> settings_changes(const Settings& before,
                                                          const Settings& after);

}  // namespace docket::server
