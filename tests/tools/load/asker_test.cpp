#include "tools/load/asker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <set>
#include <thread>

#include "tools/api/routes.hpp"
#include "tools/api/url.hpp"

namespace docket::load {
namespace {

namespace asio = boost::asio;

// Answers every request with 200, or with 500 where its target has the word "bad".
class TinyServer {
 public:
  TinyServer() : acceptor_(io_, {asio::ip::make_address("127.0.0.1"), 0}) {
    thread_ = std::thread([this] { serve(); });
  }
  ~TinyServer() {
    over_ = true;
    asio::ip::tcp::socket wake(io_);
    wake.connect(acceptor_.local_endpoint());
    wake.close();
    thread_.join();
  }
  TinyServer(const TinyServer&) = delete;
  TinyServer& operator=(const TinyServer&) = delete;
  [[nodiscard]] int answered() const { return answered_; }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void serve() {
    while (true) {
      asio::ip::tcp::socket socket = acceptor_.accept();
      if (over_) {
        return;
      }
      std::string request(4096, ' ');
      boost::system::error_code error;
      request.resize(socket.read_some(asio::buffer(request), error));
      const bool bad = request.find("bad") != std::string::npos;
      asio::write(socket,
                  asio::buffer(std::string(bad ? "HTTP/1.1 500 No\r\n\r\n"
                                               : "HTTP/1.1 200 OK\r\n"
                                                 "\r\n{}")),
                  error);
      ++answered_;
    }
  }

  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> over_{false};
  std::atomic<int> answered_{0};
  std::thread thread_;
};

TEST(Asker, EachQuestionIsAskedInTurnAndFailuresAreCounted) {
  TinyServer server;
  Asker asker("127.0.0.1", server.port(), {{"good", "/a"}, {"bad", "/bad"}}, 500);
  while (server.answered() < 4) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto figures = asker.finish();
  ASSERT_EQ(figures.size(), 2U);
  EXPECT_EQ(figures[0].failed, 0U);
  EXPECT_GE(figures[0].latency.count(), 1U);
  EXPECT_EQ(figures[1].latency.count(), 0U);
  EXPECT_LE(figures[0].latency.count() - figures[1].failed, 1U) << "in turn";
}

TEST(Asker, AtRestEachIsAskedAsOftenAsWantedAndAFailureIsAnError) {
  TinyServer server;
  const auto figures = ask_each("127.0.0.1", server.port(), {{"good", "/a"}, {"also", "/b"}}, 3);
  ASSERT_TRUE(figures) << figures.error().describe();
  ASSERT_EQ(figures->size(), 2U);
  EXPECT_EQ((*figures)[1].latency.count(), 3U);
  EXPECT_FALSE(ask_each("127.0.0.1", server.port(), {{"bad", "/bad"}}, 3));
}

TEST(Asker, TheUsualQuestionsAreOnesThatTheApiHas) {
  const Generator generator({.seed = 9, .events = 1000, .end = 1'780'000'000'000'000'000});
  std::set<std::string> names;
  for (const AskedQuestion& question : usual_questions(generator)) {
    names.insert(question.name);
    const auto target = api::parse_target(question.target);
    ASSERT_TRUE(target) << question.target;
    EXPECT_TRUE(target->parameters.find("q")) << question.target;
    EXPECT_EQ(api::find_route("GET", target->path).kind, api::Route::Kind::found)
        << question.target;
  }
  EXPECT_EQ(names.size(), 6U);
}

}  // namespace
}  // namespace docket::load
