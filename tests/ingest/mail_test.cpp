#include "ingest/mail.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <utility>

namespace docket::ingest {
namespace {

TEST(Mail, AMessageRunsOnceOnItsExecutorAndIsGoneThen) {
  boost::asio::io_context io;
  Mail mail;
  int runs = 0;
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  auto message =
      std::make_shared<Message>(io.get_executor(), [&runs, held = std::move(held)] { ++runs; });
  const auto kept = message;
  mail.send(std::move(message));
  EXPECT_EQ(runs, 0) << "not by the sender";
  io.run();
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(watched.expired()) << "what it holds goes with it, not with its sender";
}

TEST(Mail, NothingIsLateWhileThereIsMemory) {
  boost::asio::io_context io;
  Mail mail;
  int runs = 0;
  mail.send(std::make_shared<Message>(io.get_executor(), [&runs] { ++runs; }));
  mail.send_late();
  mail.drop();
  io.run();
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace docket::ingest
