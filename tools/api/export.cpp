#include "tools/api/export.hpp"

#include <utility>

#include "engine/timestamp.hpp"
#include "tools/api/digest.hpp"

namespace docket::api {

Result<Export> Export::open(const Service& service, const Parameters& parameters,
                            const std::atomic<bool>* cancel, const Scope& scope) {
  DOCKET_TRY(parameters.expect_only({"q", "tz", "format", "raw", "after"}));
  DOCKET_ASSIGN(const bool raw, parameters.flag("raw"));
  DOCKET_ASSIGN(const EventFormat format,
                parse_event_format(parameters.find("format").value_or("csv")));
  if (raw && format != EventFormat::csv) {
    return fail(ErrorCode::invalid_argument, "raw: goes with format=csv only");
  }
  const auto after = parse_position(parameters.value("after"));
  if (!after) {
    return fail(ErrorCode::invalid_argument,
                "after: must be the position of an earlier export, such as activity:17,api:3");
  }
  DOCKET_ASSIGN(const Question question, Service::question(parameters, now_ns(), scope));
  DOCKET_ASSIGN(OpenSearch search, service.open_search(question, *after, cancel));
  Export result(std::move(search), std::string(parameters.value("q")));
  result.format_ = format;
  result.raw_ = raw;
  return result;
}

std::string_view Export::content_type() const {
  return content_type_of(format_);
}

std::string_view Export::file_name() const {
  return file_name_of(format_);
}

Result<ExportSummary> Export::run(const std::function<bool(std::string_view)>& sink) {
  Sha256 digest;
  bool stopped = false;
  const auto hand_over = [&](std::string_view piece, std::uint64_t events) {
    digest.update(piece);
    stopped = !sink(piece);
    rows_ += stopped ? 0 : events;
    return !stopped;
  };
  std::string heading(heading_of(format_));  // goes with the first piece
  const auto write = [this](std::string& text, const query::StoredView& event) {
    append_record(text, event, format_, raw_);
  };
  DOCKET_ASSIGN(gaps_, search_.searcher.write_all(search_.query, query::Order::oldest_first, write,
                                                  [&](std::string_view text, std::uint64_t events) {
                                                    if (heading.empty()) {
                                                      return hand_over(text, events);
                                                    }
                                                    heading += text;
                                                    return hand_over(std::exchange(heading, {}),
                                                                     events);
                                                  }));
  if (!heading.empty() && !stopped) {
    hand_over(heading, 0);
  }
  if (stopped) {
    return fail(ErrorCode::cancelled, "the reader of the export went away");
  }
  ExportSummary summary;
  summary.rows = rows_;
  summary.sha256 = digest.finish();
  summary.gaps = gaps_;
  summary.position = to_string(search_.reached);
  return summary;
}

ReadRecord Export::record() const {
  return ReadRecord{"export", text_, rows_, gaps_};
}

}  // namespace docket::api
