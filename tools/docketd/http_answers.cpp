// Requests that are answered in one piece: questions and posts.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <new>
#include <optional>

#include "engine/out_of_memory.hpp"
#include "engine/timestamp.hpp"
#include "ingest/event_json.hpp"
#include "tools/docketd/http_connection.hpp"
#include "tools/docketd/pending.hpp"
#include "tools/docketd/post_form.hpp"

namespace docket::server {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::chrono::seconds body_timeout{60};
// Without a byte of a body.
constexpr std::chrono::seconds body_stall_timeout{10};
// Taken of the budget before so much of a body can come; what one read brings is less.
constexpr std::uint64_t body_step_bytes = std::uint64_t{128} << 10;
constexpr std::size_t read_bytes = std::size_t{64} << 10;
constexpr std::size_t idempotency_key_bytes_max = 128;
// Some hundred terms; nobody types so much.
constexpr std::size_t long_query_bytes = 4096;

std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Who the events say has sent them.
std::string sender_name(const Grant& grant) {
  return grant ? grant->name : "http";
}

}  // namespace

asio::awaitable<bool> HttpConnection::answer_question(const AdmittedRequest& request) {
  const std::int64_t began = steady_ns();
  auto place = std::make_shared<std::optional<Budget::Share>>(context_.questions.take(1));
  if (!*place) {
    api::Answer refusal =
        api::problem(429, "overloaded", "A budget is used up", "too many questions are waiting");
    refusal.retry_after_s = 1;
    co_return co_await write_answer(std::move(refusal));
  }
  const Pending<api::Answer> pending(stream_.get_executor());
  // Its own copy of what is asked: the coroutine waits, but is dropped where there is no memory for
  // that.
  const bool is_long = request.parameters.value("q").size() > long_query_bytes;
  asio::post(
      is_long ? context_.long_query_pool : context_.query_pool,
      [pending, place, route = request.route, parameters = request.parameters, accepted = accepted_,
       scope = scope_of(grant_), &context = context_, cancelled = cancelled_] {
        std::optional<api::Answer> answer;
        try {
          answer = context.parts.service.get(route, parameters, cancelled.get(), scope);
          dress(*answer, accepted);
        } catch (const std::bad_alloc&) {
          answer = patiently([] { return api::problem(out_of_memory()); });
        }
        place->reset();
        pending.deliver(std::move(*answer));
      });
  watch_peer();
  api::Answer answer = co_await pending.wait();
  stop_watching();
  context_.parts.metrics.observe(request.route.endpoint, steady_ns() - began);
  std::optional<api::ReadRecord> read = std::move(answer.read);
  const bool go_on = co_await write_answer(std::move(answer));
  if (read) {
    context_.parts.on_read(*read, asker(), peer_, "");
  }
  co_return go_on;
}

asio::awaitable<HttpConnection::Body> HttpConnection::read_body(Parser& parser,
                                                                Budget::Share& share) {
  boost::system::error_code error;
  const std::uint64_t most = parser.content_length().value_or(context_.limits.http_body_bytes);
  const auto end = std::chrono::steady_clock::now() + body_timeout;
  stream_.expires_at(end);
  if (parser.get()[http::field::expect] == "100-continue") {
    static constexpr std::string_view go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto buffer = asio::buffer(go_ahead);
    co_await asio::async_write(stream_, buffer, asio::redirect_error(asio::use_awaitable, error));
  }
  // Beast reads as much at once as its buffer has room for, and 512 bytes into one that has none.
  buffer_.reserve(std::max<std::size_t>(buffer_.size(), std::min<std::uint64_t>(most, read_bytes)));
  while (!error && !parser.is_done()) {
    const std::uint64_t needed = std::min(parser.get().body().size() + body_step_bytes, most);
    if (share.amount() < needed && !share.grow(needed - share.amount())) {
      co_return Body::no_room;
    }
    stream_.expires_at(std::min(end, std::chrono::steady_clock::now() + body_stall_timeout));
    co_await http::async_read_some(stream_, buffer_, parser,
                                   asio::redirect_error(asio::use_awaitable, error));
  }
  buffer_.shrink_to_fit();  // the connection may stay for long, and have no body any more
  if (error) {
    keep_alive_ = false;
    static_cast<void>(co_await refuse_head(error));
    co_return Body::ended;
  }
  co_return Body::complete;
}

void HttpConnection::tell_refusal(const api::Answer& answer) const {
  if (context_.parts.on_refused) {
    context_.parts.on_refused(sender_name(grant_), peer_,
                              fmt::format("{}: {}", answer.status, answer.detail));
  }
}

void HttpConnection::settle_post(const Result<ingest::RequestOutcome>& outcome,
                                 ingest::Quota* quota, ingest::SenderWay way) const {
  if (quota != nullptr && outcome) {
    quota->take(outcome->accepted + outcome->rejected.size(), 0, steady_ns());
  }
  if (context_.parts.on_post) {
    context_.parts.on_post(sender_name(grant_), peer_, way, outcome);
  }
}

asio::awaitable<bool> HttpConnection::refuse_post(api::Answer answer) {
  keep_alive_ = false;
  body_unread_ = true;
  tell_refusal(answer);
  co_return co_await write_answer(std::move(answer));
}

asio::awaitable<bool> HttpConnection::answer_post(const AdmittedRequest& request, Parser& parser) {
  const std::int64_t began = steady_ns();
  const api::Endpoint endpoint = request.route.endpoint;
  const auto& head = parser.get();
  const std::string key(head["Idempotency-Key"]);
  auto form = read_post_form(endpoint, head[http::field::content_type],
                             head[http::field::content_encoding]);
  if (!form) {
    api::Answer answer = api::problem(415, "unsupported_media_type", "The body has another form",
                                      form.error().message);
    co_return co_await refuse_post(std::move(answer));
  }
  std::optional<Budget::Share> share = context_.bytes.take(0);
  Result<void> is_known = request.parameters.expect_only({});
  const std::size_t keys = head.count("Idempotency-Key");
  if (is_known && keys > 1) {
    is_known = fail(ErrorCode::invalid_argument, "Idempotency-Key: is given more than once");
  } else if (is_known && keys == 1 &&
             (key.empty() || key.size() > idempotency_key_bytes_max || !is_utf8(key))) {
    is_known = fail(ErrorCode::invalid_argument,
                    "Idempotency-Key: must be 1 to 128 bytes of UTF-8, or absent");
  }
  if (!is_known) {
    api::Answer answer = form->error(api::problem(is_known.error()));
    co_return co_await refuse_post(std::move(answer));
  }
  const auto quota = grant_ ? context_.parts.access.quota_of(*grant_) : nullptr;
  if (const Nanos wait = quota ? quota->wait(steady_ns()) : 0; wait > 0) {
    constexpr Nanos second = 1'000'000'000;
    quota->throttled(wait);
    api::Answer answer = api::problem(429, "quota", "The token's quota is used up",
                                      "its owner has sent as much as it may for now");
    answer.retry_after_s = static_cast<std::uint32_t>((wait + second - 1) / second);
    answer = form->error(std::move(answer));
    co_return co_await refuse_post(std::move(answer));
  }
  const Body came = co_await read_body(parser, *share);
  waiting_since_.reset();
  if (came == Body::ended) {
    co_return false;
  }
  // A compressed body says how large it is; it is only held where that can be.
  const std::uint64_t says =
      came == Body::complete && form->is_gzip ? gzip_size(parser.get().body()) : 0;
  const std::uint64_t inflated = says <= context_.limits.http_body_bytes ? says : 0;
  if (came == Body::no_room || !share->grow(inflated)) {
    // What has come is let go before the rest is read over.
    std::string().swap(parser.get().body());
    share.reset();
    api::Answer answer = api::problem(429, "overloaded", "A budget is used up",
                                      "too many bodies are being received");
    answer.retry_after_s = 1;
    answer = form->error(std::move(answer));
    co_return co_await refuse_post(std::move(answer));
  }
  const auto body = std::make_shared<std::string>(std::move(parser.get().body()));
  if (quota) {
    quota->take(0, body->size(), steady_ns());
  }
  // nullopt: the body inflates to more than is taken.
  using Outcome = std::optional<Result<ingest::RequestOutcome>>;
  const Pending<Outcome> pending(stream_.get_executor());
  asio::post(context_.store_pool,
             [pending, body, key = key, form = *form, grant = grant_, &context = context_] {
               const auto given = within_memory([&]() -> Result<void> {
                 if (form.is_gzip) {
                   DOCKET_ASSIGN(auto inflation, gunzip(*body, context.limits.http_body_bytes));
                   if (!inflation) {
                     pending.deliver(std::nullopt);
                     return {};
                   }
                   *body = std::move(*inflation);
                 }
                 ingest::RequestSender sender;
                 sender.node = sender_name(grant);
                 // Nobody's key may stand for what somebody else has sent.
                 sender.idempotency_key = key.empty() || !grant ? key : grant->name + "\n" + key;
                 if (grant) {
                   sender.logs = grant->logs;
                 }
                 if (context.parts.redactor) {
                   sender.redactor = context.parts.redactor();
                 }
                 form.store(context.parts.service.store(), *body, context.parts.rules, sender,
                            [pending, body](Result<ingest::RequestOutcome> outcome) {
                              pending.deliver(std::move(outcome));
                            });
                 return {};
               });
               if (!given) {
                 pending.deliver(fail(given.error()));
               }
             });
  const Outcome outcome = co_await pending.wait();
  api::Answer answer;
  if (!outcome) {
    answer = form->error(api::problem(413, "body_too_large", "The body is too large",
                                      fmt::format("at most {} bytes are taken; send it in parts",
                                                  context_.limits.http_body_bytes)));
    tell_refusal(answer);
  } else {
    settle_post(*outcome, quota.get(),
                form->is_otlp ? ingest::SenderWay::otlp : ingest::SenderWay::http);
    answer =
        *outcome ? form->answer(**outcome) : form->error(api::problem_of_post(outcome->error()));
  }
  context_.parts.metrics.observe(endpoint, steady_ns() - began);
  co_return co_await write_answer(std::move(answer));
}

}  // namespace docket::server
