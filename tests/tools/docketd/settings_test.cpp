#include "tools/docketd/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::server {
namespace {

using ::testing::HasSubstr;

TEST(Settings, ListeningBeyondLoopbackNeedsInsecureAndSaysWhy) {
  Settings settings;
  EXPECT_TRUE(check_settings(settings));
  settings.http = {"0.0.0.0", 7480};
  const auto refused = check_settings(settings);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("--insecure"));
  EXPECT_THAT(refused.error().message, HasSubstr("0.0.0.0:7480"));
  EXPECT_THAT(refused.error().message, HasSubstr("no TLS and no token:"));
  settings.insecure = true;
  EXPECT_TRUE(check_settings(settings));
  settings = Settings();
  settings.ingest = {"::", 7470};
  EXPECT_FALSE(check_settings(settings));
}

TEST(Settings, BeyondLoopbackBothListenersNeedBothTlsAndTokens) {
  for (const auto listener : {&Settings::http, &Settings::ingest}) {
    Settings settings;
    settings.*listener = {"0.0.0.0", 7490};
    settings.tls = {"c", "k", ""};
    EXPECT_THAT(check_settings(settings).error().message, HasSubstr("no token:"));
    settings.tokens.emplace_back();
    EXPECT_TRUE(check_settings(settings));
    settings.tls = {};
    EXPECT_THAT(check_settings(settings).error().message, HasSubstr("no TLS:"));
  }
}

TEST(Settings, CertificateAndKeyGoTogether) {
  Settings settings;
  settings.tls.certificate = "c";
  EXPECT_FALSE(check_settings(settings));
  settings.tls.key = "k";
  EXPECT_TRUE(check_settings(settings));
  settings.tls = {"", "", "ca"};
  EXPECT_FALSE(check_settings(settings));
}

TEST(Settings, ACertificateThatStandsForATokenTakesAnAuthorityThatVouchesForIt) {
  Settings settings;
  settings.tokens.emplace_back();
  settings.tokens[0].name = "web";
  settings.tokens[0].certificate = "web-1.test";
  settings.tls = {"c", "k", ""};
  const auto checked = check_settings(settings);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message,
            "token.certificate: that of 'web' is asked for by nobody without tls.client_ca");
  settings.tls.client_ca = "ca";
  EXPECT_TRUE(check_settings(settings));
}

TEST(Settings, ASenderIsSilentBeforeItIsGone) {
  Settings settings;
  settings.senders.gone_after = settings.senders.silent_after;
  EXPECT_TRUE(check_settings(settings));
  --settings.senders.gone_after;
  EXPECT_FALSE(check_settings(settings));
}

TEST(Settings, OneAddressForBothListenersIsRefusedUnlessThePortIsAny) {
  Settings settings;
  settings.http = settings.ingest;
  EXPECT_FALSE(check_settings(settings));
  settings.http.port = settings.ingest.port = 0;
  EXPECT_TRUE(check_settings(settings));
}

TEST(Settings, ASocketsPathIsAsLongAsTheSystemTakes) {
  Settings settings;
  settings.socket = std::string(107, 'x');
  EXPECT_TRUE(check_settings(settings));
  settings.socket += 'x';
  const auto refused = check_settings(settings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "socket: a path must be at most 107 bytes");
}

TEST(Settings, ChangesAreNamedAsInTheFile) {
  Settings before;
  before.retention.logs["api"].max_age = 86'400LL * 1'000'000'000;
  Settings after = before;
  EXPECT_TRUE(settings_changes(before, after).empty());
  after.log_level = LogLevel::debug;
  after.retention.logs["api"].max_age = 2 * 86'400LL * 1'000'000'000;
  after.retention.otherwise.max_bytes = std::uint64_t{1} << 30;
  after.retention.logs["campaign"].max_bytes = 1000;
  after.redaction.keys = {"pin"};
  std::string text;
  for (const SettingChange& change : settings_changes(before, after)) {
    text += change.name + " " + change.before + " -> " + change.after + "\n";
  }
  EXPECT_EQ(text,
            "log.level info -> debug\n"
            "retention.default.max_bytes  -> 1GiB\n"
            "retention.api.max_age 1d -> 2d\n"
            "retention.campaign.max_bytes  -> 1000B\n"
            "redact.keys [] -> [\"pin\"]\n");
}

TEST(Settings, ChangedTokensAreNamedWithoutTheirDigests) {
  Token ada;
  ada.name = "ada";
  ada.sha256 = std::string(64, 'a');
  Settings before;
  before.tokens = {ada};
  Settings after = before;
  after.tokens[0].sha256 = std::string(64, 'b');
  after.tokens.push_back(ada);
  after.tokens[1].name = "shop";
  after.tokens[1].role = Role::writer;
  const auto changes = settings_changes(before, after);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].name, "token.ada");
  EXPECT_EQ(changes[0].before, "reader");
  EXPECT_EQ(changes[0].after, "reader, another token");
  EXPECT_EQ(changes[1].name, "token.shop");
  EXPECT_EQ(changes[1].after, "writer");
  EXPECT_EQ(settings_changes(after, Settings()).size(), 2U);
}

}  // namespace
}  // namespace docket::server
