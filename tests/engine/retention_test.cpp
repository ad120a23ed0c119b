#include "engine/retention.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docket {
namespace {

constexpr Nanos day = 86'400LL * 1'000'000'000;
constexpr Nanos now = 1000 * day;

// Segment `id` of `log`, last received `age_days` ago.
RetentionCandidate segment(const std::string& log, std::uint64_t id, Nanos age,
                           std::uint64_t bytes = 100) {
  RetentionCandidate candidate;
  candidate.log = log;
  candidate.info.log = log;
  candidate.info.id = SegmentId(id);
  candidate.info.first_seq = Seq(id * 10);
  candidate.info.last_seq = Seq(id * 10 + 9);
  candidate.info.rows = 10;
  candidate.info.received_max = now - age;
  candidate.info.ts_max = now + 100 * day;  // the event's own time must not matter
  candidate.bytes = bytes;
  return candidate;
}

std::function<RetentionPolicy(std::string_view)> keep_all() {
  return [](std::string_view) { return RetentionPolicy{}; };
}
std::function<RetentionPolicy(std::string_view)> max_age(Nanos age) {
  return [age](std::string_view) { return RetentionPolicy{age, {}}; };
}
std::function<RetentionPolicy(std::string_view)> max_bytes(std::uint64_t bytes) {
  return [bytes](std::string_view) { return RetentionPolicy{{}, bytes}; };
}

std::string names(const std::vector<RetirementPlan>& plans) {
  std::string all;
  for (const RetirementPlan& plan : plans) {
    all += (all.empty() ? "" : " ") + plan.log + ":" + std::to_string(plan.segment.value);
  }
  return all;
}

TEST(Retention, NoPolicyRetiresNothing) {
  EXPECT_EQ(names(plan_retirements({segment("a", 1, 5000 * day)}, keep_all(), 0, 0, now)), "");
  EXPECT_EQ(names(plan_retirements({}, max_age(0), 0, UINT64_MAX, now)), "");
}

TEST(Retention, AgeCountsFromTheReceiptOfTheNewestEventAndToTheNanosecond) {
  const std::vector<RetentionCandidate> all = {segment("a", 1, 30 * day + 1),
                                               segment("a", 2, 30 * day), segment("a", 3, day)};
  EXPECT_EQ(names(plan_retirements(all, max_age(30 * day), 0, 0, now)), "a:1");
  EXPECT_EQ(names(plan_retirements(all, max_age(30 * day - 1), 0, 0, now)), "a:1 a:2");
  EXPECT_EQ(names(plan_retirements(all, max_age(30 * day + 1), 0, 0, now)), "");
}

TEST(Retention, OnlyTheOldestGoFirstEvenWhenALaterOneIsOlderByReceipt) {
  const std::vector<RetentionCandidate> all = {segment("a", 1, day), segment("a", 2, 90 * day)};
  EXPECT_EQ(names(plan_retirements(all, max_age(30 * day), 0, 0, now)), "");
}

TEST(Retention, AClockThatWasSetBackRetiresNothingEarly) {
  // Received under a clock that was far ahead, then under the right one, then under one far behind.
  const std::vector<RetentionCandidate> all = {segment("a", 1, -400 * day),
                                               segment("a", 2, 20 * day), segment("a", 3, 10 * day),
                                               segment("a", 4, 900 * day)};
  EXPECT_EQ(names(plan_retirements(all, max_age(30 * day), 0, 0, now)), "");
  EXPECT_EQ(names(plan_retirements(all, max_bytes(250), 0, 0, now)), "a:1 a:2")
      << "bytes need no clock";
  EXPECT_EQ(names(plan_retirements(all, max_age(30 * day), 0, 0, now + 431 * day)),
            "a:1 a:2 a:3 a:4")
      << "and what was held up goes when its time has come";
}

TEST(Retention, BytesAreBroughtDownToTheLimitAndNotFurther) {
  const std::vector<RetentionCandidate> all = {segment("a", 1, 3, 100), segment("a", 2, 2, 50),
                                               segment("a", 3, 1, 100)};
  EXPECT_EQ(names(plan_retirements(all, max_bytes(250), 0, 0, now)), "");
  EXPECT_EQ(names(plan_retirements(all, max_bytes(249), 0, 0, now)), "a:1");
  EXPECT_EQ(names(plan_retirements(all, max_bytes(150), 0, 0, now)), "a:1");
  EXPECT_EQ(names(plan_retirements(all, max_bytes(149), 0, 0, now)), "a:1 a:2");
  EXPECT_EQ(names(plan_retirements(all, max_bytes(0), 0, 0, now)), "a:1 a:2 a:3");
}

TEST(Retention, LogsAreCountedEachForItself) {
  const std::vector<RetentionCandidate> all = {segment("a", 1, day, 100),
                                               segment("b", 1, day, 100)};
  EXPECT_EQ(names(plan_retirements(all, max_bytes(150), 0, 0, now)), "");
  const auto only_b = [](std::string_view log) {
    return log == "b" ? RetentionPolicy{1, {}} : RetentionPolicy{};
  };
  EXPECT_EQ(names(plan_retirements(all, only_b, 0, 0, now)), "b:1");
}

TEST(Retention, FloorTakesTheLongestUnreceivedOfAnyLogUntilEnoughIsFree) {
  const std::vector<RetentionCandidate> all = {segment("a", 1, 9), segment("a", 2, 5),
                                               segment("b", 1, 8), segment("b", 2, 1)};
  const auto plan = [&all](std::uint64_t free, std::uint64_t floor) {
    return names(plan_retirements(all, keep_all(), free, floor, now));
  };
  EXPECT_EQ(plan(1000, 1000), "");
  EXPECT_EQ(plan(999, 1000), "a:1");
  EXPECT_EQ(plan(900, 1000), "a:1");
  EXPECT_EQ(plan(899, 1000), "a:1 b:1");
  EXPECT_EQ(plan(700, 1000), "a:1 b:1 a:2");
  EXPECT_EQ(plan(0, 1000), "a:1 b:1 a:2 b:2");
}

TEST(Retention, WhatThePoliciesFreeCountsTowardsTheFloor) {
  const std::vector<RetentionCandidate> all = {segment("a", 1, 90 * day), segment("b", 1, day)};
  EXPECT_EQ(names(plan_retirements(all, max_age(30 * day), 900, 1000, now)), "a:1");
  EXPECT_EQ(names(plan_retirements(all, max_age(30 * day), 800, 1000, now)), "a:1 b:1");
}

TEST(Retention, SystemsOwnLogGivesWayToTheFloorLast) {
  const std::vector<RetentionCandidate> all = {segment("a", 1, 1), segment("docket", 1, 900 * day),
                                               segment("z", 1, 2)};
  EXPECT_EQ(names(plan_retirements(all, keep_all(), 0, 200, now)), "z:1 a:1");
  EXPECT_EQ(names(plan_retirements(all, keep_all(), 0, 201, now)), "z:1 a:1 docket:1");
  EXPECT_EQ(names(plan_retirements(all, max_age(day), 1000, 0, now)), "docket:1")
      << "its own policy it obeys like any other";
}

TEST(Retention, PlanSaysWhatAndWhy) {
  const auto by = [](const auto& policy, std::uint64_t floor = 0) {
    return plan_retirements({segment("a", 4, 400 * day, 77)}, policy, 0, floor, now).at(0);
  };
  const RetirementPlan plan = by(max_age(365 * day));
  EXPECT_EQ(plan.log, "a");
  EXPECT_EQ(plan.segment, SegmentId(4));
  EXPECT_EQ(plan.first_seq, Seq(40));
  EXPECT_EQ(plan.last_seq, Seq(49));
  EXPECT_EQ(plan.bytes, 77U);
  EXPECT_EQ(plan.reason, "older than 365d");
  EXPECT_EQ(by(max_age(36 * day / 24)).reason, "older than 36h");
  EXPECT_EQ(by(max_age(90'000'000'000)).reason, "older than 90s");
  EXPECT_NE(by(max_bytes(5)).reason.find("5 bytes"), std::string::npos);
  EXPECT_NE(by(keep_all(), 5).reason.find("free space under 5 bytes"), std::string::npos);
}

TEST(Retention, ExtremesOfAgeAndSizeDoNoHarm) {
  const std::vector<RetentionCandidate> all = {segment("a", 1, 1, UINT64_MAX)};
  EXPECT_EQ(names(plan_retirements(all, max_age(INT64_MAX), 0, 0, now)), "");
  EXPECT_EQ(names(plan_retirements(all, keep_all(), 1, UINT64_MAX, now)), "a:1");
}

}  // namespace
}  // namespace docket
