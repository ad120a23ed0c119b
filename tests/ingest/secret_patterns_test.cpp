#include "ingest/secret_patterns.hpp"

#include <gtest/gtest.h>

namespace docket::ingest {
namespace {

// All patterns, unless said otherwise.
std::string clean(std::string_view text, SecretPatterns patterns = 0xff) {
  std::string out = "untouched";
  return replace_secrets(text, patterns, out) ? out : std::string(text);
}

// Whether nothing but the mark is left.
bool is_secret(std::string_view text) {
  return clean(text) == redacted;
}

TEST(SecretPatterns, TokensBehindTheirSchemeAreSecretsAndWordsAreNot) {
  EXPECT_EQ(clean("Authorization: Bearer abcdef0123456789.x-y_z~+/=; next"),
            "Authorization: [redacted]; next");
  EXPECT_TRUE(is_secret("bAsIc dXNlcjpwYXNzd29yZA=="));
  EXPECT_EQ(clean("the bearer of news"), "the bearer of news");
  EXPECT_EQ(clean("forbearer abcdef0123456789xyz"), "forbearer abcdef0123456789xyz");
}

TEST(SecretPatterns, NumbersOfCardsAreSecretsHoweverTheyAreGrouped) {
  for (const char* card :
       {"4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "5555555555554444",
        "2223003122003222", "378282246310005", "6011111111111117", "3530111333300000",
        "30569309025904", "6200000000000005", "4000000000000000006"}) {
    EXPECT_TRUE(is_secret(card)) << card;
  }
  EXPECT_EQ(clean("order 12 4111-1111-1111-1111 of 2026"), "order 12 [redacted] of 2026");
}

TEST(SecretPatterns, OtherNumbersAreNone) {
  for (const char* number :
       {"4111111111111112",  // Luhn says no
        "1777638123250",     // milliseconds, microseconds, nanoseconds
        "1777638123250000", "1777638123250000000", "41111111111111111111111111", "0000000000000000",
        "x4111111111111111", "4111111111111111x", "0.4111111111111111"}) {
    EXPECT_EQ(clean(number), number);
  }
}

TEST(SecretPatterns, TokensInThreePartsAreSecrets) {
  EXPECT_EQ(clean("id=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g"),
            "id=[redacted]");
  EXPECT_TRUE(is_secret("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."));
  EXPECT_EQ(clean("eyJhbGciOiJIUzI1NiJ9"), "eyJhbGciOiJIUzI1NiJ9");
}

TEST(SecretPatterns, PrivateKeysGoToTheirEndAndCertificatesStay) {
  EXPECT_EQ(clean("a -----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY----- b"),
            "a [redacted] b");
  EXPECT_TRUE(is_secret("-----BEGIN PRIVATE KEY-----\nMHcCAQ and no end"));
  EXPECT_EQ(clean("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----");
}

TEST(SecretPatterns, KeysOfKnownServicesAreSecrets) {
  for (const char* key : {"AKIAIOSFODNN7EXAMPLE", "ghp_0123456789abcdefghijABCDEFGHIJ012345",
                          "sk_live_0123456789abcdefghij", "xoxb-0123456789-abcdefghij",
                          "dkt_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}) {
    EXPECT_TRUE(is_secret(key)) << key;
  }
  EXPECT_EQ(clean("AKIA is a prefix, SG. another"), "AKIA is a prefix, SG. another");
}

TEST(SecretPatterns, OnlyWhatIsAskedForIsReplaced) {
  const std::string both = "4111111111111111 AKIAIOSFODNN7EXAMPLE";
  EXPECT_EQ(clean(both, bit_of(SecretPattern::card)), "[redacted] AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(clean(both, bit_of(SecretPattern::access_key)), "4111111111111111 [redacted]");
  EXPECT_EQ(clean(both, 0), both);
}

// Each begin of something must not be followed to the end of a long text.
TEST(SecretPatterns, AMebibyteOfBeginsTakesOneLook) {
  for (const std::string_view begin : {"eyJ-", "eyJ.", "eyJa.eyJ", "bearer ", "basic a", "4111 ",
                                       "4-", "-----BEGIN ", "AKIA", "dkt_", "SG.", "xoxb-"}) {
    std::string text;
    while (text.size() < (std::size_t{1} << 20)) {
      text += begin;
    }
    std::string out;
    static_cast<void>(replace_secrets(text, 0xff, out));
  }
}

}  // namespace
}  // namespace docket::ingest
