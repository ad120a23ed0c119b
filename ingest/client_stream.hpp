// A client's batches of one log from sealing to their answer: numbering, what must be sent (again),
// and what an answer means for the events inside. No socket and no thread; internal to the client.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/batch.hpp"
#include "ingest/client.hpp"
#include "ingest/protocol.hpp"

namespace docket::client {

// The handlers of those events that have one, with their row in the batch, ascending.
using RowHandlers = std::vector<std::pair<std::uint32_t, DeliveryHandler>>;

// One batch as it travels. Shared, because a write may still read its bytes when its answer is in.
struct OutBatch {
  std::uint64_t number = 0;
  ingest::BatchHead head{};
  EncodedBatch body;
  std::uint32_t rows = 0;   // events inside; 0 once they are given up
  std::size_t charged = 0;  // of the client's memory
  RowHandlers handlers;
  std::int64_t first_sent_ns = 0;  // 0: never
  bool in_flight = false;          // sent on this connection and not answered
  bool sent_again = false;         // may have been stored at the first sending
  bool is_recovered = false;       // an earlier run may have sent it
  std::uint64_t spool_end = 0;     // its events are those of the log's spool below this ordinal

  [[nodiscard]] std::size_t wire_bytes() const { return head.size() + body.bytes.size(); }
};
using OutBatchPtr = std::shared_ptr<OutBatch>;

// What an ack says about a batch's events.
struct Settled {
  OutBatchPtr batch;
  std::uint64_t first_seq = 0;  // 0: the server no longer knows
  std::uint32_t durable = 0;    // events
  std::uint32_t rejected = 0;   // events
  bool is_known = false;        // the server had the batch before this run first sent it
};

// Calls the handlers of a batch whose events have been acknowledged.
void deliver(const OutBatch& batch, const ingest::Ack& ack);
// Calls the handlers of a batch whose events are given up.
void deliver_failure(const OutBatch& batch, const std::string& error);

//   queued --next_to_send--> in flight --ack--> gone
//      ^                        |  \--lasting error--> given up: empty, sent again as a
//      place-holder
//      \--retryable error, end of the connection--/
//
// S1  Batches are numbered from 1 without a gap and sent in that order.
// S2  After an error nothing is sent until every batch in flight is answered (`settling`), so that
//     what follows the failed batch comes again, in order.
// S3  A batch leaves only when the server acknowledged its number; events that the server will
//     never take leave an empty batch behind, which keeps the numbers dense.
class ClientStream {
 public:
  explicit ClientStream(std::string log, std::uint64_t first_number = 1)
      : log_(std::move(log)), next_number_(first_number) {}

  [[nodiscard]] const std::string& log() const { return log_; }

  // Returns the batch, which has its number.
  OutBatch& push(EncodedBatch body, std::size_t charged, RowHandlers handlers);
  // The batch to send now, or nullptr. The caller sends it and calls sent().
  [[nodiscard]] OutBatchPtr next_to_send() const;
  void sent(const OutBatchPtr& batch, std::int64_t now_ns);

  // Error: invalid_argument, the answer fits no batch in flight (the server breaks the protocol).
  [[nodiscard]] Result<Settled> acknowledge(const ingest::Ack& ack);

  struct Refused {
    OutBatchPtr answered;
    OutBatchPtr given_up;      // whose events will never be stored; a copy to deliver and uncharge
    bool needs_pause = false;  // wait before sending again
    bool is_lost =
        false;  // the server does not know batches that it acknowledged (needs_new_epoch)
    bool is_dead = false;  // the server takes nothing of this log, ever
  };
  [[nodiscard]] Result<Refused> refuse(const ingest::ErrorFrame& error);

  // The connection is gone: everything is to be sent again. Returns how many had been in flight.
  std::uint32_t disconnected();
  // The pause after an error is over.
  void resume() { paused_ = false; }
  // A new epoch: everything unanswered is known not to be stored and is numbered from 1 again.
  void renumber();

  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }
  // Of the batch pushed last; and the batch of a number, or nullptr where it is answered.
  [[nodiscard]] std::uint64_t last_number() const { return next_number_ - 1; }
  [[nodiscard]] OutBatchPtr find(std::uint64_t number) const;
  // All before it are answered, and it is not.
  [[nodiscard]] bool is_next(std::uint64_t number) const {
    return !batches_.empty() && batches_.front()->number == number;
  }
  [[nodiscard]] bool has_unsent() const { return in_flight_ < batches_.size(); }
  [[nodiscard]] bool empty() const { return batches_.empty(); }
  // Sent before, on whatever connection or by an earlier run, and not answered: may be stored.
  [[nodiscard]] bool has_uncertain() const;
  [[nodiscard]] bool lost() const { return lost_; }
  // Takes all batches out; the log is given up.
  [[nodiscard]] std::deque<OutBatchPtr> take_all();

 private:
  void put_number(OutBatch& batch, std::uint64_t number);
  void answered(OutBatch& batch);

  const std::string log_;
  std::uint64_t next_number_;
  std::deque<OutBatchPtr> batches_;  // ascending, dense numbers
  std::uint32_t in_flight_ = 0;
  bool settling_ = false;
  bool paused_ = false;
  bool lost_ = false;
};

}  // namespace docket::client
