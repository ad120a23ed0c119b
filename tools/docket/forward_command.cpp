// forward: follows a file of NDJSON that short-lived processes append to, and sends each line once.
//
// A line goes into a spool, in one piece with how far the file has been read; the spool's client
// sends it exactly once. So an end at any instant loses and doubles nothing, and what is in the
// spool no longer needs the file.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/timestamp.hpp"
#include "ingest/client.hpp"
#include "ingest/event_json.hpp"
#include "query/render.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/followed_file.hpp"
#include "tools/docket/ingest_address.hpp"
#include "tools/docketd/address.hpp"

namespace docket::cli {

namespace {

constexpr auto look_interval = std::chrono::milliseconds(100);
// How long writers may take to reopen a file that was rotated: 2 s of looks.
constexpr std::uint32_t patience_looks = 20;
constexpr std::uint32_t flush_ms = 500;
constexpr std::chrono::seconds silence_max{30};
constexpr EventRules rules{limits::payload_bytes_max};

void say(const std::string& message) {
  static_cast<void>(std::fprintf(stderr, "docket: %s\n", query::terminal_safe(message).c_str()));
}

// One name a file and machine, the same at each start.
std::string node_name(const Arguments& arguments) {
  if (!arguments.node.empty()) {
    return arguments.node;
  }
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) {
    host[0] = '\0';
  }
  std::string name = fmt::format("forward:{}:{}", host.data(), arguments.files.front());
  if (name.size() > limits::node_bytes_max) {
    name.erase(0, name.size() - limits::node_bytes_max);  // the end of a path says more
    while (!is_utf8(name)) {
      name.erase(0, 1);
    }
  }
  return name;
}

class Forward {
 public:
  Forward(const Arguments& arguments, client::Client& client)
      : arguments_(arguments),
        client_(client),
        file_(arguments.files.front(),
              FollowedPosition::parse(client.mark()).value_or(FollowedPosition{}),
              arguments.once ? 0 : patience_looks) {}

  // To the end of the file, or for ever. Errors: what reading the file and the client say.
  [[nodiscard]] Result<void> run() {
    for (;;) {
      DOCKET_ASSIGN(const auto line, file_.next());
      for (const std::string& notice : file_.take_notices()) {
        say(notice);
      }
      if (line) {
        DOCKET_TRY(take(*line));
      } else if (arguments_.once) {
        break;
      } else {
        std::this_thread::sleep_for(look_interval);
      }
    }
    if (file_.unfinished_bytes() > 0) {
      say(arguments_.files.front() + ": the last line has no end yet and is left for the next run");
    }
    return settle();
  }

  [[nodiscard]] std::uint64_t refused_lines() const {
    const std::scoped_lock lock(mutex_);
    return refused_lines_;
  }

 private:
  void refuse(std::uint64_t offset, std::string_view error) {
    const std::scoped_lock lock(mutex_);
    ++refused_lines_;
    say(fmt::format("{}: the line at byte {}: {}", arguments_.files.front(), offset, error));
  }

  Result<void> take(const FollowedFile::Line& line) {
    if (line.text.find_first_not_of(" \t") == std::string_view::npos && !line.is_too_long) {
      return {};
    }
    const std::uint64_t offset = file_.line_offset();
    if (line.is_too_long) {
      refuse(offset, "is longer than 2 MiB");
      return {};
    }
    const auto decoded = decoder_.decode(line.text, rules, now_ns());
    if (!decoded) {
      refuse(offset, decoded.error().message);
      return {};
    }
    const std::string_view log = arguments_.log.empty() ? decoded->log : arguments_.log;
    const std::string mark = file_.position().text();
    for (;;) {
      const auto emitted = client_.emit_marked(log, decoded->event, mark,
                                               [this, offset](const client::Delivery& delivery) {
                                                 if (!delivery.ok()) {
                                                   refuse(offset, delivery.error);
                                                 }
                                               });
      if (emitted) {
        is_waiting_ = false;
        return {};
      }
      const ErrorCode code = emitted.error().code;
      if (code == ErrorCode::invalid_argument || code == ErrorCode::closed) {
        refuse(offset, emitted.error().message);
        return {};
      }
      if (code != ErrorCode::overloaded && code != ErrorCode::no_space) {
        return emitted;
      }
      // The file keeps what the spool has no room for.
      if (!std::exchange(is_waiting_, true)) {
        say(emitted.error().message + "; waiting. " + client_.last_error());
      }
      std::this_thread::sleep_for(look_interval);
    }
  }

  Result<void> settle() {
    std::uint64_t settled = 0;
    auto since = std::chrono::steady_clock::now();
    for (;;) {
      const auto flushed = client_.flush(flush_ms);
      if (flushed || flushed.error().code != ErrorCode::overloaded) {
        return flushed;
      }
      const client::Counters counters = client_.counters();
      if (std::exchange(settled, counters.durable + counters.rejected) != settled) {
        since = std::chrono::steady_clock::now();
      }
      if (std::chrono::steady_clock::now() - since > silence_max) {
        return fail(ErrorCode::io,
                    fmt::format("{} events wait in {} and go with the next run: {}",
                                counters.pending, arguments_.state, client_.last_error()));
      }
    }
  }

  const Arguments& arguments_;
  client::Client& client_;
  FollowedFile file_;
  ingest::EventDecoder decoder_;
  bool is_waiting_ = false;
  mutable std::mutex mutex_;  // deliveries come on the client's thread
  std::uint64_t refused_lines_ = 0;
};

}  // namespace

int run_forward(Context& context) {
  const Arguments& arguments = context.arguments;
  auto destination = ingest_destination(arguments);
  if (!destination) {
    return complain(destination.error());
  }
  client::Options& options = *destination;
  options.node = node_name(arguments);
  options.rules = rules;
  options.spool.directory = arguments.state;
  const auto client = client::Client::start(options);
  if (!client) {
    return complain(client.error());
  }
  const std::string mark = (*client)->mark();
  if (!mark.empty() && !FollowedPosition::parse(mark)) {
    return complain({ErrorCode::invalid_argument,
                     arguments.state + ": is not the state of a file that was forwarded", 0, 0, 0});
  }
  Forward forward(arguments, **client);
  const auto done = forward.run();
  const client::Counters counters = (*client)->counters();
  context.out.write(
      fmt::format("{} events stored, {} refused\n", counters.durable, forward.refused_lines()));
  if (!done) {
    return complain(done.error());
  }
  return forward.refused_lines() + counters.rejected + counters.lost > 0 ? exit_failed : exit_done;
}

}  // namespace docket::cli
