#include "ingest/intake_counts.hpp"

#include <gtest/gtest.h>

namespace docket::ingest {
namespace {

std::string_view reason_of(std::string_view error) {
  return reject_reasons[reject_reason_of(error)];
}

TEST(IntakeCounts, AReasonIsTheFieldOfTheError) {
  EXPECT_EQ(reason_of("verb: must be 1 to 64 bytes"), "verb");
  EXPECT_EQ(reason_of("actor.kind: is missing"), "actor");
  EXPECT_EQ(reason_of("related[3].type: is missing"), "related");
  EXPECT_EQ(reason_of("json: the array has no end"), "form");
  EXPECT_EQ(reason_of("line: is longer than 1 MiB"), "form");
  EXPECT_EQ(reason_of("out of memory"), "other");
  EXPECT_EQ(reason_of(""), "other");
}

TEST(IntakeCounts, EachWayIsCountedByItself) {
  IntakeCounts counts;
  counts.accepted(SenderWay::native, 7);
  counts.accepted(SenderWay::http, 2);
  counts.rejected(SenderWay::otlp, "ts: is in the future");
  const IntakeNumbers numbers = counts.numbers();
  EXPECT_EQ(numbers.accepted, (std::array<std::uint64_t, 5>{7, 0, 0, 2, 0}));
  EXPECT_EQ(numbers.rejected[4][2], 1U);
  EXPECT_EQ(numbers.rejected[3][2], 0U);
}

}  // namespace
}  // namespace docket::ingest
