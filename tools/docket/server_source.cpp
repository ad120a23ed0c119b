// A running server, asked over HTTP.
#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "tools/api/digest.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/http_client.hpp"
#include "tools/docket/source.hpp"

namespace docket::cli {

namespace {

std::string target_of(std::string_view path, const api::Parameters& parameters) {
  const std::string query = parameters.encode();
  return std::string(path) + (query.empty() ? "" : "?" + query);
}

constexpr std::chrono::milliseconds retry_interval{1000};
constexpr std::chrono::milliseconds idle_interval{100};

// Server-sent events on their way to a follower. Those of one batch are given when the position
// behind them has come: where the stream breaks off before, they will come again.
class EventStream {
 public:
  explicit EventStream(const Follower& follower) : follower_(follower) {}

  // A new connection.
  void start() {
    line_.clear();
    events_.clear();
    gaps_.clear();
    is_gap_ = false;
  }
  // False: the follower has enough, or there is a failure().
  bool take(std::string_view piece) {
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos;
         end = piece.find('\n')) {
      line_ += piece.substr(0, end);
      piece.remove_prefix(end + 1);
      if (!take_line(line_)) {
        return false;
      }
      line_.clear();
    }
    line_ += piece;
    return follower_.idle();
  }
  void lose(const Error& error) {
    if (!is_lost_) {
      follower_.lost(&error);
    }
    is_lost_ = true;
  }

  [[nodiscard]] const std::string& position() const { return position_; }
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

 private:
  bool take_line(std::string_view line) {
    static constexpr std::string_view data = "data: ";
    static constexpr std::string_view id = "id: ";
    if (line.empty()) {
      is_gap_ = false;
    } else if (line == "event: gap") {
      is_gap_ = true;
    } else if (line.starts_with(data) && is_gap_) {
      const auto gaps = read_gaps(line.substr(data.size()));
      if (!gaps) {
        failure_ = gaps.error();
        return false;
      }
      gaps_.insert(gaps_.end(), gaps->begin(), gaps->end());
    } else if (line.starts_with(data)) {
      events_.emplace_back(line.substr(data.size()));
    } else if (line.starts_with(id)) {
      return hand_over(line.substr(id.size()));
    }
    return true;
  }

  bool hand_over(std::string_view position) {
    if (is_lost_) {
      follower_.lost(nullptr);
    }
    is_lost_ = false;
    has_begun_ = true;
    std::ranges::for_each(gaps_, follower_.gap);
    for (const std::string& event : events_) {
      if (!follower_.event(event)) {
        return false;
      }
    }
    gaps_.clear();
    events_.clear();
    position_ = position;
    follower_.position(position_);
    return true;
  }

  const Follower& follower_;
  std::string line_;
  std::vector<std::string> events_;
  std::vector<Gap> gaps_;
  std::string position_;
  bool is_gap_ = false;
  bool has_begun_ = false;
  bool is_lost_ = false;
  std::optional<Error> failure_;
};

class ServerSource final : public Source {
 public:
  ServerSource(ServerUrl url, const ServerAccess& access) : client_(std::move(url), access) {}

  [[nodiscard]] Result<std::string> get(const std::string& path,
                                        const api::Parameters& parameters) override {
    DOCKET_ASSIGN(HttpAnswer answer, client_.get(target_of(path, parameters)));
    if (answer.status != 200) {
      return fail(error_of(answer.status, answer.body));
    }
    return std::move(answer.body);
  }

  [[nodiscard]] Result<api::ExportSummary> export_events(
      const api::Parameters& parameters,
      const std::function<bool(std::string_view)>& sink) override {
    const std::string target = target_of(api::path_of(api::Endpoint::export_events), parameters);
    api::Sha256 digest;
    const auto check_in = [&](std::string_view piece) {
      digest.update(piece);
      return sink(piece);
    };
    DOCKET_ASSIGN(const HttpAnswer answer, client_.stream(target, check_in, {}));
    if (answer.status != 200) {
      return fail(error_of(answer.status, answer.body));
    }
    api::ExportSummary summary;
    summary.sha256 = answer.sha256;
    summary.position = answer.position;
    const auto rows = api::parse_number<std::uint64_t>(answer.rows);
    if (!rows || summary.sha256.empty()) {
      return fail(ErrorCode::io, "the server's export came without its row count and digest");
    }
    if (digest.finish() != summary.sha256) {
      return fail(ErrorCode::io, "the export did not arrive as it was sent: its digest differs");
    }
    summary.rows = *rows;
    if (answer.gaps.starts_with('[')) {
      DOCKET_ASSIGN(summary.gaps, read_gaps("{\"gaps\":" + answer.gaps + "}"));
    } else {
      // Too many to list; that there are some must not be lost.
      summary.gaps.push_back({"*", Seq(0), Seq(0), answer.gaps + " gaps; see docket segments"});
    }
    return summary;
  }

  [[nodiscard]] Result<void> follow(const api::Parameters& parameters,
                                    const Follower& follower) override {
    EventStream events(follower);
    for (;;) {
      api::Parameters asked = parameters;
      if (!events.position().empty()) {
        asked.set("after", events.position());
      }
      events.start();
      const auto answer = client_.stream(
          target_of(api::path_of(api::Endpoint::tail), asked),
          [&events](std::string_view piece) { return events.take(piece); }, follower.idle);
      if (events.failure()) {
        return fail(*events.failure());
      }
      if (!answer && answer.error().code == ErrorCode::cancelled) {
        return {};
      }
      const Error error = !answer                 ? answer.error()
                          : answer->status != 200 ? error_of(answer->status, answer->body)
                                                  : ended();
      const bool may_come_back = !answer || answer->status == 200 || answer->status >= 500;
      if (!events.has_begun() || !may_come_back) {
        return fail(error);
      }
      events.lose(error);
      for (auto waited = std::chrono::milliseconds(0); waited < retry_interval;
           waited += idle_interval) {
        if (!follower.idle()) {
          return {};
        }
        std::this_thread::sleep_for(idle_interval);
      }
    }
  }

 private:
  static Error ended() { return {ErrorCode::closed, "the server has ended the stream", 0, 0, 0}; }

  HttpClient client_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_server(const std::string& url, const ServerAccess& access) {
  DOCKET_ASSIGN(ServerUrl parsed, parse_server_url(url));
  return std::make_unique<ServerSource>(std::move(parsed), access);
}

}  // namespace docket::cli
