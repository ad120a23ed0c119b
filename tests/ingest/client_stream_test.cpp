#include "ingest/client_stream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace docket::client {
namespace {

using ingest::Ack;
using ingest::ErrorFrame;
using ingest::WireError;

void push(ClientStream& stream, std::uint32_t rows = 1, RowHandlers handlers = {}) {
  BatchBuilder builder;
  for (std::uint32_t i = 0; i < rows; ++i) {
    EventView event;
    event.actor = {"user", "1", "", ""};
    event.verb = "EDIT";
    event.target = {"List", "7", ""};
    builder.add(event);
  }
  stream.push(builder.finish(), 100, std::move(handlers));
}

// Sends whatever the stream gives and returns the numbers.
std::vector<std::uint64_t> send_all(ClientStream& stream) {
  std::vector<std::uint64_t> numbers;
  while (const OutBatchPtr batch = stream.next_to_send()) {
    stream.sent(batch, 1);
    numbers.push_back(batch->number);
  }
  return numbers;
}

Ack ack_of(std::uint64_t number, std::uint64_t first_seq = 1, std::uint32_t rows = 1) {
  Ack ack;
  ack.batch = number;
  ack.first_seq = first_seq;
  ack.rows = rows;
  ack.log = "activity";
  return ack;
}

ErrorFrame error_of(std::uint64_t number, WireError code, bool retryable,
                    std::uint64_t expected = 0) {
  ErrorFrame error;
  error.batch = number;
  error.code = code;
  error.retryable = retryable;
  error.expected = expected;
  error.log = "activity";
  return error;
}

using Numbers = std::vector<std::uint64_t>;

TEST(ClientStream, BatchesAreNumberedFromOneAndLeaveWithTheirAck) {
  ClientStream stream("activity");
  push(stream);
  push(stream);
  EXPECT_EQ(send_all(stream), (Numbers{1, 2}));
  EXPECT_EQ(stream.in_flight(), 2U);
  EXPECT_TRUE(stream.acknowledge(ack_of(1)));
  EXPECT_TRUE(stream.acknowledge(ack_of(2)));
  EXPECT_TRUE(stream.empty());
  push(stream);
  EXPECT_EQ(send_all(stream), (Numbers{3}));
}

TEST(ClientStream, AfterALostConnectionEverythingUnansweredIsSentAgain) {
  ClientStream stream("activity");
  for (int i = 0; i < 4; ++i) {
    push(stream);
  }
  EXPECT_EQ(send_all(stream), (Numbers{1, 2, 3, 4}));
  EXPECT_TRUE(stream.acknowledge(ack_of(1)));
  EXPECT_EQ(stream.disconnected(), 3U);
  EXPECT_EQ(send_all(stream), (Numbers{2, 3, 4}));
}

TEST(ClientStream, ARetryableErrorSendsTheRestAgainInOrder) {
  ClientStream stream("activity");
  for (int i = 0; i < 3; ++i) {
    push(stream);
  }
  EXPECT_EQ(send_all(stream), (Numbers{1, 2, 3}));
  EXPECT_TRUE(stream.refuse(error_of(1, WireError::overloaded, true))->needs_pause);
  stream.resume();
  EXPECT_EQ(send_all(stream), Numbers{});  // 2 and 3 are still to be answered
  EXPECT_FALSE(stream.refuse(error_of(2, WireError::out_of_order, true, 1))->is_lost);
  EXPECT_TRUE(stream.refuse(error_of(3, WireError::out_of_order, true, 1)));
  EXPECT_EQ(send_all(stream), (Numbers{1, 2, 3}));
}

TEST(ClientStream, NothingIsSentDuringThePauseAfterARetryableError) {
  ClientStream stream("activity");
  push(stream);
  send_all(stream);
  EXPECT_TRUE(stream.refuse(error_of(1, WireError::no_space, true))->needs_pause);
  EXPECT_EQ(send_all(stream), Numbers{});
  stream.resume();
  EXPECT_EQ(send_all(stream), Numbers{1});
}

TEST(ClientStream, ALastingErrorGivesTheEventsUpAndKeepsTheNumber) {
  ClientStream stream("activity");
  std::vector<std::string> errors;
  push(stream, 2, {{1, [&](const Delivery& d) { errors.push_back(d.error); }}});
  push(stream);
  EXPECT_EQ(send_all(stream), (Numbers{1, 2}));
  const auto refused = stream.refuse(error_of(1, WireError::invalid_batch, false));
  ASSERT_TRUE(refused && refused->given_up);
  EXPECT_EQ(refused->given_up->rows, 2U);
  EXPECT_EQ(refused->given_up->charged, 100U);
  deliver_failure(*refused->given_up, "bad");
  EXPECT_EQ(errors, (std::vector<std::string>{"bad"}));
  EXPECT_EQ(send_all(stream), Numbers{});  // 2 is still to be answered
  EXPECT_TRUE(stream.refuse(error_of(2, WireError::out_of_order, true, 1)));
  EXPECT_EQ(send_all(stream), (Numbers{1, 2}));
  const auto settled = stream.acknowledge(ack_of(1, 0, 0));
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->durable, 0U);
  EXPECT_EQ(stream.acknowledge(ack_of(2))->durable, 1U);
}

TEST(ClientStream, ALogWhosePlaceHolderIsRefusedIsDead) {
  ClientStream stream("activity");
  push(stream);
  send_all(stream);
  EXPECT_FALSE(stream.refuse(error_of(1, WireError::invalid_batch, false))->is_dead);
  send_all(stream);
  EXPECT_TRUE(stream.refuse(error_of(1, WireError::invalid_batch, false))->is_dead);
}

TEST(ClientStream, ADuplicateIsKnownUnlessThisRunMayHaveStoredIt) {
  ClientStream stream("activity");
  push(stream, 3);
  push(stream, 3);
  EXPECT_EQ(send_all(stream), (Numbers{1, 2}));
  Ack ack = ack_of(1, 11, 2);
  ack.duplicate = true;
  const auto known = stream.acknowledge(ack);
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->is_known);
  EXPECT_EQ(known->durable, 2U) << "what the store has of it, not what today's clock lets in";
  EXPECT_EQ(known->rejected, 1U);
  EXPECT_EQ(stream.disconnected(), 1U);
  EXPECT_EQ(send_all(stream), (Numbers{2}));
  ack = ack_of(2, 13, 3);
  ack.duplicate = true;
  const auto again = stream.acknowledge(ack);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->is_known);
  EXPECT_EQ(again->durable, 3U);
}

TEST(ClientStream, AServerThatLostWhatItHadIsNoticedAndANewEpochStartsAtOne) {
  ClientStream stream("activity");
  push(stream);
  send_all(stream);
  EXPECT_TRUE(stream.acknowledge(ack_of(1)));
  push(stream);
  push(stream);
  EXPECT_EQ(send_all(stream), (Numbers{2, 3}));
  EXPECT_TRUE(stream.refuse(error_of(2, WireError::out_of_order, true, 1))->is_lost);
  EXPECT_TRUE(stream.refuse(error_of(3, WireError::out_of_order, true, 1))->is_lost);
  EXPECT_EQ(send_all(stream), Numbers{});
  stream.renumber();
  EXPECT_EQ(send_all(stream), (Numbers{1, 2}));
}

TEST(ClientStream, AnEpochThatIsOverIsNoticed) {
  ClientStream stream("activity");
  push(stream);
  send_all(stream);
  EXPECT_TRUE(stream.refuse(error_of(1, WireError::out_of_order, true, 57))->is_lost);
}

// Should a server ever say so, asking it again at once would never end.
TEST(ClientStream, ARefusalThatExpectsTheVeryBatchItRefusesIsFollowedByAPause) {
  ClientStream stream("activity");
  push(stream);
  send_all(stream);
  const auto refused = stream.refuse(error_of(1, WireError::out_of_order, true, 1));
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->is_lost);
  EXPECT_TRUE(refused->needs_pause);
  EXPECT_EQ(send_all(stream), Numbers{});
  stream.resume();
  EXPECT_EQ(send_all(stream), Numbers{1});
}

TEST(ClientStream, ALogThatIsGivenUpHoldsNothingUp) {
  ClientStream stream("activity");
  push(stream);
  send_all(stream);
  EXPECT_TRUE(stream.refuse(error_of(1, WireError::out_of_order, true, 57))->is_lost);
  EXPECT_EQ(stream.take_all().size(), 1U);
  EXPECT_FALSE(stream.lost());
  EXPECT_FALSE(stream.has_uncertain());
}

TEST(ClientStream, AnswersToNothingAreFaultsOfTheServer) {
  ClientStream stream("activity");
  EXPECT_FALSE(stream.acknowledge(ack_of(1)));
  EXPECT_FALSE(stream.refuse(error_of(1, WireError::overloaded, true)));
  push(stream);
  push(stream);
  EXPECT_FALSE(stream.acknowledge(ack_of(1)));  // not sent
  send_all(stream);
  EXPECT_FALSE(stream.acknowledge(ack_of(2)));  // not the next
  EXPECT_FALSE(stream.refuse(error_of(3, WireError::overloaded, true)));
  Ack ack = ack_of(1);
  ack.rejected = {{7, "x"}};
  EXPECT_FALSE(stream.acknowledge(ack));  // a row that was not sent
}

TEST(Deliver, EveryEventLearnsItsSeqOrItsError) {
  OutBatch batch;
  batch.rows = 4;
  std::vector<std::pair<std::uint64_t, std::string>> deliveries;
  for (std::uint32_t row = 0; row < 4; ++row) {
    batch.handlers.emplace_back(
        row, [&](const Delivery& d) { deliveries.emplace_back(d.seq, d.error); });
  }
  Ack ack = ack_of(1, 100, 3);
  ack.rejected = {{1, "verb: is required"}};
  deliver(batch, ack);
  using D = std::pair<std::uint64_t, std::string>;
  EXPECT_EQ(deliveries,
            (std::vector<D>{{100, ""}, {0, "verb: is required"}, {101, ""}, {102, ""}}));
}

TEST(Deliver, SeqsThatCannotBeKnownAreNotGuessed) {
  OutBatch batch;
  batch.rows = 2;
  std::vector<Delivery> deliveries;
  batch.handlers.emplace_back(1, [&](const Delivery& d) { deliveries.push_back(d); });
  deliver(batch, ack_of(1, 0, 0));    // forgotten
  deliver(batch, ack_of(1, 100, 1));  // another judgement of the rows
  ASSERT_EQ(deliveries.size(), 2U);
  for (const Delivery& delivery : deliveries) {
    EXPECT_TRUE(delivery.ok());
    EXPECT_EQ(delivery.seq, 0U);
  }
}

}  // namespace
}  // namespace docket::client
