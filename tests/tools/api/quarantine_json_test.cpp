#include "tools/api/quarantine_json.hpp"

#include <gtest/gtest.h>

namespace docket::api {
namespace {

TEST(QuarantineJson, SaysEverythingAndNullForWhatThereIsNot) {
  QuarantineRecord record{.time = 1'777'593'600'000'000'000,
                          .file = "1.hot",
                          .kept = "1.hot.damaged",
                          .offset = 128,
                          .bytes = 832,
                          .first_seq = Seq(11),
                          .last_seq = Seq(20),
                          .reason = "a \"quote\""};
  std::string out;
  append_json_quarantine(out, "activity", record);
  EXPECT_EQ(out, R"({"log":"activity","time":"2026-05-01T00:00:00Z","file":"1.hot",)"
                 R"("kept":"1.hot.damaged","offset":128,"bytes":832,"first_seq":11,"last_seq":20,)"
                 R"("reason":"a \"quote\""})");
  record.kept = "";
  record.last_seq = Seq(10);
  out.clear();
  append_json_quarantine(out, "api", record);
  EXPECT_NE(out.find(R"("kept":null,)"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("first_seq":null,"last_seq":null,)"), std::string::npos) << out;
}

}  // namespace
}  // namespace docket::api
