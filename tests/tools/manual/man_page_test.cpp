#include "tools/manual/man_page.hpp"

#include <gmock/gmock.h>

namespace docket::manual {
namespace {

using ::testing::HasSubstr;

CommandText command() {
  return {"find",
          "Finds [a-b] \"so\"",
          ".not a request\n\n  -x\\y é",
          {{{"-o", "--out"}, "Into", {"FILE", ValueText::Kind::file, {}}},
           {{"--oldest"}, "Oldest first", {}}},
          {{"What", {"QUERY", ValueText::Kind::any, {}}, false, true}},
          {}};
}

TEST(ManPage, OfACommandHasItsArgumentsOptionsAndNotes) {
  const std::string page = man_page_of_command({"prog", "", "For all.", {}, {}, {}}, command(),
                                               {1, "prog 1.0", "prog(1)"});
  EXPECT_THAT(page, HasSubstr(".TH PROG\\-FIND 1 \"\" \"prog 1.0\" \"Docket\"\n"));
  EXPECT_THAT(page, HasSubstr(".SH NAME\nprog\\-find \\- Finds [a\\-b] \\(dqso\\(dq\n"));
  EXPECT_THAT(page, HasSubstr("\nprog find [OPTIONS] [QUERY...]\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fIQUERY\\fR...\nWhat\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fB\\-o\\fR, \\fB\\-\\-out\\fR \\fIFILE\\fR\nInto\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fB\\-\\-oldest\\fR\nOldest first\n"));
  EXPECT_THAT(page, HasSubstr(".fi\n.PP\n.nf\nFor all.\n.fi\n.SH SEE ALSO\nprog(1)\n"));
}

TEST(ManPage, TextIsNoRequestAndKeepsItsLines) {
  const std::string page =
      man_page_of_command({"prog", "", "", {}, {}, {}}, command(), {1, "prog 1.0", ""});
  EXPECT_THAT(page, HasSubstr(".nf\n\\&.not a request\n.sp\n  \\-x\\ey \\[u00E9]\n.fi\n"));
}

TEST(ManPage, OfAProgramHasAllOfItsCommands) {
  const std::string page = man_page({"prog", "asks", "Bye.", {}, {}, {command()}}, {1, "prog", ""});
  EXPECT_THAT(page, HasSubstr(".SS \"prog find [OPTIONS] [QUERY...]\"\n"));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-oldest\\fR"));
  EXPECT_THAT(page, HasSubstr(".SH NOTES\n.nf\nBye.\n.fi\n"));
}

TEST(ManPage, OfATextIsTheTextAsItIsLaidOut) {
  EXPECT_EQ(man_page_of_text("prog-x", "how", "A\n  b\n", {7, "prog", ""}),
            ".TH PROG\\-X 7 \"\" \"prog\" \"Docket\"\n.ad l\n.nh\n.SH NAME\nprog\\-x \\- how\n"
            ".SH DESCRIPTION\n.nf\nA\n  b\n.fi\n");
}

}  // namespace
}  // namespace docket::manual
