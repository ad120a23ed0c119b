#include <gtest/gtest.h>

#include <string>

#include "engine/limits.hpp"
#include "query/field_names.hpp"
#include "query/parser.hpp"

namespace docket::query {
namespace {

std::vector<std::string> lines() {
  std::vector<std::string> all;
  std::string_view rest = language_help();
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    all.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return all;
}

TEST(QueryLanguageHelp, EveryExampleParses) {
  std::size_t examples = 0;
  for (const std::string& line : lines()) {
    if (!line.starts_with("    ") || line[4] == ' ') {
      continue;
    }
    const std::string text = line.substr(4, line.find("  ", 4) - 4);
    const auto query = parse(text, {.now = 1'778'166'000'000'000'000, .zone = TimeZone::utc()});
    EXPECT_TRUE(query) << query.error().message;
    ++examples;
  }
  EXPECT_GE(examples, 25U);
}

TEST(QueryLanguageHelp, NamesEveryFieldAndEveryBound) {
  const std::string help(language_help());
  for (std::size_t field = 0; field < static_cast<std::size_t>(Field::text); ++field) {
    const std::string name(field_name(static_cast<Field>(field)));
    EXPECT_NE(help.find(name), std::string::npos) << name;
  }
  EXPECT_NE(help.find(std::to_string(query_bytes_max >> 10) + " KiB"), std::string::npos);
  EXPECT_NE(help.find(std::to_string(query_matches_max) + " values"), std::string::npos);
  EXPECT_NE(help.find(std::to_string(query_depth_max) + " levels"), std::string::npos);
}

TEST(QueryLanguageHelp, FitsATerminalOfAHundredColumns) {
  for (const std::string& line : lines()) {
    EXPECT_LE(line.size(), 100U) << line;
  }
}

}  // namespace
}  // namespace docket::query
