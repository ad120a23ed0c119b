#include "tools/docket/ingest_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace docket::cli {
namespace {

using ::testing::HasSubstr;

Result<server::Address> reached(std::string_view told, std::string_view url) {
  return reachable_ingest(told, parse_server_url(url).value());
}

TEST(IngestAddress, IsTheOneThatTheServerTells) {
  EXPECT_EQ(reached("127.0.0.1:7", "http://127.0.0.1:1").value().text(), "127.0.0.1:7");
  EXPECT_EQ(reached("127.0.0.1:7", "http://localhost:1").value().text(), "127.0.0.1:7");
  EXPECT_EQ(reached("[::1]:7", "http://[::1]:1").value().text(), "[::1]:7");
  EXPECT_EQ(reached("10.0.0.9:7", "http://docket.example").value().text(), "10.0.0.9:7");
}

TEST(IngestAddress, OfAServerThatListensEverywhereIsAtTheHostOfTheUrl) {
  EXPECT_EQ(reached("0.0.0.0:7", "http://10.0.0.5:1").value().text(), "10.0.0.5:7");
  EXPECT_EQ(reached("[::]:7", "http://docket.example").value().text(), "docket.example:7");
}

TEST(IngestAddress, OnAnotherMachinesLoopbackIsRefused) {
  const auto address = reached("127.0.0.1:7470", "http://10.0.0.5:7480");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(address.error().message, HasSubstr("127.0.0.1:7470"));
  EXPECT_THAT(address.error().message, HasSubstr("--ingest"));
}

TEST(IngestAddress, WhatIsNoAddressIsAnError) {
  EXPECT_FALSE(reached("", "http://127.0.0.1:1"));
  EXPECT_FALSE(reached("somewhere", "http://127.0.0.1:1"));
}

TEST(IngestAddress, RulesOfRedactionAreThoseOfTheServersFile) {
  const docket::testing::TemporaryDirectory directory;
  const std::string path = directory / "rules.toml";
  std::ofstream(path) << "[redact]\nkeys = [\"pin\"]\npatterns = [\"card\"]\n";
  const auto rules = redaction_rules(path);
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(*rules, (ingest::RedactionRules{{"pin"}, {"card"}}));
  EXPECT_TRUE(redaction_rules("")->is_empty());
  // Who asks for redaction must not go without.
  std::ofstream(path) << "[redact]\nkeys = []\n";
  EXPECT_THAT(redaction_rules(path).error().message, HasSubstr("no keys and no patterns"));
  std::ofstream(path) << "[redact]\npatterns = [\"vat\"]\n";
  EXPECT_THAT(redaction_rules(path).error().message, HasSubstr("'vat' is none"));
  EXPECT_FALSE(redaction_rules(directory / "none.toml"));
}

}  // namespace
}  // namespace docket::cli
