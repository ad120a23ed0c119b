#include "ingest/client_loop.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace docket::client {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// A loop with its own thread, and a number that handlers count up.
class ClientLoopTest : public ::testing::Test {
 protected:
  explicit ClientLoopTest(std::chrono::nanoseconds lent_for = 5ms) : loop_(io_, mutex_, lent_for) {
    own_ = std::thread([this] { loop_.run(); });
  }
  ~ClientLoopTest() override {
    work_.reset();
    asio::post(io_, [] {});
    {
      const std::scoped_lock lock(mutex_);
      loop_.hurry();
    }
    own_.join();
  }

  void count_up() {
    {
      const std::scoped_lock lock(mutex_);
      ++count_;
      counted_by_ = std::this_thread::get_id();
    }
    loop_.changed();
  }
  // Posts what counts up and waits for it.
  bool post_and_wait(std::chrono::milliseconds patience = 10s) {
    std::unique_lock lock(mutex_);
    const int wanted = ++posted_;
    asio::post(io_, [this] { count_up(); });
    loop_.posted();
    return loop_.wait_until(lock, ClientLoop::Clock::now() + patience,
                            [this, wanted] { return count_ >= wanted; });
  }
  int count() {
    const std::scoped_lock lock(mutex_);
    return count_;
  }
  // Somebody has waited a short time ago, so the own thread has left the loop.
  void make_free() {
    for (counted_by_ = own_.get_id(); counted_by_ == own_.get_id();) {
      ASSERT_TRUE(post_and_wait());
    }
  }
  void wait_for_count(int wanted) {
    const auto deadline = ClientLoop::Clock::now() + 10s;
    while (count() < wanted && ClientLoop::Clock::now() < deadline) {
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(count(), wanted);
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::mutex mutex_;
  ClientLoop loop_;
  std::thread own_;
  int posted_ = 0;
  int count_ = 0;
  std::thread::id counted_by_;
};

TEST_F(ClientLoopTest, WhoeverWaitsAgainDoesTheWorkItself) {
  make_free();
  EXPECT_EQ(counted_by_, std::this_thread::get_id());
}

TEST_F(ClientLoopTest, WhatIsPostedWhileNobodyWaitsIsDoneByTheOwnThread) {
  for (int i = 0; i < 20; ++i) {
    make_free();
    {
      const std::scoped_lock lock(mutex_);
      ++posted_;
      asio::post(io_, [this] { count_up(); });
      if (i % 2 == 0) {
        loop_.posted();
      } else {
        loop_.hurry();
      }
    }
    wait_for_count(posted_);
    EXPECT_EQ(counted_by_, own_.get_id());
  }
}

TEST_F(ClientLoopTest, UnusedItGoesBackToTheOwnThread) {
  make_free();
  std::this_thread::sleep_for(300ms);
  ++posted_;
  asio::post(io_, [this] { count_up(); });  // told to nobody
  wait_for_count(posted_);
}

TEST_F(ClientLoopTest, AWaitEndsAtItsDeadlineAndTheRestIsDoneAllTheSame) {
  make_free();
  asio::steady_timer timer(io_, 150ms);
  timer.async_wait([this](const boost::system::error_code&) { count_up(); });
  {
    std::unique_lock lock(mutex_);
    const int wanted = ++posted_;
    EXPECT_FALSE(loop_.wait_until(lock, ClientLoop::Clock::now() + 20ms,
                                  [this, wanted] { return count_ >= wanted; }));
  }
  wait_for_count(posted_);
  EXPECT_EQ(counted_by_, own_.get_id());
}

TEST_F(ClientLoopTest, ManyMayWaitAtATime) {
  std::vector<std::future<bool>> waits;
  for (int thread = 0; thread < 4; ++thread) {
    waits.push_back(std::async(std::launch::async, [this] {
      bool all = true;
      for (int i = 0; i < 500; ++i) {
        all = all && post_and_wait();
      }
      return all;
    }));
  }
  for (auto& wait : waits) {
    EXPECT_TRUE(wait.get());
  }
  EXPECT_EQ(count(), 2000);
}

class UnlentLoopTest : public ClientLoopTest {
 protected:
  UnlentLoopTest() : ClientLoopTest(0ns) {}
};

TEST_F(UnlentLoopTest, TheOwnThreadAloneRunsIt) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(post_and_wait());
    EXPECT_EQ(counted_by_, own_.get_id());
  }
}

}  // namespace
}  // namespace docket::client
