// A value that another thread delivers to a waiting coroutine.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "engine/out_of_memory.hpp"

namespace docket::server {

// Copies share one value. deliver() may be called from any thread, once; wait() by one coroutine,
// once, on `executor`, which must run one handler at a time. Whoever delivers is waited for, so a
// want of memory does not keep it from that for long.
template <typename T>
class Pending {
 public:
  explicit Pending(const boost::asio::any_io_executor& executor)
      : state_(std::make_shared<State>(executor)) {}

  void deliver(T value) const {
    const auto delivered = patiently([] { return std::make_shared<std::optional<T>>(); });
    *delivered = std::move(value);
    patiently([&] {
      boost::asio::post(state_->bell.get_executor(), [state = state_, delivered] {
        state->value = std::move(*delivered);
        state->bell.cancel();
      });
    });
  }

  [[nodiscard]] boost::asio::awaitable<T> wait() const {
    const std::shared_ptr<State> state = state_;
    while (!state->value) {
      boost::system::error_code cancelled;
      co_await state->bell.async_wait(
          boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
    }
    co_return std::move(*state->value);
  }

 private:
  struct State {
    // A timer that never rings by itself: cancelling it is the signal.
    explicit State(const boost::asio::any_io_executor& executor)
        : bell(executor, boost::asio::steady_timer::time_point::max()) {}
    boost::asio::steady_timer bell;
    std::optional<T> value;
  };
  std::shared_ptr<State> state_;
};

}  // namespace docket::server
