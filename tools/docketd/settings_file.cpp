// Reading the TOML file. Every fault is reported at once, each with its place.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "engine/event.hpp"
#include "engine/timestamp.hpp"
#include "tools/api/given_file.hpp"
#include "tools/api/units.hpp"
#include "tools/docketd/settings_table.hpp"

namespace docket::server {

namespace {

// A configuration file is a page or two; more is some other file.
constexpr std::uint64_t file_bytes_max = std::uint64_t{1} << 20;

class FileReader {
 public:
  FileReader(std::string name, Settings& settings) : name_(std::move(name)), settings_(settings) {}

  void read(const toml::table& root) {
    read_section(root, "");
    for (const auto& [key, node] : root) {
      if (key.str() == "token") {
        read_tokens(node);
      } else if (key.str() == "redact") {
        read_redaction(node);
      } else if (const toml::table* table = node.as_table()) {
        if (is_section(key.str())) {
          read_section(*table, key.str());
        } else {
          fault(key.source(), key.str(), "is no section of this file");
        }
      }
    }
  }

  // In the order of the file.
  [[nodiscard]] std::string faults() {
    std::ranges::sort(faults_);
    std::string text;
    for (const auto& [line, column, message] : faults_) {
      text += fmt::format("{}{}:{}:{}: {}", text.empty() ? "" : "\n", name_, line, column, message);
    }
    return text;
  }

 private:
  [[nodiscard]] static bool is_section(std::string_view name) {
    return std::ranges::find(settings_table(), name, &Setting::section) != settings_table().end();
  }

  void fault(const toml::source_region& where, std::string_view key, std::string_view rule) {
    faults_.emplace_back(where.begin.line, where.begin.column, fmt::format("{}: {}", key, rule));
  }

  void read_section(const toml::table& table, std::string_view section) {
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if ((node.is_table() || name == "token" || name == "redact") && section.empty()) {
        continue;
      }
      const std::string full =
          section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
      if (const toml::table* policy = node.as_table(); policy && section == "retention") {
        read_policy(*policy, key, full);
        continue;
      }
      const auto setting = std::ranges::find_if(settings_table(), [&](const Setting& candidate) {
        return candidate.section == section && candidate.name == name;
      });
      if (setting == settings_table().end()) {
        fault(key.source(), full, "is not a setting");
        continue;
      }
      const auto text = value_text(node, setting->kind, full);
      if (!text) {
        continue;
      }
      if (const auto assigned = setting->set(settings_, *text); !assigned) {
        fault(node.source(), full, assigned.error().message);
      }
    }
  }

  // The value as text, as the table's setters take it.
  std::optional<std::string> value_text(const toml::node& node, Setting::Kind kind,
                                        std::string_view name) {
    const auto number = node.as_integer();
    const auto text = node.as_string();
    if (text && kind != Setting::Kind::number) {
      return text->get();
    }
    if (number && kind != Setting::Kind::text) {
      return std::to_string(number->get());
    }
    fault(node.source(), name,
          kind == Setting::Kind::text     ? "must be a string"
          : kind == Setting::Kind::number ? "must be a whole number"
                                          : "must be a string such as \"10GiB\", or bytes");
    return std::nullopt;
  }

  void read_policy(const toml::table& table, const toml::key& key, const std::string& full) {
    const std::string log(key.str());
    if (!is_log_name(log)) {
      fault(key.source(), full, "is no name of a log");
      return;
    }
    RetentionPolicy policy;
    for (const auto& [item, node] : table) {
      const std::string name = fmt::format("{}.{}", full, item.str());
      if (item.str() == "max_age") {
        if (const auto text = value_text(node, Setting::Kind::text, name)) {
          take(api::parse_duration(*text), policy.max_age, node, name);
        }
      } else if (item.str() == "max_bytes") {
        if (const auto text = value_text(node, Setting::Kind::size, name)) {
          take(api::parse_bytes(*text), policy.max_bytes, node, name);
        }
      } else {
        fault(item.source(), name, "is not a setting; known: max_age, max_bytes");
      }
    }
    (log == "default" ? settings_.retention.otherwise : settings_.retention.logs[log]) = policy;
  }

  void read_redaction(const toml::node& node) {
    settings_.redaction = {};
    const toml::table* const table = node.as_table();
    if (table == nullptr) {
      fault(node.source(), "redact", "must be a section");
      return;
    }
    for (const auto& [key, value] : *table) {
      ingest::RedactionRules read;
      std::vector<std::string>* const list = key.str() == "keys"       ? &read.keys
                                             : key.str() == "patterns" ? &read.patterns
                                                                       : nullptr;
      const toml::array* const texts = value.as_array();
      if (list == nullptr) {
        fault(key.source(), fmt::format("redact.{}", key.str()),
              "is not a setting; known: keys, patterns");
        continue;
      }
      if (texts == nullptr ||
          (!texts->empty() && !texts->is_homogeneous(toml::node_type::string))) {
        fault(value.source(), fmt::format("redact.{}", key.str()), "must be a list of strings");
        continue;
      }
      for (const toml::node& text : *texts) {
        list->push_back(text.as_string()->get());
      }
      if (const auto checked = ingest::check_redaction(read); !checked) {
        fault(value.source(), "redact", checked.error().message);
      }
      (list == &read.keys ? settings_.redaction.keys : settings_.redaction.patterns) = *list;
    }
  }

  void read_tokens(const toml::node& node) {
    settings_.tokens.clear();
    const toml::array* const list = node.as_array();
    if (list == nullptr || !list->is_homogeneous(toml::node_type::table)) {
      fault(node.source(), "token", "must be tables, each headed [[token]]");
      return;
    }
    if (list->size() > tokens_max) {
      fault(node.source(), "token", fmt::format("there are more than {}", tokens_max));
      return;
    }
    for (const toml::node& item : *list) {
      read_token(*item.as_table(), item.source());
    }
  }

  void read_token(const toml::table& table, const toml::source_region& where) {
    Token token;
    bool has_role = false;
    for (const auto& [item, node] : table) {
      const std::string_view key = item.str();
      const std::string full = fmt::format("token.{}", key);
      if (key == "logs" || key == "nodes") {
        read_names(node, full, key == "logs" ? token.logs : token.nodes, key == "logs");
        continue;
      }
      if (key == "expires" && node.is_date_time()) {
        read_expiry(*node.as_date_time(), token, full);
        continue;
      }
      if (key == "events_per_second" || key == "bytes_per_second") {
        read_rate(node, full, key == "events_per_second", token.quota);
        continue;
      }
      if (key != "name" && key != "sha256" && key != "certificate" && key != "role" &&
          key != "filter" && key != "expires") {
        fault(item.source(), full,
              "is not a setting; known: name, sha256, certificate, role, filter, expires, logs, "
              "nodes, "
              "events_per_second, bytes_per_second");
        continue;
      }
      const auto text = value_text(node, Setting::Kind::text, full);
      if (!text) {
        continue;
      }
      has_role = has_role || key == "role";
      if (const auto read = read_token_text(token, key, *text); !read) {
        // Of a query's error the first line: the caret has no place here.
        const std::string& message = read.error().message;
        fault(node.source(), full, message.substr(0, message.find('\n')));
      }
    }
    if (token.name.empty() || (token.sha256.empty() && token.certificate.empty()) || !has_role) {
      fault(where, "token", "needs a name, a sha256 or a certificate, and a role");
    }
    check_certificate(token, where);
    if (token.role != Role::reader && !token.scope.is_everything()) {
      fault(where, "token.filter", "goes with the role reader only");
    }
    if (token.role != Role::writer &&
        !(token.logs.empty() && token.nodes.empty() && !token.quota.is_limited())) {
      fault(where, "token", "logs, nodes and rates go with the role writer only");
    }
    for (const Token& other : settings_.tokens) {
      if (!token.name.empty() && other.name == token.name) {
        fault(where, "token.name", fmt::format("there are two of '{}'", token.name));
      } else if (!token.certificate.empty() && other.certificate == token.certificate) {
        fault(where, "token.certificate", fmt::format("is that of '{}'", other.name));
      } else if (!token.sha256.empty() && other.sha256 == token.sha256) {
        fault(where, "token.sha256", fmt::format("is that of '{}'", other.name));
      }
    }
    settings_.tokens.push_back(std::move(token));
  }

  void check_certificate(const Token& token, const toml::source_region& where) {
    if (!token.certificate.empty() && !token.sha256.empty()) {
      fault(where, "token", "has a sha256 or a certificate, not both; make it two tokens");
    }
    if (!token.certificate.empty() && token.role != Role::writer) {
      fault(where, "token.certificate", "goes with the role writer only");
    }
  }

  static Result<void> read_token_text(Token& token, std::string_view key, const std::string& text) {
    if (key == "name") {
      token.name = text;
      if (!is_token_name(text)) {
        return fail(ErrorCode::invalid_argument,
                    "must be 1 to 64 of letters, digits, '.', '_' and '-'");
      }
    } else if (key == "sha256") {
      token.sha256 = text;
      if (!is_sha256(text)) {
        return fail(ErrorCode::invalid_argument,
                    "must be 64 lower-case hexadecimal digits, as docketd --new-token gives them");
      }
    } else if (key == "certificate") {
      const auto certificate = certificate_of(text);
      if (!certificate) {
        return fail(ErrorCode::invalid_argument,
                    "must be a SHA-256 fingerprint, 64 hexadecimal digits, or a name of 1 to 255 "
                    "characters of ASCII without ':', '*' and '\"'");
      }
      token.certificate = *certificate;
    } else if (key == "role") {
      DOCKET_ASSIGN(token.role, parse_role(text));
    } else if (key == "filter") {
      if (text.find_first_not_of(' ') == std::string::npos) {
        return fail(ErrorCode::invalid_argument, "is empty; leave it out for every event");
      }
      DOCKET_ASSIGN(token.scope, api::Scope::parse(text));
    } else {
      DOCKET_ASSIGN(token.expires, parse_rfc3339(text));
    }
    return {};
  }

  void read_expiry(const toml::value<toml::date_time>& node, Token& token, std::string_view name) {
    std::ostringstream text;
    text << *node;
    const auto time = parse_rfc3339(text.str());
    if (!time) {
      fault(node.source(), name, "must be a time with its offset, such as 2027-01-31T00:00:00Z");
      return;
    }
    token.expires = *time;
  }

  void read_rate(const toml::node& node, const std::string& name, bool is_events,
                 ingest::QuotaRates& quota) {
    const auto text =
        value_text(node, is_events ? Setting::Kind::number : Setting::Kind::size, name);
    if (!text) {
      return;
    }
    const auto bytes = api::parse_bytes(*text);
    if (!bytes || *bytes == 0) {
      fault(node.source(), name, bytes ? "must be more than 0" : bytes.error().message);
      return;
    }
    (is_events ? quota.events_per_second : quota.bytes_per_second) = *bytes;
  }

  void read_names(const toml::node& node, std::string_view name, std::vector<std::string>& into,
                  bool are_logs) {
    const toml::array* const list = node.as_array();
    if (list == nullptr || list->empty() || !list->is_homogeneous(toml::node_type::string) ||
        list->size() > token_list_max) {
      fault(node.source(), name, fmt::format("must be a list of 1 to {} strings", token_list_max));
      return;
    }
    for (const toml::node& item : *list) {
      const std::string& text = item.as_string()->get();
      if (are_logs ? !is_log_name(text) : text.empty() || text.size() > limits::node_bytes_max) {
        fault(item.source(), name, are_logs ? "is no name of a log" : "is no producer id");
        continue;
      }
      into.push_back(text);
    }
  }

  template <typename T>
  void take(const Result<T>& value, std::optional<T>& into, const toml::node& node,
            std::string_view name) {
    if (!value) {
      fault(node.source(), name, value.error().message);
    } else if (*value == 0) {
      fault(node.source(), name, "must be more than 0");
    } else {
      into = *value;
    }
  }

  std::string name_;
  Settings& settings_;
  std::vector<std::tuple<std::uint32_t, std::uint32_t, std::string>> faults_;
};

}  // namespace

Result<void> read_settings_text(std::string_view text, const std::string& name,
                                Settings& settings) {
  Settings read = settings;
  try {
    FileReader reader(name, read);
    reader.read(toml::parse(text, name));
    if (std::string faults = reader.faults(); !faults.empty()) {
      return fail(ErrorCode::invalid_argument, std::move(faults));
    }
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}:{}:{}: {}", name, error.source().begin.line,
                            error.source().begin.column, error.description()));
  }
  settings = std::move(read);
  return {};
}

Result<void> read_settings_file(const std::string& path, Settings& settings) {
  DOCKET_ASSIGN(const std::string text, api::read_given_file(path, file_bytes_max));
  return read_settings_text(text, path, settings);
}

}  // namespace docket::server
