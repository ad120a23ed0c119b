#include "tools/manual/completion.hpp"

#include <gmock/gmock.h>

namespace docket::manual {
namespace {

using ::testing::HasSubstr;

CommandText program() {
  const ValueText formats{"a|b", ValueText::Kind::words, {"a", "b"}};
  const ValueText query{"QUERY", ValueText::Kind::words, {"verb:", "ip:"}};
  CommandText made{"my-prog", "asks", "", {{{"-o", "--output"}, "How [it]: 'so'", formats}},
                   {},        {}};
  made.commands.push_back({"find",
                           "Finds",
                           "",
                           {{{"--data"}, "Where", {"DIR", ValueText::Kind::directory, {}}},
                            {{"--oldest"}, "Oldest first", {}}},
                           {{"What", query, false, true}},
                           {}});
  return made;
}

TEST(Completion, EachShellHasOneAndOthersNone) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_NE(completion_for(shell, program()), "") << shell;
  }
  EXPECT_EQ(completion_for("tcsh", program()), "");
}

TEST(Completion, BashKnowsTheOptionsAndTheirValues) {
  const std::string script = bash_completion(program());
  EXPECT_THAT(script, HasSubstr("complete -F _my_prog my-prog\n"));
  EXPECT_THAT(script, HasSubstr("-o|--output) kind=words words='a b' ;;"));
  EXPECT_THAT(script, HasSubstr("*) options='-o --output' kind=words words='find' ;;"));
  EXPECT_THAT(script, HasSubstr("--data) kind=directory ;;"));
  EXPECT_THAT(script, HasSubstr("*) options='--data --oldest' kind=words words='verb: ip:' ;;"));
}

TEST(Completion, ATimeZoneIsLookedUpWhenItIsWanted) {
  CommandText zoned = program();
  zoned.options.push_back({{"--tz"}, "Where", {"ZONE", ValueText::Kind::zone, {}}});
  EXPECT_THAT(bash_completion(zoned), HasSubstr("--tz) kind=zone ;;"));
  EXPECT_THAT(zsh_completion(zoned), HasSubstr("--tz'[Where]:ZONE:_time_zone'"));
  EXPECT_THAT(fish_completion(zoned), HasSubstr(" -l tz -x -a 'local UTC (string replace"));
}

TEST(Completion, ZshEscapesWhatHasAMeaningInSpecifications) {
  const std::string script = zsh_completion(program());
  EXPECT_THAT(script, HasSubstr("#compdef my-prog\n"));
  EXPECT_THAT(script,
              HasSubstr(R"('(-o --output)'{-o,--output}'[How \[it\]\: '\''so'\'']:a|b:(a b)')"));
  EXPECT_THAT(script, HasSubstr("--oldest'[Oldest first]'"));
  EXPECT_THAT(script, HasSubstr(R"('*:QUERY:compadd -S '\'''\'' - verb\: ip\:')"));
  // Behind the command, its own options count: -o may take other values there.
  EXPECT_THAT(script, HasSubstr("'(-)1:command:->command' \\\n    '(-)*::argument:->argument'\n"));
  EXPECT_THAT(script, HasSubstr("--data'[Where]:DIR:_files -/'"));
}

TEST(Completion, FishHasALineForEach) {
  const std::string script = fish_completion(program());
  EXPECT_THAT(script, HasSubstr("complete -c my-prog -n '__my_prog_at \\'find\\'' -l data -x -a "
                                "'(__fish_complete_directories)' -d 'Where'\n"));
  EXPECT_THAT(script, HasSubstr("-s o -l output -x -a 'a b' -d 'How [it]: \\'so\\''\n"));
  EXPECT_THAT(script, HasSubstr("-l oldest -d 'Oldest first'\n"));
  EXPECT_THAT(script, HasSubstr("-a 'verb: ip:' -d 'QUERY'\n"));
  EXPECT_THAT(script, HasSubstr("case -o --output\n"));
}

}  // namespace
}  // namespace docket::manual
