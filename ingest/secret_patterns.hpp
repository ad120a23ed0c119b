// What secrets look like, wherever they stand.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace docket::ingest {

enum class SecretPattern : std::uint8_t {
  authorization,  // `Bearer` or `Basic`, and 16 characters or more of a token
  card,           // 14 to 19 digits as cards have them, with single blanks or hyphens between
  jwt,            // three parts of base64url with dots between, the first beginning with `eyJ`
  private_key,    // from `-----BEGIN … PRIVATE KEY-----` to its end, or to the end of the text
  access_key,     // keys that begin as those of well-known services do, and Docket's own tokens
};
inline constexpr std::array<std::string_view, 5> secret_pattern_names{
    "authorization", "card", "jwt", "private_key", "access_key"};

// A set of patterns, as bits.
using SecretPatterns = std::uint8_t;
[[nodiscard]] constexpr SecretPatterns bit_of(SecretPattern pattern) {
  return static_cast<SecretPatterns>(1U << static_cast<unsigned>(pattern));
}

inline constexpr std::string_view redacted = "[redacted]";

// Replaces what looks like one of the patterns by `redacted`, which is never longer; the rest of
// the text stays. False: there is none, and `out` is not touched.
[[nodiscard]] bool replace_secrets(std::string_view text, SecretPatterns patterns,
                                   std::string& out);

}  // namespace docket::ingest
