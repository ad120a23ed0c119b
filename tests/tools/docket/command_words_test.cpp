#include "tools/docket/command_words.hpp"

#include <gtest/gtest.h>

namespace docket::cli {
namespace {

TEST(CommandWords, AMarkedWordComesBackAsItWas) {
  for (const char* word : {"", "-ip:10.0.0.0/8", "[a]", "export"}) {
    EXPECT_NE(marked_word(word), word);
    EXPECT_EQ(unmarked(marked_word(word)), word);
    EXPECT_EQ(unmarked(word), word);
  }
  EXPECT_EQ(joined({marked_word("a"), "b", marked_word("-c")}), "a b -c");
  EXPECT_EQ(joined({}), "");
}

TEST(CommandWords, AnOptionIsNoNegatedTerm) {
  for (const char* option : {"--data", "-f", "-n", "-n5", "-o", "-ocsv", "-h"}) {
    EXPECT_TRUE(is_option(option)) << option;
  }
  for (const char* word : {"-verb:EDIT", "-nobody", "-ocean", "-", "-5", "a"}) {
    EXPECT_FALSE(is_option(word)) << word;
  }
}

TEST(CommandWords, NearCommandsAreNamed) {
  const std::vector<std::string> names{"search", "show", "story"};
  EXPECT_EQ(no_such_command("serach", names), "there is no command 'serach'; did you mean search?");
  EXPECT_EQ(no_such_command("stow", names), "there is no command 'stow'; did you mean show?");
  EXPECT_EQ(no_such_command("\x1b", names), "there is no command '\\x1b'");
}

}  // namespace
}  // namespace docket::cli
