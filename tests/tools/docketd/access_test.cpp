#include "tools/docketd/access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/timestamp.hpp"

namespace docket::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Nanos now = 1'000'000'000'000;
const std::string peer = "10.0.0.1:50000";

Token token(const std::string& name, Role role) {
  Token made;
  made.name = name;
  made.sha256 = digest_of("secret of " + name);
  made.role = role;
  return made;
}

class AccessTest : public ::testing::Test {
 protected:
  AdmittedRequest admit(const std::string& method, const std::string& target,
                        const std::string& authorization, Nanos time = now) {
    RequestHead head;
    head.method = method;
    head.target = target;
    head.host = "localhost";
    AdmittedRequest request = admit_request(head, true);
    access_.admit(request, authorization, peer, time, grant_);
    return request;
  }
  unsigned status(const std::string& target, const std::string& authorization, Nanos time = now) {
    const AdmittedRequest request = admit("GET", target, authorization, time);
    return request.refusal ? request.refusal->status : 200;
  }

  std::vector<std::string> denied_;
  Access access_{{token("ada", Role::reader), token("ops", Role::operator_)},
                 [this](const std::string& who, const std::string&, const std::string& reason) {
                   denied_.push_back(who + ": " + reason);
                 }};
  Grant grant_;
};

TEST_F(AccessTest, AGoodTokenSaysWhoAsks) {
  EXPECT_EQ(status("/api/v1/count", "Bearer secret of ada"), 200U);
  ASSERT_TRUE(grant_);
  EXPECT_EQ(grant_->name, "ada");
  EXPECT_EQ(status("/api/v1/count", "bEARER  secret of ada"), 200U);
  EXPECT_EQ(status("/api/v1/stats", "Bearer secret of ops"), 200U);
  EXPECT_EQ(grant_->name, "ops");
  EXPECT_TRUE(denied_.empty());
}

TEST_F(AccessTest, WithoutOneNothingIsAnsweredButTheProbes) {
  for (const std::string shown : {"", "Bearer", "Bearer ", "Basic secret of ada", "secret of ada",
                                  "Bearer secret of adb", "Bearer secret of ada "}) {
    for (const api::Operation& operation : api::operations()) {
      const bool is_probe = operation.path == "/healthz" || operation.path == "/readyz";
      access_.change({token("ada", Role::admin)});
      const auto request =
          admit(operation.allow == "POST" ? "POST" : "GET",
                operation.path.starts_with("/api/v1/events/") ? "/api/v1/events/activity/1"
                                                              : operation.path,
                shown);
      EXPECT_EQ(request.refusal.has_value(), !is_probe) << operation.path;
      EXPECT_FALSE(grant_);
    }
  }
}

TEST_F(AccessTest, TheRefusalSaysWhatToShowAndNothingOfThePath) {
  const auto missing = admit("GET", "/nowhere", "");
  ASSERT_TRUE(missing.refusal);
  EXPECT_EQ(missing.refusal->status, 401U);
  EXPECT_EQ(missing.refusal->authenticate, "Bearer realm=\"docket\"");
  EXPECT_EQ(missing.refusal->content_type, api::problem_content_type);
  const auto wrong = admit("GET", "/nowhere", "Bearer x");
  EXPECT_THAT(wrong.refusal->authenticate, HasSubstr("invalid_token"));
  EXPECT_EQ(status("/nowhere", "Bearer secret of ada"), 404U);
  EXPECT_THAT(denied_, ElementsAre("address:10.0.0.1: no token was shown",
                                   "address:10.0.0.1: this is no token of this server"));
}

TEST_F(AccessTest, ARoleThatDoesNotSufficeIs403AndNamesTheToken) {
  const auto refused = admit("GET", "/api/v1/stats", "Bearer secret of ada");
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->status, 403U);
  EXPECT_THAT(refused.refusal->body, HasSubstr("the role reader does not suffice"));
  EXPECT_EQ(status("/api/v1/count", "Bearer secret of ops"), 403U);
  EXPECT_THAT(denied_, ElementsAre(HasSubstr("api_token:ada"), HasSubstr("api_token:ops")));
}

TEST_F(AccessTest, ATokenEndsAtItsTime) {
  Token brief = token("brief", Role::reader);
  brief.expires = now + 10;
  access_.change({brief});
  EXPECT_EQ(status("/api/v1/count", "Bearer secret of brief", now + 9), 200U);
  const Grant granted = grant_;
  EXPECT_TRUE(access_.holds(granted, now + 9));
  EXPECT_FALSE(access_.holds(granted, now + 10));
  EXPECT_EQ(status("/api/v1/count", "Bearer secret of brief", now + 10), 401U);
  EXPECT_THAT(denied_, ElementsAre("api_token:brief: the token has expired"));
}

TEST_F(AccessTest, WhatWasGrantedHoldsUntilItIsChanged) {
  EXPECT_EQ(status("/api/v1/count", "Bearer secret of ada"), 200U);
  const Grant granted = grant_;
  access_.change({token("ada", Role::reader), token("new", Role::admin)});
  EXPECT_TRUE(access_.holds(granted, now));
  Token scoped = token("ada", Role::reader);
  scoped.scope = api::Scope::parse("verb:EDIT").value();
  access_.change({scoped});
  EXPECT_FALSE(access_.holds(granted, now));
  access_.change({});
  EXPECT_FALSE(access_.holds(granted, now));
}

TEST_F(AccessTest, WithoutTokensEverybodyMayDoEverythingUntilThereAreSome) {
  access_.change({});
  EXPECT_TRUE(access_.is_open());
  EXPECT_EQ(status("/api/v1/stats", ""), 200U);
  EXPECT_FALSE(grant_);
  EXPECT_TRUE(access_.holds(grant_, now));
  access_.change({token("ada", Role::reader)});
  EXPECT_FALSE(access_.holds({}, now));
}

TEST_F(AccessTest, AQuotaIsOfTheTokenAndOutlivesReloadsThatLeaveItsRates) {
  Token shop = token("shop", Role::writer);
  shop.quota = {100, 0};
  const Token free = token("free", Role::writer);
  access_.change({shop, free});
  const auto quota = rights_of(access_, {"secret of shop"}, "10.0.0.1")->quota;
  ASSERT_TRUE(quota);
  EXPECT_EQ(access_.quota_of(shop), quota);
  EXPECT_FALSE(rights_of(access_, {"secret of free"}, "10.0.0.1")->quota);
  quota->throttled(1);
  access_.change({shop});
  EXPECT_EQ(access_.quota_of(shop), quota);
  EXPECT_EQ(access_.throttled().at("shop").times, 1U);
  shop.quota.events_per_second = 200;
  access_.change({shop});
  EXPECT_NE(access_.quota_of(shop), quota);
  access_.change({free});
  EXPECT_FALSE(access_.quota_of(shop));
  EXPECT_TRUE(access_.throttled().empty());
}

TEST_F(AccessTest, SendersAreThoseOfARoleThatSends) {
  Token writer = token("shop", Role::writer);
  writer.logs = {"api"};
  writer.nodes = {"web-1"};
  access_.change({writer, token("ada", Role::reader)});
  const auto rights = rights_of(access_, {"secret of shop"}, "10.0.0.1");
  ASSERT_TRUE(rights);
  EXPECT_EQ(rights->logs, writer.logs);
  EXPECT_EQ(rights->nodes, writer.nodes);
  EXPECT_TRUE(rights->hold());
  EXPECT_EQ(rights_of(access_, {"secret of ada"}, "10.0.0.1").error().message,
            "the role reader does not send");
  EXPECT_EQ(rights_of(access_, {}, "10.0.0.1").error().message, "no token was shown");
  access_.change({token("ada", Role::reader)});
  EXPECT_FALSE(rights->hold());
  access_.change({});
  EXPECT_TRUE(rights_of(access_, {}, "10.0.0.1")->hold());
}

TEST_F(AccessTest, ACertificateStandsForTheTokenThatNamesIt) {
  Token by_name = token("by-name", Role::writer);
  Token by_print = token("by-print", Role::writer);
  by_name.sha256 = by_print.sha256 = "";
  by_name.certificate = "web-1.test";
  by_print.certificate = std::string(64, 'a');
  by_name.logs = {"name"};
  by_print.logs = {"print"};
  by_name.expires = now_ns() + 3'600'000'000'000;
  access_.change({token("ada", Role::writer), by_name, by_print});
  const auto logs_of = [this](const ingest::Credentials& shown) {
    const auto rights = rights_of(access_, shown, "10.0.0.1");
    return rights ? rights->logs : std::vector<std::string>{rights.error().message};
  };
  const std::string none(64, '0');
  EXPECT_THAT(logs_of({"", {{none, {"other.test", "web-1.test"}}}}), ElementsAre("name"));
  // A fingerprint says more than a name.
  EXPECT_THAT(logs_of({"", {{by_print.certificate, {"web-1.test"}}}}), ElementsAre("print"));
  EXPECT_THAT(logs_of({"", {{none, {"web-1.test.evil", ""}}}}),
              ElementsAre("no token was shown, and the certificate stands for none"));
  // No digest is taken for a fingerprint, and no certificate for a secret.
  EXPECT_THAT(logs_of({"", {{digest_of("secret of ada"), {}}}}), ElementsAre(HasSubstr("none")));
  EXPECT_THAT(logs_of({"web-1.test", {}}), ElementsAre("this is no token of this server"));
  EXPECT_THAT(logs_of({"guess", {{by_print.certificate, {}}}}),
              ElementsAre("this is no token of this server"));
  EXPECT_THAT(logs_of({"secret of ada", {{by_print.certificate, {}}}}), ElementsAre());
  const auto rights = rights_of(access_, {"", {{none, {"web-1.test"}}}}, "10.0.0.1");
  ASSERT_TRUE(rights);
  EXPECT_TRUE(rights->hold());
  by_name.expires = now_ns() - 1;
  access_.change({by_name});
  EXPECT_FALSE(rights->hold());
  EXPECT_THAT(logs_of({"", {{none, {"web-1.test"}}}}), ElementsAre("the token has expired"));
}

TEST_F(AccessTest, AnAddressThatFailsTooOftenIsToldToWaitWhileGoodTokensWork) {
  for (std::uint32_t i = 0; i < Attempts::failures_max; ++i) {
    ASSERT_EQ(status("/api/v1/count", "Bearer guess"), 401U);
  }
  const auto throttled = admit("GET", "/api/v1/count", "Bearer guess");
  EXPECT_EQ(throttled.refusal->status, 429U);
  EXPECT_GT(throttled.refusal->retry_after_s, 0U);
  EXPECT_EQ(status("/api/v1/count", "Bearer secret of ada"), 200U);
}

}  // namespace
}  // namespace docket::server
