// The native protocol, server side (PROTOCOL.md). Internal to the server's sources.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/batch.hpp"
#include "engine/log.hpp"
#include "ingest/connection.hpp"
#include "ingest/protocol.hpp"
#include "ingest/sender_ledger.hpp"

namespace docket::ingest {

//   preface --hello/welcome--> batches --end of input, goodbye, stop--> answering --> done
//
// N1  A batch is checked completely before it is given to the store.
// N2  Every batch gets exactly one answer, an ack or an error, on the connection it came on.
// N3  At most `window_batches` wait for their answer; a client that sends more is refused.
// N4  Answers about one log come in the order of its batches, whoever gives them.
// N5  Rows that are rejected count for the budget until their answer is in the outbox, and nothing
//     is read while the answers owed could overfill it.
class NativeSession : public std::enable_shared_from_this<NativeSession> {
 public:
  explicit NativeSession(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  [[nodiscard]] asio::awaitable<void> run();

 private:
  struct OpenLog {
    std::string name;
    Log* log = nullptr;
  };
  // A batch whose answer is owed.
  struct Pending {
    std::uint64_t batch = 0;
    std::string log;
    std::uint32_t rows = 0;  // as sent
    std::vector<RejectedRow> rejected;
    std::size_t charged = 0;         // of the budget
    std::size_t rejected_bytes = 0;  // that the rejected rows take in the ack
    std::vector<std::byte> answer;   // empty until there is one
  };
  using PendingPtr = std::shared_ptr<Pending>;

  // One complete, intact frame into header_, prefix_ (of a batch) and body_. False: none will come.
  [[nodiscard]] asio::awaitable<bool> read_frame();
  [[nodiscard]] asio::awaitable<bool> need(std::size_t bytes);
  [[nodiscard]] asio::awaitable<bool> shake_hands();
  // Sets rights_ by the token. False: the peer is refused.
  [[nodiscard]] bool admit(std::string_view token);
  [[nodiscard]] asio::awaitable<void> take_batch();
  [[nodiscard]] asio::awaitable<Result<Log*>> open_log(std::string name);
  // Proves the batch in body_, and takes out of it what must not be stored.
  [[nodiscard]] Result<AdmittedBatch> admit_body(Nanos received);
  void give_to_store(const PendingPtr& pending, Log& log, EncodedBatch batch, Nanos received);
  void take_control_frame();
  void completed(const PendingPtr& pending, Result<Receipt> result);
  void note_refusal(const Pending& pending, const Error& error);
  void refuse_batch(const PendingPtr& pending, const ErrorFrame& error);
  void answer(const PendingPtr& pending);
  void charge(Pending& pending, std::size_t bytes);
  // Tells the client what it did wrong and ends the session.
  void violation(WireError code, const std::string& what);

  const std::shared_ptr<Connection> connection_;
  FrameHeader header_;
  std::array<std::byte, batch_prefix_bytes> prefix_{};
  std::vector<std::byte> body_;
  std::size_t charged_ = 0;  // of the budget, for body_
  Log* held_ = nullptr;      // whose commit is to be started

  bool is_welcome_ = false;
  std::string node_;
  SenderRights rights_;
  SenderLedger::Presence presence_;  // from the welcome on
  std::uint64_t epoch_ = 0;
  std::vector<OpenLog> logs_;
  std::deque<PendingPtr> owed_;  // in the order they came
  std::size_t owed_bytes_ = 0;   // the sum of their rejected_bytes
};

}  // namespace docket::ingest
