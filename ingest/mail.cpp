#include "ingest/mail.hpp"

#include <boost/asio/post.hpp>
#include <new>
#include <utility>

namespace docket::ingest {

Message::Message(boost::asio::any_io_executor executor, std::function<void()> run)
    : executor_(std::move(executor)), run_(std::move(run)), place_(1) {}

bool Mail::post(const std::shared_ptr<Message>& message) noexcept {
  try {
    boost::asio::post(message->executor_, [message] {
      const auto run = std::exchange(message->run_, {});
      run();
    });
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Mail::send(std::shared_ptr<Message> message) noexcept {
  if (post(message)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  auto place = std::move(message->place_);
  place.front() = std::move(message);
  late_.splice(late_.end(), place);
}

void Mail::send_late() noexcept {
  std::list<std::shared_ptr<Message>> sent;  // let go of without the mutex
  const std::lock_guard lock(mutex_);
  while (!late_.empty() && post(late_.front())) {
    sent.splice(sent.end(), late_, late_.begin());
  }
}

void Mail::drop() noexcept {
  std::list<std::shared_ptr<Message>> dropped;  // as above
  const std::lock_guard lock(mutex_);
  dropped.swap(late_);
}

}  // namespace docket::ingest
