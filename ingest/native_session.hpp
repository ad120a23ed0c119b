// The native protocol, server side (PROTOCOL.md). Internal to the server's sources.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/batch.hpp"
#include "engine/log.hpp"
#include "ingest/connection.hpp"
#include "ingest/protocol.hpp"

namespace docket::ingest {

//   preface --hello/welcome--> batches --end of input, goodbye, stop--> answering --> done
//
// N1  A batch is checked completely before it is given to the store.
// N2  Every batch gets exactly one answer, an ack or an error, on the connection it came on.
// N3  At most `window_batches` wait for their answer; a client that sends more is refused.
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
  // A batch that the store has and whose answer is owed.
  struct Pending {
    std::uint64_t batch = 0;
    std::string log;
    std::vector<RejectedRow> rejected;
    std::size_t charged = 0;
  };

  // One complete, intact frame into header_, prefix_ (of a batch) and body_. False: none will come.
  [[nodiscard]] asio::awaitable<bool> read_frame();
  [[nodiscard]] asio::awaitable<bool> need(std::size_t bytes);
  [[nodiscard]] asio::awaitable<bool> shake_hands();
  [[nodiscard]] asio::awaitable<void> take_batch();
  void take_control_frame();
  void completed(const std::shared_ptr<Pending>& pending, Result<Receipt> result);
  void answer_error(const ErrorFrame& error);
  // Tells the client what it did wrong and ends the session.
  void violation(WireError code, const std::string& what);

  const std::shared_ptr<Connection> connection_;
  FrameHeader header_;
  std::array<std::byte, batch_prefix_bytes> prefix_{};
  std::vector<std::byte> body_;
  std::size_t charged_ = 0;  // of the budget, for body_

  bool is_welcome_ = false;
  std::string node_;
  std::uint64_t epoch_ = 0;
  std::vector<OpenLog> logs_;
  std::uint32_t in_flight_ = 0;
};

}  // namespace docket::ingest
