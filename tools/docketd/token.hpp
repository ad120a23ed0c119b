// What a token may do, and until when. The configuration holds digests of tokens only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/result.hpp"
#include "ingest/peer_certificate.hpp"
#include "ingest/quota.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/scope.hpp"

namespace docket::server {

enum class Role : std::uint8_t {
  writer,     // sends events
  reader,     // asks about events, those of its scope
  operator_,  // asks about the store: its logs, segments, senders, retention, metrics; no event
  admin,      // all of it
};

[[nodiscard]] std::string_view to_string(Role role);
[[nodiscard]] Result<Role> parse_role(std::string_view text);
// Whether the role suffices. What the API says of itself is for everybody with a token.
[[nodiscard]] bool may_use(Role role, api::Endpoint endpoint);

// One `[[token]]` of the file.
struct Token {
  std::string name;    // distinct; who it is in the log `docket`
  std::string sha256;  // of the token, 64 lower-case hexadecimal digits; or empty, and
  // a client's certificate stands for it: of this SHA-256 fingerprint, in the same form, or name.
  std::string certificate{};
  Role role = Role::reader;
  api::Scope scope;                // of a reader; else every event
  std::optional<Nanos> expires;    // from then on it is none
  std::vector<std::string> logs;   // that a writer may write to; empty: all
  std::vector<std::string> nodes;  // the producer ids that a writer may use; empty: all
  ingest::QuotaRates quota;        // of a writer

  friend bool operator==(const Token&, const Token&) = default;
};

inline constexpr std::size_t tokens_max = 1024;
inline constexpr std::size_t token_name_bytes_max = 64;
inline constexpr std::size_t token_bytes_max = 512;  // what is longer is none
inline constexpr std::size_t certificate_name_bytes_max = 255;
inline constexpr std::size_t token_list_max = 64;  // of logs, and of nodes

// 1 to 64 of letters, digits, `.`, `_` and `-`: it stands in records and on command lines.
[[nodiscard]] bool is_token_name(std::string_view text);
[[nodiscard]] bool is_sha256(std::string_view text);
// A fingerprint as openssl prints it, in capitals and with colons, perhaps behind `sha256:`, or a
// name; nullopt: neither. As it stands in a Token.
[[nodiscard]] std::optional<std::string> certificate_of(std::string_view text);
[[nodiscard]] bool is_of_certificate(const Token& token, const ingest::PeerCertificate& shown);

// `dkt_` and 256 random bits. Error: io when the system gives no randomness.
[[nodiscard]] Result<std::string> make_token();
// Plain SHA-256. A slow, salted hash protects what can be guessed, as passwords can; 256 random
// bits cannot, and each request pays for the hash.
[[nodiscard]] std::string digest_of(std::string_view token);
// In a time that does not depend on where they differ.
[[nodiscard]] bool same_digest(std::string_view a, std::string_view b);

// As a `[[token]]` of the file; the digest, where it has one, as given.
[[nodiscard]] std::string print_token(const Token& token, std::string_view sha256);
// What it may do, in a line, without its digest.
[[nodiscard]] std::string describe(const Token& token);

}  // namespace docket::server
