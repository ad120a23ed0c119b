// Answers without a known end: exports, and the tail as server-sent events.
#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>

#include "engine/out_of_memory.hpp"
#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tools/api/export.hpp"
#include "tools/api/tail.hpp"
#include "tools/docketd/http_connection.hpp"
#include "tools/docketd/pending.hpp"
#include "tools/docketd/piece_queue.hpp"

namespace docket::server {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

// A piece of 128 KiB in this time is a reader of 2 KiB a second.
constexpr std::chrono::seconds piece_timeout{60};
constexpr std::chrono::milliseconds poll_interval{50};
// A comment keeps proxies from cutting a quiet stream, and tells us that the peer is gone.
constexpr std::chrono::seconds heartbeat_interval{15};
constexpr std::size_t gaps_header_bytes_max = 8192;

http::fields trailers_of(const api::ExportSummary& summary) {
  http::fields fields;
  fields.set("X-Docket-Rows", std::to_string(summary.rows));
  fields.set("X-Docket-SHA256", summary.sha256);
  fields.set("X-Docket-Position", summary.position);
  std::string gaps;
  query::append_json_gaps(gaps, summary.gaps);
  gaps.erase(0, gaps.find('['));
  if (gaps.size() > gaps_header_bytes_max) {
    // A field of a header is no place for a long list; the number says that there is one.
    gaps = std::to_string(summary.gaps.size());
  }
  fields.set("X-Docket-Gaps", gaps);
  return fields;
}

// What one poll of a tail gave.
struct Polled {
  Result<bool> more = false;
  std::string text;
};

Polled poll_tail(api::Tail& tail, const std::atomic<bool>* cancelled) {
  Polled polled;
  const bool is_first = tail.position().empty();
  polled.more = tail.poll(
      cancelled,
      [&polled](const Event& event) {
        polled.text += "data: ";
        query::append_json(polled.text, event);
        polled.text += "\n\n";
      },
      [&polled](const Gap& gap) {
        // `"gaps":[{…}]` as in every answer, by itself.
        polled.text += "event: gap\ndata: {";
        query::append_json_gaps(polled.text, {gap});
        polled.text += "}\n\n";
      });
  if (!polled.text.empty() || is_first) {
    // Without data it is no event: it only sets the position that a reconnect comes back with.
    polled.text += fmt::format("id: {}\n\n", tail.position());
  }
  return polled;
}

// Digest and rows are those of what is compressed.
Result<api::ExportSummary> run_compressed(api::Export& exporter, PieceQueue& queue) {
  constexpr std::size_t piece_bytes = std::size_t{64} << 10;
  Gzip gzip;
  std::string piece;
  const auto push = [&] {
    const bool taken = queue.push(piece);
    piece.clear();
    return taken;
  };
  DOCKET_ASSIGN(api::ExportSummary summary, exporter.run([&](std::string_view text) {
    gzip.add(text, piece);
    return piece.size() < piece_bytes || push();
  }));
  gzip.finish(piece);
  if (!push()) {
    return fail(ErrorCode::cancelled, "the reader of the export went away");
  }
  return summary;
}

}  // namespace

asio::awaitable<bool> HttpConnection::write_stream_head(std::string_view content_type,
                                                        std::string_view file_name,
                                                        std::string_view trailers, bool gzip) {
  ++context_.parts.metrics.answers[2];
  http::response<http::empty_body> response(http::status::ok, version_);
  response.set(http::field::server, "docket");
  response.set(http::field::content_type, content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (gzip) {
    response.set(http::field::content_encoding, "gzip");
  }
  if (!file_name.empty()) {
    response.set(http::field::content_disposition,
                 fmt::format("attachment; filename=\"{}\"", file_name));
  }
  if (version_ < 11) {
    keep_alive_ = false;  // The end of the connection is the end of the body.
  } else {
    response.chunked(true);
    if (!trailers.empty()) {
      response.set(http::field::trailer, trailers);
    }
  }
  keep_alive_ = keep_alive_ && !context_.stopping;
  response.keep_alive(keep_alive_);
  http::response_serializer<http::empty_body> serializer(response);
  boost::system::error_code error;
  stream_.expires_after(piece_timeout);
  co_await http::async_write_header(stream_, serializer,
                                    asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

asio::awaitable<bool> HttpConnection::write_piece(std::string_view piece) {
  boost::system::error_code error;
  stream_.expires_after(piece_timeout);
  const auto buffer = asio::buffer(piece);
  if (version_ < 11) {
    co_await asio::async_write(stream_, buffer, asio::redirect_error(asio::use_awaitable, error));
  } else {
    const auto chunk = http::make_chunk(buffer);
    co_await asio::async_write(stream_, chunk, asio::redirect_error(asio::use_awaitable, error));
  }
  co_return !error;
}

asio::awaitable<bool> HttpConnection::write_stream_end(const Fields& trailers) {
  if (version_ < 11) {
    co_return false;
  }
  boost::system::error_code error;
  stream_.expires_after(piece_timeout);
  const auto end = http::make_chunk_last(trailers);
  co_await asio::async_write(stream_, end, asio::redirect_error(asio::use_awaitable, error));
  co_return keep_alive_ && !error;
}

asio::awaitable<bool> HttpConnection::answer_export(const AdmittedRequest& request) {
  auto place = std::make_shared<std::optional<Budget::Share>>(context_.exports.take(1));
  if (!*place) {
    api::Answer refusal =
        api::problem(429, "overloaded", "A budget is used up", "too many exports are running");
    refusal.retry_after_s = 5;
    co_return co_await write_answer(std::move(refusal));
  }
  using Opened = Result<std::shared_ptr<api::Export>>;
  const Pending<Opened> opening(stream_.get_executor());
  const auto queue = std::make_shared<PieceQueue>(stream_.get_executor());
  // The record of the read is made where the rows are known, also when the reader goes away.
  asio::post(context_.export_pool, [opening, queue, place, peer = peer_, cancelled = cancelled_,
                                    parameters = request.parameters, gzip = accepted_.gzip,
                                    scope = scope_of(grant_), token = asker(),
                                    &context = context_] {
    const Opened opened = within_memory([&]() -> Opened {
      DOCKET_ASSIGN(auto exporter,
                    api::Export::open(context.parts.service, parameters, cancelled.get(), scope));
      return std::make_shared<api::Export>(std::move(exporter));
    });
    opening.deliver(opened ? opened : Opened(fail(told(opened.error()))));
    if (!opened) {
      return;
    }
    auto summary = within_memory([&] {
      return gzip ? run_compressed(**opened, *queue)
                  : (*opened)->run([&queue](std::string_view piece) { return queue->push(piece); });
    });
    // The read has been made, and so is its record.
    patiently([&] {
      const api::ReadRecord record = (*opened)->record();
      context.parts.on_read(record, token, peer, summary ? "" : to_string(summary.error().code));
      context.parts.metrics.exported_rows += record.rows;
    });
    queue->finish(std::move(summary));
  });
  watch_peer();
  const Opened opened = co_await opening.wait();
  if (!opened) {
    stop_watching();
    api::Answer refusal = api::problem(opened.error());
    co_return co_await write_answer(std::move(refusal));
  }
  bool writable = co_await write_stream_head(
      (*opened)->content_type(), (*opened)->file_name(),
      "X-Docket-Rows, X-Docket-SHA256, X-Docket-Position, X-Docket-Gaps", accepted_.gzip);
  while (writable) {
    const std::optional<std::string> piece = co_await queue->pop();
    if (!piece) {
      break;
    }
    writable = co_await write_piece(*piece);
    writable = writable && context_.parts.access.holds(grant_, now_ns());
  }
  if (!writable) {
    *cancelled_ = true;
    queue->abandon();
  }
  stop_watching();
  if (!writable || !queue->summary()) {
    co_return false;  // Without its end the reader sees that the body is cut off.
  }
  const http::fields trailers = trailers_of(*queue->summary());
  co_return co_await write_stream_end(trailers);
}

asio::awaitable<bool> HttpConnection::answer_tail(const AdmittedRequest& request,
                                                  std::string position) {
  auto opened =
      api::Tail::open(context_.parts.service, request.parameters, position, scope_of(grant_));
  if (!opened) {
    api::Answer refusal = api::problem(opened.error());
    co_return co_await write_answer(std::move(refusal));
  }
  const auto tail = std::make_shared<api::Tail>(std::move(*opened));
  // One record for the whole stream, made at its start: it may go on for weeks.
  api::ReadRecord read;
  read.operation = "tail";
  read.query = request.parameters.value("q");
  context_.parts.on_read(read, asker(), peer_, "");
  bool writable = co_await write_stream_head("text/event-stream", "", "", false);
  watch_peer();
  asio::steady_timer pause(stream_.get_executor());
  auto last_write = std::chrono::steady_clock::now();
  bool more = true;
  std::uint64_t seen = 0;
  while (writable && !context_.stopping && !*cancelled_ &&
         context_.parts.access.holds(grant_, now_ns())) {
    // Looked at before the poll, so that what becomes visible during it is asked for once more.
    const std::uint64_t visible = context_.parts.visible;
    Polled polled;
    if (more || visible != seen) {
      seen = visible;
      const Pending<Polled> pending(stream_.get_executor());
      asio::post(context_.query_pool, [pending, tail, cancelled = cancelled_] {
        try {
          pending.deliver(poll_tail(*tail, cancelled.get()));
        } catch (const std::bad_alloc&) {
          pending.deliver({fail(out_of_memory()), {}});  // it ends; its reader comes back
        }
      });
      polled = co_await pending.wait();
      if (!polled.more) {
        break;
      }
      more = *polled.more;
    }
    const auto now = std::chrono::steady_clock::now();
    if (polled.text.empty() && now - last_write > heartbeat_interval) {
      polled.text = ":\n\n";
    }
    if (!polled.text.empty()) {
      writable = co_await write_piece(polled.text);
      last_write = now;
    }
    if (!more) {
      boost::system::error_code ignored;
      pause.expires_after(poll_interval);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }
  stop_watching();
  if (!writable) {
    co_return false;
  }
  const http::fields none;
  keep_alive_ = false;
  co_return co_await write_stream_end(none);
}

}  // namespace docket::server
