#include "tools/docketd/piece_queue.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/out_of_memory.hpp"

namespace docket::server {

namespace asio = boost::asio;

PieceQueue::PieceQueue(const asio::any_io_executor& executor)
    : bell_(executor, asio::steady_timer::time_point::max()) {}

bool PieceQueue::push(std::string_view piece) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return abandoned_ || pieces_.size() < pieces_max; });
  if (abandoned_) {
    return false;
  }
  pieces_.emplace_back(piece);
  lock.unlock();
  ring();
  return true;
}

void PieceQueue::finish(Result<api::ExportSummary> summary) {
  {
    const std::lock_guard lock(mutex_);
    summary_ = std::move(summary);
  }
  ring();
}

void PieceQueue::ring() {
  patiently([this] {
    asio::post(bell_.get_executor(), [self = shared_from_this()] { self->bell_.cancel(); });
  });
}

asio::awaitable<std::optional<std::string>> PieceQueue::pop() {
  const auto self = shared_from_this();
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (!pieces_.empty()) {
        std::optional<std::string> piece(std::move(pieces_.front()));
        pieces_.pop_front();
        room_.notify_one();
        co_return piece;
      }
      if (summary_) {
        co_return std::nullopt;
      }
    }
    // A ring between the look above and the wait below is not lost: both it and this coroutine run
    // on the one executor, and the posted cancellation comes after the wait has begun.
    boost::system::error_code cancelled;
    co_await bell_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
}

void PieceQueue::abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  room_.notify_one();
}

}  // namespace docket::server
