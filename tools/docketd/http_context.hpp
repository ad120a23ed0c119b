// What the connections of the HTTP listener share.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <set>

#include "tools/docketd/budget.hpp"
#include "tools/docketd/http_server.hpp"

namespace docket::server {

class HttpConnection;

// Owned by the server; outlives every connection. Members without a note belong to the io thread.
struct HttpContext {
  HttpContext(const LimitSettings& limit_settings, bool only_loopback, HttpParts http_parts)
      : limits(limit_settings),
        loopback_only(only_loopback),
        parts(std::move(http_parts)),
        bytes(limits.http_bytes),
        questions(limits.queries),
        exports(limits.exports),
        export_pool(limits.exports) {}

  const LimitSettings limits;
  const bool loopback_only;
  const HttpParts parts;
  std::atomic<bool> stopping{false};  // any thread

  Budget bytes;      // of bodies, received and to be sent
  Budget questions;  // running and waiting
  Budget exports;
  boost::asio::thread_pool query_pool{2};
  // A question costs time with every term. One of thousands must not hold up those of a few.
  boost::asio::thread_pool long_query_pool{1};
  boost::asio::thread_pool store_pool{1};  // parses what is posted
  boost::asio::thread_pool export_pool;

  std::set<HttpConnection*> connections;
};

}  // namespace docket::server
