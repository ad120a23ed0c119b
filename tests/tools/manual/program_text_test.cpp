#include "tools/manual/program_text.hpp"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace docket::manual {
namespace {

using Kind = ValueText::Kind;

class ProgramTextTest : public ::testing::Test {
 protected:
  ProgramTextTest() : app_("asks", "prog") {
    app_.add_option("--hidden", text_, "never shown")->group("");
    app_.footer("For all.");
    app_.add_option("-o,--output", text_, "How")->type_name("table|json");
    CLI::App* const find = app_.add_subcommand("find", "Finds");
    find->add_option("--data", text_, "Where")->type_name("DIR")->required();
    find->add_option("--out", text_, "Into")->type_name("FILE.toml");
    find->add_option("--by", text_, "By")->type_name("FIELD,…");
    find->add_option("--kind", text_, "Which")->check(CLI::IsMember({"a", "b"}));
    find->add_option("--limit", number_, "Most")->type_name("N");
    find->add_flag("--oldest", flag_, "Oldest first");
    find->add_option("QUERY", words_, "What")->type_name("");
    find->footer("A note.");
    app_.add_subcommand("other", "Does");
    program_ = describe(app_, {{"FIELD,…", {"verb", "ip"}}, {"QUERY", {"verb:"}}});
  }

  const OptionText& option(const std::string& name) {
    for (const OptionText& each : program_.commands.at(0).options) {
      if (each.names.back() == name) {
        return each;
      }
    }
    ADD_FAILURE() << "no " << name;
    return program_.options.at(0);
  }

  CLI::App app_;
  std::string text_;
  std::vector<std::string> words_;
  int number_ = 0;
  bool flag_ = false;
  CommandText program_;
};

TEST_F(ProgramTextTest, WhatHelpHidesIsLeftOut) {
  ASSERT_EQ(program_.options.size(), 2U);
  EXPECT_EQ(program_.options[0].names, (std::vector<std::string>{"-h", "--help"}));
  EXPECT_EQ(program_.options[1].names, (std::vector<std::string>{"-o", "--output"}));
}

TEST_F(ProgramTextTest, ValuesAreUnderstoodByTheirNames) {
  EXPECT_EQ(program_.options[1].value.words, (std::vector<std::string>{"table", "json"}));
  EXPECT_EQ(option("--data").value.kind, Kind::directory);
  EXPECT_TRUE(option("--data").required);
  EXPECT_EQ(option("--out").value.kind, Kind::file);
  EXPECT_EQ(option("--by").value.kind, Kind::word_list);
  EXPECT_EQ(option("--by").value.words, (std::vector<std::string>{"verb", "ip"}));
  EXPECT_EQ(option("--kind").value.words, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(option("--limit").value.kind, Kind::any);
  EXPECT_EQ(option("--limit").value.name, "N");
  EXPECT_EQ(option("--oldest").value.name, "");
}

TEST_F(ProgramTextTest, CommandsHaveTheirArgumentsAndNotes) {
  const CommandText& command = program_.commands.at(0);
  EXPECT_EQ(command.name, "find");
  EXPECT_EQ(command.description, "Finds");
  EXPECT_EQ(command.footer, "A note.");
  EXPECT_EQ(program_.footer, "For all.");
  EXPECT_EQ(program_.commands.at(1).footer, "");
  ASSERT_EQ(command.arguments.size(), 1U);
  EXPECT_EQ(command.arguments[0].value.words, std::vector<std::string>{"verb:"});
  EXPECT_TRUE(command.arguments[0].repeated);
  EXPECT_EQ(usage_of(command, "prog"), "prog find [OPTIONS] [QUERY...]");
  EXPECT_EQ(usage_of(program_, ""), "prog [OPTIONS] COMMAND");
}

}  // namespace
}  // namespace docket::manual
