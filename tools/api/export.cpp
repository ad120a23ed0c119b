#include "tools/api/export.hpp"

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tools/api/digest.hpp"

namespace docket::api {

namespace {

// Large enough that a piece costs one write, small enough that several wait in memory at no price.
constexpr std::size_t piece_bytes = std::size_t{128} << 10;

}  // namespace

Result<Export> Export::open(const Service& service, const Parameters& parameters,
                            const std::atomic<bool>* cancel) {
  DOCKET_TRY(parameters.expect_only({"q", "tz", "format", "raw"}));
  DOCKET_ASSIGN(const bool raw, parameters.flag("raw"));
  const std::string_view format = parameters.find("format").value_or("csv");
  if (format != "csv" && format != "ndjson") {
    return fail(ErrorCode::invalid_argument, "format: must be csv or ndjson");
  }
  if (raw && format != "csv") {
    return fail(ErrorCode::invalid_argument, "raw: goes with format=csv only");
  }
  DOCKET_ASSIGN(Question question, Service::question(parameters, now_ns()));
  DOCKET_ASSIGN(query::Searcher searcher, service.searcher_of_open_files(question.query, cancel));
  Export result(std::move(question), std::move(searcher), std::string(parameters.value("q")));
  result.csv_ = format == "csv";
  result.raw_ = raw;
  return result;
}

std::string_view Export::content_type() const {
  return csv_ ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson";
}

std::string_view Export::file_name() const {
  return csv_ ? "docket-export.csv" : "docket-export.ndjson";
}

Result<ExportSummary> Export::run(const std::function<bool(std::string_view)>& sink) {
  Sha256 digest;
  std::string piece;
  std::uint64_t pending = 0;  // rows in `piece`
  bool stopped = false;
  const auto hand_over = [&] {
    digest.update(piece);
    stopped = !sink(piece);
    rows_ += stopped ? 0 : pending;
    piece.clear();
    pending = 0;
  };
  if (csv_) {
    piece = query::csv_header();
  }
  DOCKET_ASSIGN(gaps_, searcher_.for_each(question_.query, query::Order::oldest_first,
                                          [&](const Event& event) {
                                            if (csv_) {
                                              query::append_csv(piece, event, raw_);
                                            } else {
                                              query::append_json(piece, event);
                                              piece += '\n';
                                            }
                                            ++pending;
                                            if (piece.size() >= piece_bytes) {
                                              hand_over();
                                            }
                                            return !stopped;
                                          }));
  if (!stopped && !piece.empty()) {
    hand_over();
  }
  if (stopped) {
    return fail(ErrorCode::cancelled, "the reader of the export went away");
  }
  ExportSummary summary;
  summary.rows = rows_;
  summary.sha256 = digest.finish();
  summary.gaps = gaps_;
  return summary;
}

ReadRecord Export::record() const {
  return ReadRecord{"export", text_, rows_, gaps_};
}

}  // namespace docket::api
