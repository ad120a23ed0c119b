#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/docketd/settings.hpp"

namespace docket::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr Nanos day = 86'400LL * 1'000'000'000;

std::string error_of(std::string_view text) {
  Settings settings;
  const auto read = read_settings_text(text, "f.toml", settings);
  return read ? "" : read.error().message;
}

TEST(SettingsFile, EverySectionIsRead) {
  Settings settings;
  ASSERT_TRUE(read_settings_text(R"(
data = "/var/lib/docket"
ingest = "127.0.0.1:1"
http = "[::1]:2"
socket = "/run/docket/in.sock"
socket_mode = "0600"
[tls]
certificate = "/etc/docket/tls.crt"
key = "/etc/docket/tls.key"
client_ca = "/etc/docket/clients.crt"
[log]
level = "warning"
format = "json"
[segment]
bytes = "1MiB"
rows = 1000
age = "5m"
[limits]
payload_bytes = 2048
exports = 3
[retention]
free_space_floor = "1GiB"
interval = "2s"
default = { max_age = "180d" }
[retention.activity]
max_age = "365d"
max_bytes = "10GiB"
[retention.campaign]
[senders]
silent_after = "90s"
gone_after = "7d"
[scrub]
period = "30d"
)",
                                 "f.toml", settings));
  EXPECT_EQ(settings.data, "/var/lib/docket");
  EXPECT_EQ(settings.scrub_period, 30 * Nanos{86'400} * 1'000'000'000);
  EXPECT_EQ(settings.senders.silent_after, 90 * Nanos{1'000'000'000});
  EXPECT_EQ(settings.senders.gone_after, 7 * day);
  EXPECT_EQ(settings.http.text(), "[::1]:2");
  EXPECT_EQ(settings.socket, "/run/docket/in.sock");
  EXPECT_EQ(settings.socket_mode, 0600U);
  EXPECT_EQ(settings.tls.certificate, "/etc/docket/tls.crt");
  EXPECT_EQ(settings.tls.key, "/etc/docket/tls.key");
  EXPECT_EQ(settings.tls.client_ca, "/etc/docket/clients.crt");
  EXPECT_EQ(settings.log_level, LogLevel::warning);
  EXPECT_EQ(settings.log_format, LogFormat::json);
  EXPECT_EQ(settings.segment.segment_bytes, std::uint64_t{1} << 20);
  EXPECT_EQ(settings.segment.segment_rows, 1000U);
  EXPECT_EQ(settings.segment.segment_age, 300'000'000'000);
  EXPECT_EQ(settings.limits.payload_bytes, 2048U);
  EXPECT_EQ(settings.limits.exports, 3U);
  EXPECT_EQ(settings.retention.free_space_floor, std::uint64_t{1} << 30);
  EXPECT_EQ(settings.retention.of("activity").max_age, 365 * day);
  EXPECT_EQ(settings.retention.of("activity").max_bytes, std::uint64_t{10} << 30);
  EXPECT_EQ(settings.retention.of("api").max_age, 180 * day);
  // Named without a bound: kept for ever, whatever the default.
  EXPECT_EQ(settings.retention.of("campaign"), RetentionPolicy{});
}

TEST(SettingsFile, FaultsNameFileLineColumnAndSetting) {
  EXPECT_THAT(error_of("data = \"a\"\ndatta = \"b\"\n"), StartsWith("f.toml:2:1: datta: "));
  EXPECT_THAT(error_of("[log]\nlevel = \"loud\"\n"),
              StartsWith("f.toml:2:9: log.level: must be debug, info, warning or error"));
  EXPECT_THAT(error_of("[limits]\nexports = \"3\"\n"),
              StartsWith("f.toml:2:11: limits.exports: must be a whole number"));
  EXPECT_THAT(error_of("[limits]\nexports = 0\n"), HasSubstr("from 1 to"));
  EXPECT_THAT(error_of("[limits]\nexports = -1\n"), HasSubstr("from 1 to"));
  EXPECT_THAT(error_of("[nowhere]\nx = 1\n"), HasSubstr("nowhere: is no section"));
  EXPECT_THAT(error_of("[retention.activity]\nmax_age = \"1y\"\n"),
              StartsWith("f.toml:2:11: retention.activity.max_age: must be a number and a unit"));
  EXPECT_THAT(error_of("[retention.activity]\nmax_age = \"0d\"\n"), HasSubstr("more than 0"));
  EXPECT_THAT(error_of("[retention.activity]\nage = \"1d\"\n"), HasSubstr("known: max_age"));
  EXPECT_THAT(error_of("[retention.\"No Log\"]\nmax_age = \"1d\"\n"),
              HasSubstr("no name of a log"));
  EXPECT_THAT(error_of("[retention]\ninterval = 5\n"), HasSubstr("must be a string"));
  for (const char* mode : {"660x", "", "888", "1777", "-1"}) {
    EXPECT_THAT(error_of("socket_mode = \"" + std::string(mode) + "\"\n"),
                HasSubstr("must be octal, such as 0660"));
  }
  EXPECT_THAT(error_of("[scrub]\nperiod = \"1ms\"\n"), HasSubstr("must be from 1s to 366d"));
  EXPECT_THAT(error_of("data = \n"), StartsWith("f.toml:1:"));
  EXPECT_THAT(error_of("data = \"a\"\ndata = \"b\"\n"), StartsWith("f.toml:2:"));
}

TEST(SettingsFile, RulesOfRedactionAreReadAndPrintedAndTheirFaultsNamed) {
  Settings settings;
  const std::string text = "[redact]\nkeys = [\"password\", \"*secret*\"]\npatterns = [\"card\"]\n";
  ASSERT_TRUE(read_settings_text(text, "f.toml", settings));
  EXPECT_EQ(settings.redaction.keys, (std::vector<std::string>{"password", "*secret*"}));
  EXPECT_EQ(settings.redaction.patterns, std::vector<std::string>{"card"});
  EXPECT_THAT(print_settings(settings), HasSubstr("\n" + text));
  // A file says all of it.
  ASSERT_TRUE(read_settings_text("[redact]\nkeys = [\"pin\"]\n", "f.toml", settings));
  EXPECT_EQ(settings.redaction.keys, std::vector<std::string>{"pin"});
  EXPECT_TRUE(settings.redaction.patterns.empty());
  EXPECT_THAT(error_of("[redact]\nkeys = [\"*\"]\n"), HasSubstr("f.toml:2:8: redact: keys: '*'"));
  EXPECT_THAT(error_of("[redact]\npatterns = [\"cards\"]\n"), HasSubstr("known: authorization,"));
  EXPECT_THAT(error_of("[redact]\nkeys = \"pin\"\n"), HasSubstr("must be a list of strings"));
  EXPECT_THAT(error_of("[redact]\nkeys = [1]\n"), HasSubstr("must be a list of strings"));
  EXPECT_THAT(error_of("[redact]\nkey = []\n"), HasSubstr("known: keys, patterns"));
  EXPECT_THAT(error_of("redact = 5\n"), HasSubstr("must be a section"));
}

TEST(SettingsFile, AScrubPeriodOfZeroIsNoScrubAndPrintedAsSuch) {
  Settings settings;
  ASSERT_TRUE(read_settings_text("[scrub]\nperiod = \"0\"\n", "f.toml", settings));
  EXPECT_EQ(settings.scrub_period, 0);
  EXPECT_THAT(print_settings(settings), HasSubstr("[scrub]\nperiod = \"0\"\n"));
  EXPECT_THAT(print_settings(Settings()), HasSubstr("[scrub]\nperiod = \"7d\"\n"));
}

TEST(SettingsFile, AllFaultsAreReportedInTheOrderOfTheFile) {
  EXPECT_EQ(error_of("zzz = 1\n[log]\nlevel = 5\n[aaa]\n"),
            "f.toml:1:1: zzz: is not a setting\n"
            "f.toml:3:9: log.level: must be a string\n"
            "f.toml:4:2: aaa: is no section of this file");
}

TEST(SettingsFile, AFaultyFileChangesNothing) {
  Settings settings;
  settings.data = "before";
  EXPECT_FALSE(read_settings_text("data = \"after\"\nbad = 1\n", "f.toml", settings));
  EXPECT_EQ(settings.data, "before");
}

TEST(SettingsFile, WhatIsPrintedReadsBackToTheSame) {
  Settings settings;
  ASSERT_TRUE(read_settings_text(
      "data = \"a \\\"quoted\\\" \\\\ path\"\nsocket = \"s\"\nsocket_mode = "
      "\"0606\"\n[retention.api]\nmax_bytes = 12345\n"
      "[retention.default]\nmax_age = \"90d\"\n[segment]\nage = \"90s\"\n[retention.campaign]\n",
      "f.toml", settings));
  Settings again;
  const auto read = read_settings_text(print_settings(settings), "printed", again);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(print_settings(again), print_settings(settings));
  EXPECT_TRUE(settings_changes(settings, again).empty());
  EXPECT_EQ(again.retention, settings.retention);
  EXPECT_EQ(again.limits, settings.limits);
  EXPECT_EQ(again.socket, "s");
  EXPECT_EQ(again.socket_mode, 0606U);
  EXPECT_EQ(again.data, "a \"quoted\" \\ path");
}

const std::string digest(64, 'a');

std::string token_text(const std::string& more) {
  return "[[token]]\nname = \"ada\"\nsha256 = \"" + digest + "\"\n" + more;
}

TEST(SettingsFile, TokensAreRead) {
  Settings settings;
  const auto read = read_settings_text(
      token_text("role = \"reader\"\nfilter = \"log:activity\"\nexpires = 2027-01-31T00:00:00Z\n") +
          "[[token]]\nname = \"shop\"\nrole = \"writer\"\nsha256 = \"" + std::string(64, 'b') +
          "\"\nevents_per_second = 500\nbytes_per_second = \"1MiB\"\nlogs = [\"api\"]\nnodes = "
          "[\"web-1\", \"web-2\"]\nexpires = "
          "\"2027-01-31T01:00:00+01:00\"\n",
      "f.toml", settings);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(settings.tokens.size(), 2U);
  const Token& ada = settings.tokens[0];
  EXPECT_EQ(ada.name, "ada");
  EXPECT_EQ(ada.sha256, digest);
  EXPECT_EQ(ada.role, Role::reader);
  EXPECT_EQ(ada.scope.text(), "log:activity");
  const Token& shop = settings.tokens[1];
  EXPECT_EQ(shop.expires, ada.expires);
  EXPECT_EQ(shop.logs, std::vector<std::string>{"api"});
  EXPECT_EQ(shop.quota, (ingest::QuotaRates{500, std::uint64_t{1} << 20}));
  EXPECT_EQ(shop.nodes, (std::vector<std::string>{"web-1", "web-2"}));
}

TEST(SettingsFile, FaultyTokensAreNamed) {
  EXPECT_THAT(error_of("token = 5\n"), HasSubstr("must be tables, each headed [[token]]"));
  EXPECT_THAT(error_of("[[token]]\nname = \"a\"\n"),
              HasSubstr("needs a name, a sha256 or a certificate, and a role"));
  EXPECT_THAT(error_of("[[token]]\nname = \"a b\"\n"), HasSubstr("token.name: must be 1 to 64"));
  EXPECT_THAT(error_of("[[token]]\nsha256 = \"12\"\n"), HasSubstr("token.sha256: must be 64"));
  EXPECT_THAT(error_of(token_text("role = \"root\"\n")), HasSubstr("token.role: must be writer"));
  EXPECT_THAT(error_of(token_text("role = \"reader\"\nfilter = \"verb:(\"\n")),
              HasSubstr("f.toml:5:10: token.filter: "));
  EXPECT_THAT(error_of(token_text("role = \"reader\"\nfilter = \" \"\n")), HasSubstr("is empty"));
  EXPECT_THAT(error_of(token_text("role = \"admin\"\nfilter = \"verb:EDIT\"\n")),
              HasSubstr("goes with the role reader only"));
  EXPECT_THAT(error_of(token_text("role = \"reader\"\nlogs = [\"api\"]\n")),
              HasSubstr("go with the role writer only"));
  EXPECT_THAT(error_of(token_text("role = \"reader\"\nevents_per_second = 5\n")),
              HasSubstr("rates go with the role writer only"));
  EXPECT_THAT(error_of(token_text("role = \"writer\"\nevents_per_second = 0\n")),
              HasSubstr("token.events_per_second: must be more than 0"));
  EXPECT_THAT(error_of(token_text("role = \"writer\"\nbytes_per_second = \"fast\"\n")),
              HasSubstr("token.bytes_per_second: "));
  EXPECT_THAT(error_of(token_text("role = \"writer\"\nlogs = []\n")), HasSubstr("a list of 1 to"));
  EXPECT_THAT(error_of(token_text("role = \"writer\"\nlogs = [\"A\"]\n")),
              HasSubstr("no name of a log"));
  EXPECT_THAT(error_of(token_text("role = \"writer\"\nexpires = 2027-01-31T00:00:00\n")),
              HasSubstr("a time with its offset"));
  EXPECT_THAT(error_of(token_text("role = \"writer\"\nexpires = \"soon\"\n")),
              HasSubstr("token.expires: "));
  EXPECT_THAT(error_of(token_text("role = \"writer\"\nscope = \"x\"\n")), HasSubstr("known: name"));
  EXPECT_THAT(error_of(token_text("role = \"writer\"\n") + token_text("role = \"writer\"\n")),
              HasSubstr("there are two of 'ada'"));
  EXPECT_THAT(error_of(token_text("role = \"writer\"\n") +
                       "[[token]]\nname = \"b\"\nrole = \"admin\"\nsha256 = \"" + digest + "\"\n"),
              HasSubstr("is that of 'ada'"));
}

TEST(SettingsFile, ATokenMayBeACertificate) {
  const auto text = [](const std::string& certificate, const std::string& name = "web") {
    return "[[token]]\nname = \"" + name + "\"\nrole = \"writer\"\ncertificate = \"" + certificate +
           "\"\n";
  };
  const std::string print =
      "0f:1e:2d:3c:4b:5a:69:78:87:96:a5:b4:c3:d2:e1:f0:"
      "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
  const std::string digits = "0f1e2d3c4b5a69788796a5b4c3d2e1f000112233445566778899aabbccddeeff";
  Settings settings;
  ASSERT_TRUE(read_settings_text(
      text("Web-1.Example.ORG") + text(print, "b") + text("SHA256:" + std::string(64, 'F'), "c"),
      "f", settings));
  EXPECT_EQ(settings.tokens[0].certificate, "web-1.example.org");
  EXPECT_EQ(settings.tokens[1].certificate, digits);
  EXPECT_EQ(settings.tokens[2].certificate, std::string(64, 'f'));
  const std::string printed = print_settings(settings);
  EXPECT_THAT(printed, HasSubstr("certificate = \"web-1.example.org\""));
  EXPECT_THAT(printed, ::testing::Not(HasSubstr("not shown")));
  Settings again;
  ASSERT_TRUE(read_settings_text(printed, "f", again));
  EXPECT_EQ(again.tokens, settings.tokens);

  for (const char* bad : {"", "*.example.org", "12:34", "sha256:web-1", "w\u00e9b"}) {
    EXPECT_THAT(error_of(text(bad)), HasSubstr("token.certificate: must be")) << bad;
  }
  EXPECT_THAT(error_of(token_text("role = \"writer\"\ncertificate = \"web\"\n")),
              HasSubstr("not both"));
  EXPECT_THAT(error_of(text("A.test") + text("a.test", "b")),
              HasSubstr("token.certificate: is that of 'web'"));
  EXPECT_THAT(error_of("[[token]]\nname = \"a\"\nrole = \"admin\"\ncertificate = \"b\"\n"),
              HasSubstr("token.certificate: goes with the role writer only"));
}

TEST(SettingsFile, PrintedTokensShowNoDigest) {
  Settings settings;
  ASSERT_TRUE(
      read_settings_text(token_text("role = \"reader\"\nfilter = \"log:api\"\n"), "f", settings));
  const std::string printed = print_settings(settings);
  EXPECT_THAT(printed, HasSubstr("[[token]]\nname = \"ada\"\nsha256 = \"(not shown)\"\n"
                                 "role = \"reader\"\nfilter = \"log:api\"\n"));
  EXPECT_EQ(printed.find(digest), std::string::npos);
}

TEST(SettingsFile, AMissingFileIsNotFound) {
  Settings settings;
  const auto read = read_settings_file("/nonexistent/docket.toml", settings);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("/nonexistent/docket.toml"));
  // A path that is no file was mistyped; nothing is damaged.
  EXPECT_EQ(read_settings_file("/", settings).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace docket::server
