// A running server, asked over HTTP.
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

class ServerSource final : public Source {
 public:
  explicit ServerSource(ServerUrl url) : client_(std::move(url)) {}

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
    DOCKET_ASSIGN(const HttpAnswer answer, client_.stream(target, sink, {}));
    if (answer.status != 200) {
      return fail(error_of(answer.status, answer.body));
    }
    api::ExportSummary summary;
    summary.sha256 = answer.sha256;
    const auto rows = api::parse_number<std::uint64_t>(answer.rows);
    if (!rows || summary.sha256.empty()) {
      return fail(ErrorCode::io, "the server's export came without its row count and digest");
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
                                    const std::function<bool(std::string_view)>& sink,
                                    const std::function<bool()>& idle) override {
    const std::string target = target_of(api::path_of(api::Endpoint::tail), parameters);
    std::string line;
    const auto take = [&](std::string_view piece) {
      static constexpr std::string_view data = "data: ";
      for (std::size_t end = piece.find('\n'); end != std::string_view::npos;
           end = piece.find('\n')) {
        line += piece.substr(0, end);
        piece.remove_prefix(end + 1);
        if (line.starts_with(data) && !sink(std::string_view(line).substr(data.size()))) {
          return false;
        }
        line.clear();
      }
      line += piece;
      return idle();
    };
    const auto answer = client_.stream(target, take, idle);
    if (!answer) {
      return answer.error().code == ErrorCode::cancelled ? Result<void>()
                                                         : Result<void>(fail(answer.error()));
    }
    if (answer->status != 200) {
      return fail(error_of(answer->status, answer->body));
    }
    return fail(ErrorCode::closed, "the server has ended the stream");
  }

 private:
  HttpClient client_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_server(const std::string& url) {
  DOCKET_ASSIGN(ServerUrl parsed, parse_server_url(url));
  return std::make_unique<ServerSource>(std::move(parsed));
}

}  // namespace docket::cli
