#include "tools/docketd/token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace docket::server {
namespace {

using api::Endpoint;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::set<Endpoint> allowed(Role role) {
  std::set<Endpoint> endpoints;
  for (const api::Operation& operation : api::operations()) {
    if (may_use(role, operation.endpoint)) {
      endpoints.insert(operation.endpoint);
    }
  }
  for (const Endpoint free : {Endpoint::healthz, Endpoint::readyz, Endpoint::openapi}) {
    EXPECT_EQ(endpoints.erase(free), 1U);
  }
  return endpoints;
}

TEST(Token, EachRoleMayUseItsPartOfTheApiAndAdminAllOfIt) {
  const std::set<Endpoint> questions{Endpoint::search,        Endpoint::count,   Endpoint::facets,
                                     Endpoint::histogram,     Endpoint::explain, Endpoint::event,
                                     Endpoint::export_events, Endpoint::tail};
  const std::set<Endpoint> store{Endpoint::metrics, Endpoint::logs,  Endpoint::segments,
                                 Endpoint::stats,   Endpoint::nodes, Endpoint::retention};
  EXPECT_EQ(allowed(Role::writer),
            (std::set<Endpoint>{Endpoint::post_events, Endpoint::post_otlp}));
  EXPECT_EQ(allowed(Role::reader), questions);
  EXPECT_EQ(allowed(Role::operator_), store);
  EXPECT_EQ(allowed(Role::admin).size(), api::operations().size() - 3);
}

TEST(Token, RolesReadBackAsWritten) {
  for (const Role role : {Role::writer, Role::reader, Role::operator_, Role::admin}) {
    EXPECT_EQ(parse_role(to_string(role)), role);
  }
  EXPECT_FALSE(parse_role("root"));
}

TEST(Token, FreshOnesDifferAndHave256Bits) {
  const std::string first = make_token().value();
  EXPECT_THAT(first, StartsWith("dkt_"));
  EXPECT_EQ(first.size(), 4U + 64U);
  EXPECT_NE(first, make_token().value());
}

TEST(Token, TheDigestIsSha256) {
  const std::string digest = digest_of("abc");
  EXPECT_EQ(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(is_sha256(digest));
  EXPECT_FALSE(is_sha256("BA" + digest.substr(2)));
  EXPECT_FALSE(is_sha256(digest.substr(1)));
  EXPECT_TRUE(same_digest(digest, digest));
  EXPECT_FALSE(same_digest(digest, digest_of("abd")));
}

TEST(Token, NamesAreShortAndPlain) {
  EXPECT_TRUE(is_token_name("ci.shop_1-a"));
  EXPECT_TRUE(is_token_name(std::string(64, 'a')));
  for (const std::string bad : {"", "a b", "a\n", "\xc3\xa4", "a:b"}) {
    EXPECT_FALSE(is_token_name(bad)) << bad;
  }
  EXPECT_FALSE(is_token_name(std::string(65, 'a')));
}

TEST(Token, ItsDescriptionHasNoDigest) {
  Token token;
  token.name = "x";
  token.sha256 = digest_of("x");
  token.scope = api::Scope::parse("verb:\"a b\"").value();
  EXPECT_EQ(describe(token), R"(reader, filter "verb:\"a b\"")");
  EXPECT_THAT(print_token(token, token.sha256), HasSubstr(token.sha256));
}

}  // namespace
}  // namespace docket::server
