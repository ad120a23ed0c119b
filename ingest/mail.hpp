// Handlers for the io threads of connections, sent by threads that must not be stopped by a want of
// memory: the store's when it answers, and whoever gives memory back that others wait for.
// Internal to the server's sources.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

namespace docket::ingest {

// Made before it is needed, while a failed allocation can still be answered.
class Message {
 public:
  // `run` is called on `executor`, once, and is gone after that: nothing that it holds is left with
  // the sender.
  Message(boost::asio::any_io_executor executor, std::function<void()> run);

 private:
  friend class Mail;
  boost::asio::any_io_executor executor_;
  std::function<void()> run_;
  std::list<std::shared_ptr<Message>> place_;  // of one: its place in the line
};

// Thread-safe. What cannot be sent for want of memory waits in line until send_late().
class Mail {
 public:
  // Needs no memory of its own and does not throw. Each message is sent once.
  void send(std::shared_ptr<Message> message) noexcept;
  // Tries again with what waits, in order. To be called now and then.
  void send_late() noexcept;
  // Drops what waits, with all that it holds: for the end.
  void drop() noexcept;

 private:
  static bool post(const std::shared_ptr<Message>& message) noexcept;

  std::mutex mutex_;
  std::list<std::shared_ptr<Message>> late_;
};

}  // namespace docket::ingest
