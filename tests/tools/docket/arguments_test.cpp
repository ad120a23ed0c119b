#include "tools/docket/arguments.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <tuple>

namespace docket::cli {
namespace {

ParsedArguments parse(std::vector<const char*> words) {
  words.insert(words.begin(), "docket");
  return parse_arguments(static_cast<int>(words.size()), words.data());
}

TEST(DocketArguments, WordsOfTheQueryAreJoinedAndNegatedTermsAreNoOptions) {
  const auto parsed =
      parse({"count", "verb:DELETE", "-ip:10.0.0.0/8", "-target.type:Contact", "since:7d"});
  ASSERT_FALSE(parsed.exit_code);
  EXPECT_EQ(parsed.arguments.query, "verb:DELETE -ip:10.0.0.0/8 -target.type:Contact since:7d");
  EXPECT_EQ(parse({"search", "-verb:EDIT"}).arguments.query, "-verb:EDIT");
}

TEST(DocketArguments, AWordOfTheQueryIsTakenAsItIs) {
  for (const char* word :
       {"-(verb:CREATE OR verb:UPDATE)", "-\"bob\"", "-bob", "-ip:10.0.0.0/8", "-nobody", "-ocean",
        "-form", "-hello", "-1", "[verb:P1]", "[a,b]", "export", "help", "-", "{a}", "\"a b\""}) {
    const auto parsed = parse({"count", word});
    EXPECT_FALSE(parsed.exit_code) << word;
    EXPECT_EQ(parsed.arguments.query, word);
    EXPECT_EQ(parse({"tail", "-f", word, "-n", "3", "-ojson"}).arguments.query, word);
    EXPECT_EQ(parse({"--utc", "--data", "count", "search", "a", word}).arguments.query,
              "a " + std::string(word));
  }
  EXPECT_EQ(parse({"count", "--", "--data", "-o"}).arguments.query, "--data -o");
  EXPECT_EQ(parse({"import", "[a].csv", "export"}).arguments.files,
            (std::vector<std::string>{"[a].csv", "export"}));
}

TEST(DocketArguments, AShortOptionIsNoWordOfTheQuery) {
  EXPECT_EQ(parse({"tail", "-n5", "-f", "-ocsv"}).arguments.newest, 5U);
  EXPECT_EQ(parse({"tail", "-n5", "-f", "-ocsv"}).arguments.format, Format::csv);
  EXPECT_EQ(parse({"search", "-n", "5"}).exit_code, 2);
  EXPECT_EQ(parse({"search", "-f"}).exit_code, 2);
  EXPECT_EQ(parse({"search", "-ocef"}).arguments.format, Format::cef);
  EXPECT_EQ(parse({"search", "-h"}).exit_code, 0);
  EXPECT_EQ(parse({"search", "--", "-h"}).arguments.query, "-h");
}

// What the parser says on stderr, with the exit code before it.
std::string complaint(std::vector<const char*> words) {
  ::testing::internal::CaptureStderr();
  const auto parsed = parse(std::move(words));
  const std::string text = ::testing::internal::GetCapturedStderr();
  return std::to_string(parsed.exit_code.value_or(-1)) + " " + text.substr(0, text.find('\n'));
}

TEST(DocketArguments, AWordThatIsNoCommandIsNamedWithNearOnes) {
  EXPECT_EQ(complaint({"serach", "verb:EDIT"}),
            "2 docket: there is no command 'serach'; did you mean search?");
  EXPECT_EQ(complaint({"--data", "search", "nosuch"}), "2 docket: there is no command 'nosuch'");
  EXPECT_EQ(complaint({"\x1b[2J"}), "2 docket: there is no command '\\x1b[2J'");
  EXPECT_EQ(complaint({"--utc"}), "2 A subcommand is required");
}

TEST(DocketArguments, AnEmptyValueIsNotTakenForNoOption) {
  EXPECT_EQ(complaint({"count", "--data", ""}), "2 --data: must not be empty");
  EXPECT_EQ(complaint({"--server", "", "count"}), "2 --server: must not be empty");
  EXPECT_EQ(complaint({"count", "--tz", ""}), "2 --tz: must not be empty");
  EXPECT_EQ(complaint({"export", "--out", ""}), "2 --out: must not be empty");
}

TEST(DocketArguments, TwoTimeZonesAreOneTooMany) {
  EXPECT_EQ(complaint({"count", "--utc", "--tz", "Europe/Berlin"}),
            "2 --utc: and --tz cannot both be given");
}

TEST(DocketArguments, WhereToLookMayStandBeforeAndBehindTheCommand) {
  EXPECT_EQ(parse({"--data", "d", "count"}).arguments.data, "d");
  EXPECT_EQ(parse({"count", "--data", "d"}).arguments.data, "d");
  EXPECT_EQ(parse({"count"}).arguments.server, "http://127.0.0.1:7480");
  ::setenv("DOCKET_SERVER", "http://10.0.0.1:1", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(parse({"count"}).arguments.server, "http://10.0.0.1:1");
  EXPECT_EQ(parse({"count", "--server", "http://x"}).arguments.server, "http://x");
  EXPECT_EQ(parse({"import", "f"}).arguments.server, "http://10.0.0.1:1");
  EXPECT_EQ(parse({"import", "f", "--server", "http://x"}).arguments.server, "http://x");
  ::setenv("DOCKET_INGEST", "10.0.0.2:2", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(parse({"import", "f"}).arguments.ingest, "10.0.0.2:2");
  EXPECT_EQ(parse({"import", "f", "--ingest", "10.0.0.3:3"}).arguments.ingest, "10.0.0.3:3");
  EXPECT_EQ(parse({"import", "f", "--server", "http://x"}).arguments.ingest, "");
  ::unsetenv("DOCKET_INGEST");  // NOLINT(concurrency-mt-unsafe)
  ::unsetenv("DOCKET_SERVER");  // NOLINT(concurrency-mt-unsafe)
}

TEST(DocketArguments, WhatACommandDoesNotTakeIsAUsageError) {
  EXPECT_EQ(parse({}).exit_code, 2);
  EXPECT_EQ(parse({"nonsense"}).exit_code, 2);
  EXPECT_EQ(parse({"count", "--limit", "5"}).exit_code, 2);
  EXPECT_EQ(parse({"count", "--data", "d", "--server", "s"}).exit_code, 2);
  EXPECT_EQ(parse({"--data", "d", "import", "f"}).exit_code, 2);
  EXPECT_EQ(parse({"--server", "s", "verify", "--data", "d"}).exit_code, 2);
  EXPECT_EQ(parse({"verify"}).exit_code, 2);
  EXPECT_EQ(parse({"backup", "to"}).exit_code, 2);
  EXPECT_EQ(parse({"backup", "--data", "d"}).exit_code, 2);
  EXPECT_EQ(parse({"backup", "to", "--server", "s"}).exit_code, 2);
  EXPECT_EQ(parse({"restore", "from"}).exit_code, 2);
  EXPECT_EQ(parse({"restore", "from", "to", "--data", "d"}).exit_code, 2);
  EXPECT_EQ(parse({"verify", "--server", "s"}).exit_code, 2);
  EXPECT_EQ(parse({"-o", "csv", "verify", "--data", "d"}).exit_code, 2);
  EXPECT_EQ(parse({"export", "-o", "table"}).exit_code, 2);
  EXPECT_EQ(parse({"export", "-o", "ndjson", "--raw"}).exit_code, 2);
  EXPECT_EQ(parse({"export", "--resume", "c"}).exit_code, 2);
  EXPECT_EQ(parse({"export", "--resume", "c", "--out", "f"}).arguments.resume, "c");
  EXPECT_EQ(parse({"histogram"}).exit_code, 2);
  EXPECT_EQ(parse({"show"}).exit_code, 2);
  EXPECT_EQ(parse({"search", "--limit", "0"}).exit_code, 2);
  EXPECT_EQ(parse({"retention", "--config", "f"}).exit_code, 2);
  EXPECT_EQ(parse({"--utc", "verify", "--data", "d"}).exit_code, 2);
  EXPECT_EQ(parse({"help", "nonsense"}).exit_code, 2);
}

TEST(DocketArguments, ABackupGoesToADirectoryAndComesBackFromIt) {
  const Arguments there = parse({"backup", "to", "--data", "d", "--verify"}).arguments;
  EXPECT_EQ(there.command, Command::backup);
  EXPECT_EQ(there.data + ' ' + there.to, "d to");
  EXPECT_TRUE(there.verify);
  const Arguments back = parse({"restore", "from", "to"}).arguments;
  EXPECT_EQ(back.command, Command::restore);
  EXPECT_EQ(back.from + ' ' + back.to, "from to");
  EXPECT_FALSE(back.verify);
}

TEST(DocketArguments, FormatsAndZonesAreTaken) {
  EXPECT_EQ(parse({"count"}).arguments.format, Format::table);
  EXPECT_EQ(parse({"count", "-o", "ndjson"}).arguments.format, Format::ndjson);
  EXPECT_EQ(parse({"-o", "csv", "search"}).arguments.format, Format::csv);
  for (const char* command : {"search", "tail", "export"}) {
    EXPECT_EQ(parse({command, "-o", "syslog"}).arguments.format, Format::syslog);
    EXPECT_EQ(parse({command, "-o", "cef"}).arguments.format, Format::cef);
  }
  EXPECT_EQ(parse({"show", "activity:1", "-o", "syslog"}).arguments.format, Format::syslog);
  EXPECT_EQ(parse({"export"}).arguments.format, Format::csv);
  EXPECT_EQ(parse({"count"}).arguments.zone, "local");
  EXPECT_EQ(parse({"count", "--tz", "Europe/Berlin"}).arguments.zone, "Europe/Berlin");
  EXPECT_EQ(parse({"count", "--utc"}).arguments.zone, "UTC");
}

TEST(DocketArguments, ARefusedFormatNamesThoseThatTheCommandWrites) {
  for (const auto& [command, format, names] :
       {std::tuple{"export", "xml", "csv|ndjson|syslog|cef"},
        {"export", "table", "csv|ndjson|syslog|cef"},
        {"search", "xml", "table|json|ndjson|csv|syslog|cef"},
        {"count", "syslog", "table|json|ndjson|csv"},
        {"facets", "cef", "table|json|ndjson|csv"}}) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(parse({command, "-o", format}).exit_code, 2);
    const std::string told = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(told.find(std::string("does not write ") + format + ", but " + names + "\n"),
              std::string::npos)
        << told;
  }
}

TEST(DocketArguments, HelpIsThereForEveryCommandAndTheQueryLanguage) {
  EXPECT_EQ(parse({"--help"}).exit_code, 0);
  EXPECT_EQ(parse({"help"}).exit_code, 0);
  for (const char* command :
       {"search", "count", "facets", "histogram", "show", "tail", "export", "import", "stats",
        "segments", "nodes", "retention", "verify", "backup", "restore", "completion", "man"}) {
    EXPECT_EQ(parse({command, "--help"}).exit_code, 0) << command;
    EXPECT_EQ(parse({"help", command}).exit_code, 0) << command;
    EXPECT_EQ(parse({"man", command}).exit_code, 0) << command;
  }
  EXPECT_EQ(parse({"man"}).exit_code, 0);
  EXPECT_EQ(parse({"man", "query"}).exit_code, 0);
  EXPECT_EQ(parse({"man", "nonsense"}).exit_code, 2);
  EXPECT_EQ(parse({"completion", "bash"}).exit_code, 0);
  EXPECT_EQ(parse({"completion", "tcsh"}).exit_code, 2);
  EXPECT_EQ(parse({"completion"}).exit_code, 2);
  const auto query = parse({"help", "query"});
  EXPECT_FALSE(query.exit_code);
  EXPECT_EQ(query.arguments.command, Command::help_query);
}

}  // namespace
}  // namespace docket::cli
