// A small HTTP/1.1 client: one connection, one request at a time, timeouts on everything.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "ingest/tls.hpp"

namespace docket::cli {

struct ServerUrl {
  bool is_tls = false;  // https
  std::string host;     // without brackets
  std::string port;
  std::string prefix;  // of every path; "" or "/docket"
  [[nodiscard]] std::string authority() const;
};
// Error: invalid_argument saying what was expected.
[[nodiscard]] Result<ServerUrl> parse_server_url(std::string_view url);

// What it takes to be let in.
struct ServerAccess {
  std::string token;     // empty: none is shown
  ingest::TlsFiles tls;  // for https: whom to trust, and what to show
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body;                          // empty where it was streamed
  std::string rows, sha256, position, gaps;  // an export's trailers
};

// Not thread-safe. Under https the server's certificate must be valid for the host. Connects when
// first asked, and anew where the server has closed meanwhile.
class HttpClient {
 public:
  explicit HttpClient(ServerUrl url, ServerAccess access = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // GET. Errors: io (no connection, cut off, timeout).
  [[nodiscard]] Result<HttpAnswer> get(const std::string& target);
  // GET whose successful body goes to `sink` piece by piece as it arrives, until it returns false
  // (error: cancelled). `idle`, where given, is called when the stream pauses; without it a pause
  // that is too long is an error.
  [[nodiscard]] Result<HttpAnswer> stream(const std::string& target,
                                          const std::function<bool(std::string_view)>& sink,
                                          const std::function<bool()>& idle);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace docket::cli
