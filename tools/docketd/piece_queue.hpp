// The pieces of an export on their way from its thread to the socket: a few at a time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tools/api/export.hpp"

namespace docket::server {

// Between one thread, which pushes, and one coroutine on `executor`, which pops.
class PieceQueue : public std::enable_shared_from_this<PieceQueue> {
 public:
  explicit PieceQueue(const boost::asio::any_io_executor& executor);

  // Blocks while the queue is full. False: nobody reads any more.
  [[nodiscard]] bool push(std::string_view piece);
  // Nothing more will be pushed.
  void finish(Result<api::ExportSummary> summary);

  // The next piece; nullopt once finished.
  [[nodiscard]] boost::asio::awaitable<std::optional<std::string>> pop();
  // After pop() gave nullopt.
  [[nodiscard]] const Result<api::ExportSummary>& summary() const { return *summary_; }
  // The reader goes: push() fails from now on.
  void abandon();

 private:
  static constexpr std::size_t pieces_max = 4;

  void ring();

  std::mutex mutex_;
  std::condition_variable room_;
  std::deque<std::string> pieces_;
  std::optional<Result<api::ExportSummary>> summary_;
  bool abandoned_ = false;
  boost::asio::steady_timer bell_;  // on its executor only
};

}  // namespace docket::server
