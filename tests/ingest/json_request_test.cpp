#include <gtest/gtest.h>

#include <future>
#include <string>

#include "ingest/event_json.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using testing::FakeStore;

Result<RequestOutcome> store(FakeStore& store, std::string_view body, const std::string& key = {}) {
  std::promise<Result<RequestOutcome>> promise;
  auto answered = promise.get_future();
  store_json(store, body, EventRules{}, {"web-1", key, {}},
             [&promise](Result<RequestOutcome> outcome) { promise.set_value(std::move(outcome)); });
  return answered.get();
}

std::string event(int id, const std::string& log = "activity") {
  return R"({"log":")" + log + R"(","actor":{"kind":"user","id":")" + std::to_string(id) +
         R"("},"verb":"EDIT","target":{"type":"List","id":"7"}})";
}

TEST(StoreJson, ArraysAndLinesStoreTheSame) {
  for (const std::string& body :
       {"[" + event(1) + " , \n" + event(2) + "]", event(1) + "\n\r\n  " + event(2) + "\r\n",
        event(1) + "\n" + event(2)}) {
    FakeStore fake;
    const auto outcome = store(fake, body);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->accepted, 2U);
    EXPECT_EQ(outcome->first_seq, 1U);
    EXPECT_EQ(outcome->last_seq, 2U);
    EXPECT_FALSE(outcome->duplicate);
    EXPECT_TRUE(outcome->rejected.empty());
    ASSERT_EQ(fake.events("activity").size(), 2U);
    EXPECT_EQ(fake.events("activity")[1].actor.id, "2");
    EXPECT_EQ(fake.events("activity")[1].node, "web-1");
  }
}

TEST(StoreJson, BrokenRulesAreNamedByIndexAndNeighboursStored) {
  FakeStore fake;
  const auto outcome = store(fake, "[" + event(1) + R"(,{"verb":"A"},)" + event(3) + "]");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->accepted, 2U);
  ASSERT_EQ(outcome->rejected.size(), 1U);
  EXPECT_EQ(outcome->rejected[0].index, 1U);
  EXPECT_EQ(outcome->rejected[0].error, "actor.kind: is required");
}

TEST(StoreJson, ABrokenLineIsRejectedAndItsNeighboursStored) {
  FakeStore fake;
  const auto outcome = store(fake, event(1) + "\n{\"verb\":\n" + event(3));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->accepted, 2U);
  ASSERT_EQ(outcome->rejected.size(), 1U);
  EXPECT_EQ(outcome->rejected[0].index, 1U);
}

TEST(StoreJson, ABrokenElementIsRejectedAndItsNeighboursStored) {
  for (const std::string& element :
       {std::string("17"), std::string("null"), std::string("[]"), std::string("{\"verb\":}"),
        std::string("{\"verb\":\"\xff\"}"), event(8) + " " + event(9), std::string("{\"a\":[}}"),
        std::string("nonsense"), std::string("{\"verb\":\"\x01\"}")}) {
    FakeStore fake;
    const auto outcome = store(fake, "[" + event(1) + "," + element + "," + event(3) + "]");
    ASSERT_TRUE(outcome) << element;
    EXPECT_EQ(outcome->accepted, 2U) << element;
    ASSERT_EQ(outcome->rejected.size(), 1U) << element;
    EXPECT_EQ(outcome->rejected[0].index, 1U);
    EXPECT_EQ(outcome->rejected[0].error.substr(0, 6), "json: ");
  }
}

TEST(StoreJson, ABrokenArrayStoresNothing) {
  for (const std::string& body : {"[" + event(1), "[" + event(1) + ",]", "[" + event(1) + "]x",
                                  "[," + event(1) + "]", std::string("["), "[" + event(1) + "}",
                                  "[" + event(1) + ",\"a]", "[" + event(1) + ",{\"a\":[}]"}) {
    FakeStore fake;
    const auto outcome = store(fake, body);
    ASSERT_FALSE(outcome) << body;
    EXPECT_EQ(outcome.error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(fake.events("activity").empty()) << body;
  }
}

TEST(StoreJson, NothingToStoreIsAnsweredAtOnce) {
  FakeStore fake;
  fake.hold();
  for (const char* body : {"[]", " [ ] ", "", "\n\n", "[{}]"}) {
    const auto outcome = store(fake, body);
    ASSERT_TRUE(outcome) << body;
    EXPECT_EQ(outcome->accepted, 0U);
    EXPECT_EQ(outcome->first_seq, 0U);
    EXPECT_FALSE(outcome->duplicate);
  }
}

TEST(StoreJson, LogsAreKeptApartAndSeqsAreThoseOfTheFirst) {
  FakeStore fake;
  ASSERT_TRUE(store(fake, event(1, "zeta")));
  const auto outcome =
      store(fake, event(2, "zeta") + "\n" + event(3, "alpha") + "\n" + event(4, "zeta"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->accepted, 3U);
  EXPECT_EQ(outcome->first_seq, 2U);
  EXPECT_EQ(outcome->last_seq, 3U);
  EXPECT_EQ(fake.events("alpha").size(), 1U);
}

TEST(StoreJson, AnIdempotencyKeyMakesARetryHarmless) {
  FakeStore fake;
  std::string body = "[" + event(0);
  for (int i = 1; i < 20'000; ++i) {
    body += "," + event(i, i % 2 == 0 ? "activity" : "api");
  }
  body += "]";
  const auto first = store(fake, body, "key-1");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->accepted, 20'000U);
  EXPECT_FALSE(first->duplicate);
  const auto again = store(fake, body, "key-1");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->accepted, 20'000U);
  EXPECT_EQ(again->first_seq, first->first_seq);
  EXPECT_EQ(again->last_seq, first->last_seq);
  EXPECT_EQ(fake.events("activity").size() + fake.events("api").size(), 20'000U);
  EXPECT_EQ(fake.events("api")[0].node, "web-1");
  // Another key is another request.
  EXPECT_FALSE(store(fake, body, "key-2")->duplicate);
}

TEST(StoreJson, AnIdempotencyKeyIsForOneBody) {
  FakeStore fake;
  ASSERT_TRUE(store(fake, event(1), "key"));
  for (const std::string& other : {event(2), event(1) + "\n" + event(2), event(1) + " "}) {
    const auto refused = store(fake, other, "key");
    ASSERT_FALSE(refused) << other;
    EXPECT_EQ(refused.error().code, ErrorCode::out_of_order);
  }
  EXPECT_EQ(fake.events("activity").size(), 1U);
  EXPECT_TRUE(store(fake, event(1), "key")->duplicate);
}

TEST(StoreJson, OneEventMayBeWrittenOverSeveralLines) {
  FakeStore fake;
  std::string spread;
  for (const char c : event(1)) {
    spread += c == ',' || c == '{' ? std::string(1, c) + "\n" : std::string(1, c);
  }
  ASSERT_NE(spread, event(1));
  EXPECT_EQ(store(fake, spread)->accepted, 1U);
  const auto two = store(fake, spread + "\n" + event(2));
  ASSERT_TRUE(two);
  EXPECT_EQ(two->accepted, 1U) << "beside others an event is a line";
  EXPECT_GT(two->rejected.size(), 1U);
}

TEST(StoreJson, ARetryFinishesWhatWasRefusedHalfWay) {
  FakeStore fake;
  std::string body;
  for (int i = 0; i < 10'000; ++i) {
    body += event(i) + "\n";
  }
  // The second of two batches is refused.
  fake.hold();
  std::promise<Result<RequestOutcome>> promise;
  store_json(fake, body, EventRules{}, {"web-1", "k", {}},
             [&](Result<RequestOutcome> outcome) { promise.set_value(std::move(outcome)); });
  fake.refuse_commits(ErrorCode::no_space, 1);
  fake.release();
  const auto refused = promise.get_future().get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code,
            ErrorCode::no_space);  // not the out_of_order that follows from it
  const auto again = store(fake, body, "k");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->accepted, 10'000U);
  EXPECT_EQ(fake.events("activity").size(), 10'000U);
}

TEST(StoreJson, RefusalsOfTheStoreAreErrorsOfTheRequest) {
  FakeStore fake;
  fake.refuse_submissions(ErrorCode::overloaded, 1);
  EXPECT_EQ(store(fake, event(1)).error().code, ErrorCode::overloaded);
  fake.refuse_logs(ErrorCode::no_space);
  EXPECT_EQ(store(fake, event(1, "another")).error().code, ErrorCode::no_space);
}

TEST(StoreJson, OnlyTheEventsOfALogTooManyAreRejected) {
  FakeStore fake;
  ASSERT_TRUE(store(fake, event(1)));
  fake.refuse_logs(ErrorCode::overloaded);
  const auto outcome = store(fake, event(2, "another") + "\n" + event(3));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->accepted, 1U);
  ASSERT_EQ(outcome->rejected.size(), 1U);
  EXPECT_EQ(outcome->rejected[0].error,
            "log: is one too many; there are at most 64 logs in all, the system's own and the "
            "preloaded ones among them");
}

}  // namespace
}  // namespace docket::ingest
