#include "tools/docketd/token.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "engine/assert.hpp"
#include "engine/timestamp.hpp"
#include "tools/api/digest.hpp"
#include "tools/api/units.hpp"
#include "tools/docketd/toml_text.hpp"

namespace docket::server {

namespace {

using api::Endpoint;

constexpr std::array<std::string_view, 4> role_names{"writer", "reader", "operator", "admin"};
constexpr std::size_t digest_digits = 64;
constexpr std::size_t token_random_bytes = 32;

bool is_one_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

std::string_view to_string(Role role) {
  return role_names[static_cast<std::size_t>(role)];
}

Result<Role> parse_role(std::string_view text) {
  const auto* const found = std::ranges::find(role_names, text);
  if (found == role_names.end()) {
    return fail(ErrorCode::invalid_argument, "must be writer, reader, operator or admin");
  }
  return static_cast<Role>(found - role_names.begin());
}

bool may_use(Role role, Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::healthz:
    case Endpoint::readyz:
    case Endpoint::openapi:
      return true;
    case Endpoint::post_events:
    case Endpoint::post_otlp:
      return role == Role::writer || role == Role::admin;
    case Endpoint::search:
    case Endpoint::count:
    case Endpoint::facets:
    case Endpoint::histogram:
    case Endpoint::explain:
    case Endpoint::event:
    case Endpoint::export_events:
    case Endpoint::tail:
      return role == Role::reader || role == Role::admin;
    case Endpoint::metrics:
    case Endpoint::logs:
    case Endpoint::segments:
    case Endpoint::stats:
    case Endpoint::nodes:
    case Endpoint::retention:
      return role == Role::operator_ || role == Role::admin;
  }
  return false;
}

bool is_token_name(std::string_view text) {
  return !text.empty() && text.size() <= token_name_bytes_max &&
         is_one_of(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
}

bool is_sha256(std::string_view text) {
  return text.size() == digest_digits && is_one_of(text, "0123456789abcdef");
}

std::optional<std::string> certificate_of(std::string_view text) {
  std::string folded;
  std::string digits;
  for (const char c : text) {
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const std::string_view prefix = folded.starts_with("sha256:") ? "sha256:" : "";
  for (const char c : folded.substr(prefix.size())) {
    digits += c == ':' ? std::string_view() : std::string_view(&c, 1);
  }
  if (is_sha256(digits)) {
    return digits;
  }
  const bool is_name = !folded.empty() && folded.size() <= certificate_name_bytes_max &&
                       std::ranges::all_of(folded, [](char c) {
                         return c >= ' ' && c <= '~' && c != ':' && c != '*' && c != '"';
                       });
  return is_name ? std::optional(folded) : std::nullopt;
}

bool is_of_certificate(const Token& token, const ingest::PeerCertificate& shown) {
  return !token.certificate.empty() &&
         (token.certificate == shown.sha256 ||
          std::ranges::find(shown.names, token.certificate) != shown.names.end());
}

Result<std::string> make_token() {
  std::array<unsigned char, token_random_bytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return fail(ErrorCode::io, "the system gives no random bytes");
  }
  return fmt::format("dkt_{:02x}", fmt::join(bytes, ""));
}

std::string digest_of(std::string_view token) {
  api::Sha256 digest;
  digest.update(token);
  return digest.finish();
}

bool same_digest(std::string_view a, std::string_view b) {
  DOCKET_ASSERT(a.size() == digest_digits);
  DOCKET_ASSERT(b.size() == digest_digits);
  return CRYPTO_memcmp(a.data(), b.data(), digest_digits) == 0;
}

std::string print_token(const Token& token, std::string_view sha256) {
  std::string out =
      fmt::format("[[token]]\nname = {}\n{} = {}\nrole = {}\n", toml_string(token.name),
                  token.certificate.empty() ? "sha256" : "certificate",
                  toml_string(token.certificate.empty() ? sha256 : token.certificate),
                  toml_string(to_string(token.role)));
  if (!token.scope.is_everything()) {
    fmt::format_to(std::back_inserter(out), "filter = {}\n", toml_string(token.scope.text()));
  }
  if (token.expires) {
    fmt::format_to(std::back_inserter(out), "expires = {}\n",
                   toml_string(format_rfc3339(*token.expires)));
  }
  if (!token.logs.empty()) {
    fmt::format_to(std::back_inserter(out), "logs = {}\n", toml_strings(token.logs));
  }
  if (!token.nodes.empty()) {
    fmt::format_to(std::back_inserter(out), "nodes = {}\n", toml_strings(token.nodes));
  }
  if (token.quota.events_per_second != 0) {
    fmt::format_to(std::back_inserter(out), "events_per_second = {}\n",
                   token.quota.events_per_second);
  }
  if (token.quota.bytes_per_second != 0) {
    fmt::format_to(std::back_inserter(out), "bytes_per_second = \"{}\"\n",
                   api::format_bytes(token.quota.bytes_per_second));
  }
  return out;
}

std::string describe(const Token& token) {
  std::string out(to_string(token.role));
  if (!token.certificate.empty()) {
    fmt::format_to(std::back_inserter(out), ", certificate {}", token.certificate);
  }
  if (!token.scope.is_everything()) {
    fmt::format_to(std::back_inserter(out), ", filter {}", toml_string(token.scope.text()));
  }
  if (token.expires) {
    fmt::format_to(std::back_inserter(out), ", expires {}", format_rfc3339(*token.expires));
  }
  if (!token.logs.empty()) {
    fmt::format_to(std::back_inserter(out), ", logs {}", toml_strings(token.logs));
  }
  if (!token.nodes.empty()) {
    fmt::format_to(std::back_inserter(out), ", nodes {}", toml_strings(token.nodes));
  }
  if (token.quota.events_per_second != 0) {
    fmt::format_to(std::back_inserter(out), ", {} events a second", token.quota.events_per_second);
  }
  if (token.quota.bytes_per_second != 0) {
    fmt::format_to(std::back_inserter(out), ", {} a second",
                   api::format_bytes(token.quota.bytes_per_second));
  }
  return out;
}

}  // namespace docket::server
