#include "tools/docketd/settings.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <set>

#include "tools/api/units.hpp"
#include "tools/docketd/settings_table.hpp"
#include "tools/docketd/toml_text.hpp"

namespace docket::server {

namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> format_names{"logfmt", "json"};
constexpr std::string_view hidden_digest = "(not shown)";

// What the system takes for the path of a socket.
constexpr std::size_t socket_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

std::string age_text(const RetentionPolicy& policy) {
  return policy.max_age ? api::format_duration(*policy.max_age) : "";
}

std::string bytes_text(const RetentionPolicy& policy) {
  return policy.max_bytes ? api::format_bytes(*policy.max_bytes) : "";
}

void append_policy(std::string& out, std::string_view name, const RetentionPolicy& policy) {
  fmt::format_to(std::back_inserter(out), "\n[retention.{}]\n", name);
  if (policy.max_age) {
    fmt::format_to(std::back_inserter(out), "max_age = {}\n", toml_string(age_text(policy)));
  }
  if (policy.max_bytes) {
    fmt::format_to(std::back_inserter(out), "max_bytes = {}\n", toml_string(bytes_text(policy)));
  }
}

// Whoever reaches a port beyond loopback must need a token, and nobody on the way may read it.
Result<void> check_reach(std::string_view name, const Address& address, const Settings& settings) {
  const bool has_tls = settings.tls.is_on();
  const bool has_tokens = !settings.tokens.empty();
  if (address.is_loopback() || (has_tls && has_tokens)) {
    return {};
  }
  return fail(ErrorCode::invalid_argument,
              fmt::format("{}: {} is not a loopback address, and there is no {}{}{}: whoever "
                          "reaches the port could send and read events. To listen there all the "
                          "same, say --insecure",
                          name, address.text(), has_tls ? "" : "TLS",
                          has_tls || has_tokens ? "" : " and no ", has_tokens ? "" : "token"));
}

const Token* token_of(const std::vector<Token>& tokens, std::string_view name) {
  const auto found = std::ranges::find(tokens, name, &Token::name);
  return found == tokens.end() ? nullptr : &*found;
}

void append_token_changes(std::vector<SettingChange>& changes, const std::vector<Token>& before,
                          const std::vector<Token>& after) {
  for (const Token& token : before) {
    const Token* const now = token_of(after, token.name);
    if (now == nullptr || *now != token) {
      std::string text = now == nullptr ? "" : describe(*now);
      text += now != nullptr && now->sha256 != token.sha256 ? ", another token" : "";
      changes.push_back({"token." + token.name, describe(token), std::move(text)});
    }
  }
  for (const Token& token : after) {
    if (token_of(before, token.name) == nullptr) {
      changes.push_back({"token." + token.name, "", describe(token)});
    }
  }
}

void append_change(std::vector<SettingChange>& changes, std::string name, std::string before,
                   std::string after) {
  if (before != after) {
    changes.push_back({std::move(name), std::move(before), std::move(after)});
  }
}

}  // namespace

std::string_view to_string(LogLevel level) {
  return level_names[static_cast<std::size_t>(level)];
}

std::string_view to_string(LogFormat format) {
  return format_names[static_cast<std::size_t>(format)];
}

Result<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < level_names.size(); ++i) {
    if (level_names[i] == text) {
      return static_cast<LogLevel>(i);
    }
  }
  return fail(ErrorCode::invalid_argument, "must be debug, info, warning or error");
}

Result<LogFormat> parse_log_format(std::string_view text) {
  for (std::size_t i = 0; i < format_names.size(); ++i) {
    if (format_names[i] == text) {
      return static_cast<LogFormat>(i);
    }
  }
  return fail(ErrorCode::invalid_argument, "must be logfmt or json");
}

RetentionPolicy RetentionSettings::of(std::string_view log) const {
  const auto found = logs.find(std::string(log));
  return found == logs.end() ? otherwise : found->second;
}

std::string print_settings(const Settings& settings) {
  std::string out;
  std::string_view section;
  for (const Setting& setting : settings_table()) {
    if (setting.section != section) {
      section = setting.section;
      fmt::format_to(std::back_inserter(out), "\n[{}]\n", section);
    }
    const std::string value = setting.get(settings);
    fmt::format_to(std::back_inserter(out), "{} = {}\n", setting.name,
                   setting.kind == Setting::Kind::number ? value : toml_string(value));
  }
  if (settings.retention.otherwise != RetentionPolicy{}) {
    append_policy(out, "default", settings.retention.otherwise);
  }
  for (const auto& [log, policy] : settings.retention.logs) {
    append_policy(out, log, policy);
  }
  fmt::format_to(std::back_inserter(out), "\n[redact]\nkeys = {}\npatterns = {}\n",
                 toml_strings(settings.redaction.keys), toml_strings(settings.redaction.patterns));
  for (const Token& token : settings.tokens) {
    out += "\n" + print_token(token, hidden_digest);
  }
  return out;
}

Result<void> check_settings(const Settings& settings) {
  if (settings.tls.certificate.empty() != settings.tls.key.empty()) {
    return fail(ErrorCode::invalid_argument, "tls: certificate and key go together");
  }
  if (!settings.tls.is_on() && !settings.tls.client_ca.empty()) {
    return fail(ErrorCode::invalid_argument, "tls.client_ca: goes with certificate and key");
  }
  if (settings.tls.client_ca.empty()) {
    const auto found = std::ranges::find_if(
        settings.tokens, [](const Token& token) { return !token.certificate.empty(); });
    if (found != settings.tokens.end()) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("token.certificate: that of '{}' is asked for by nobody without "
                              "tls.client_ca",
                              found->name));
    }
  }
  if (!settings.insecure) {
    DOCKET_TRY(check_reach("ingest", settings.ingest, settings));
    DOCKET_TRY(check_reach("http", settings.http, settings));
  }
  if (settings.ingest.port != 0 && settings.ingest == settings.http) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("ingest and http: both are {}", settings.http.text()));
  }
  if (settings.socket.size() > socket_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("socket: a path must be at most {} bytes", socket_bytes_max));
  }
  if (const auto checked = check_redaction(settings.redaction); !checked) {
    return fail(ErrorCode::invalid_argument, "redact." + checked.error().message);
  }
  if (settings.senders.gone_after < settings.senders.silent_after) {
    return fail(ErrorCode::invalid_argument,
                "senders.gone_after: must not be less than senders.silent_after");
  }
  if (settings.limits.http_body_bytes > settings.limits.http_bytes) {
    return fail(ErrorCode::invalid_argument,
                "limits.http_body_bytes: must not be more than limits.http_bytes");
  }
  return {};
}

std::vector<SettingChange> settings_changes(const Settings& before, const Settings& after) {
  std::vector<SettingChange> changes;
  for (const Setting& setting : settings_table()) {
    append_change(changes, full_name(setting), setting.get(before), setting.get(after));
  }
  std::set<std::string> logs;
  for (const RetentionSettings* side : {&before.retention, &after.retention}) {
    for (const auto& [log, policy] : side->logs) {
      logs.insert(log);
    }
  }
  const auto compare = [&](const std::string& name, const RetentionPolicy& old_policy,
                           const RetentionPolicy& new_policy) {
    append_change(changes, fmt::format("retention.{}.max_age", name), age_text(old_policy),
                  age_text(new_policy));
    append_change(changes, fmt::format("retention.{}.max_bytes", name), bytes_text(old_policy),
                  bytes_text(new_policy));
  };
  compare("default", before.retention.otherwise, after.retention.otherwise);
  for (const std::string& log : logs) {
    compare(log, before.retention.of(log), after.retention.of(log));
  }
  append_change(changes, "redact.keys", toml_strings(before.redaction.keys),
                toml_strings(after.redaction.keys));
  append_change(changes, "redact.patterns", toml_strings(before.redaction.patterns),
                toml_strings(after.redaction.patterns));
  append_token_changes(changes, before.tokens, after.tokens);
  return changes;
}

}  // namespace docket::server
