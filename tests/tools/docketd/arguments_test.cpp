#include "tools/docketd/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace docket::server {
namespace {

using ::testing::HasSubstr;

ParsedArguments parse(std::vector<std::string> words) {
  words.insert(words.begin(), "docketd");
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  return parse_arguments(static_cast<int>(argv.size()), argv.data());
}

// Sets an environment variable for as long as it lives.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    ::setenv(name, value, 1);  // NOLINT(concurrency-mt-unsafe)
  }
  ~Environment() {
    ::unsetenv(name_);  // NOLINT(concurrency-mt-unsafe)
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

TEST(DocketdArguments, FlagsComeBeforeEnvironmentBeforeFileBeforeDefaults) {
  const docket::testing::TemporaryDirectory directory;
  const std::string file = directory.path() + "/docket.toml";
  std::ofstream(file) << "data = \"from-file\"\nhttp = \"127.0.0.1:1\"\n[log]\nlevel = \"error\"\n";
  const Environment http("DOCKET_HTTP", "127.0.0.1:2");
  const Environment level("DOCKET_LOG_LEVEL", "warning");
  const Environment socket("DOCKET_SOCKET", "/run/a");
  const auto parsed = parse({"--config", file, "--log-level", "debug"});
  ASSERT_FALSE(parsed.exit_code);
  const auto settings = load_settings(parsed.arguments);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->log_level, LogLevel::debug);
  EXPECT_EQ(settings->http.port, 2);
  EXPECT_EQ(settings->data, "from-file");
  EXPECT_EQ(settings->ingest.port, 7470);
  EXPECT_EQ(settings->socket, "/run/a");
  EXPECT_EQ(load_settings(parse({"--socket", "/run/b"}).arguments).value().socket, "/run/b");
}

TEST(DocketdArguments, TheFileCanBeNamedByTheEnvironment) {
  const docket::testing::TemporaryDirectory directory;
  const std::string file = directory.path() + "/docket.toml";
  std::ofstream(file) << "data = \"from-file\"\n";
  const Environment config("DOCKET_CONFIG", file.c_str());
  EXPECT_EQ(load_settings(parse({}).arguments).value().data, "from-file");
}

TEST(DocketdArguments, AFaultyValueNamesItsFlag) {
  const auto settings = load_settings(parse({"--http", "nowhere"}).arguments);
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().message, HasSubstr("--http: must be ADDRESS:PORT"));
}

TEST(DocketdArguments, UsageErrorsEndWithTwoAndHelpWithZero) {
  EXPECT_EQ(parse({"--nonsense"}).exit_code, 2);
  EXPECT_EQ(parse({"word"}).exit_code, 2);
  EXPECT_EQ(parse({"--help"}).exit_code, 0);
  EXPECT_EQ(parse({"--version"}).exit_code, 0);
  EXPECT_EQ(parse({}).exit_code, std::nullopt);
}

}  // namespace
}  // namespace docket::server
