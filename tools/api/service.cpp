#include "tools/api/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/timestamp.hpp"
#include "query/parser.hpp"
#include "tools/api/openapi.hpp"

namespace docket::api {

Service::Service(Store& store, index::Catalog& catalog, ServiceOptions options)
    : store_(store), catalog_(catalog), options_(std::move(options)), workers_(options_.helpers) {}

Result<Question> Service::question(const Parameters& parameters, Nanos now, const Scope& scope) {
  Question question;
  if (const auto zone = parameters.find("tz")) {
    DOCKET_ASSIGN(question.zone, query::TimeZone::find(*zone));
  }
  query::ParseContext context;
  context.now = now;
  context.zone = question.zone;
  DOCKET_ASSIGN(question.query, query::parse(parameters.value("q"), context));
  return scope.narrow(std::move(question), now_ns());
}

Result<StoreSnapshot> Service::snapshot_for(const Question& question) const {
  DOCKET_ASSIGN(StoreSnapshot snapshot, store_.snapshot());
  // As every read adds to `docket`, a cursor that knew of it would never be the same.
  std::erase_if(snapshot.logs,
                [&question](const LogSnapshot& log) { return !question.covers(log.log); });
  return snapshot;
}

Result<query::Searcher> Service::searcher(const Question& question,
                                          const std::atomic<bool>* cancel) const {
  DOCKET_ASSIGN(StoreSnapshot snapshot, snapshot_for(question));
  return query::Searcher(std::move(snapshot), catalog_, cancel, &workers_);
}

Result<OpenSearch> Service::open_search(const Question& question, const Position& seen,
                                        const std::atomic<bool>* cancel) const {
  for (int look = 1;; ++look) {
    DOCKET_ASSIGN(StoreSnapshot snapshot, snapshot_for(question));
    Position reached;
    for (const LogSnapshot& log : snapshot.logs) {
      reached[log.log] = log.last_seq.value;
    }
    DOCKET_TRY(check_reached(seen, reached, "after"));
    Since part = since(std::move(snapshot), question.query, seen);
    query::Searcher view(std::move(part.snapshot), catalog_, cancel, &workers_);
    if (view.open_files(part.query) || look == looks_max) {
      return OpenSearch{std::move(part.query), std::move(view), std::move(reached)};
    }
  }
}

Answer Service::get(const Route& route, const Parameters& parameters,
                    const std::atomic<bool>* cancel, const Scope& scope) const {
  auto answer = [&]() -> Result<Answer> {
    switch (route.endpoint) {
      case Endpoint::search:
        return search(parameters, cancel, scope);
      case Endpoint::count:
        return count(parameters, cancel, scope);
      case Endpoint::facets:
        return facets(parameters, cancel, scope);
      case Endpoint::histogram:
        return histogram(parameters, cancel, scope);
      case Endpoint::explain:
        return explain(parameters, cancel, scope);
      case Endpoint::event:
        return event(route, parameters, cancel, scope);
      case Endpoint::logs:
        return logs(parameters);
      case Endpoint::segments:
        return segments(parameters);
      case Endpoint::stats:
        return stats(parameters);
      case Endpoint::nodes:
        return nodes(parameters);
      case Endpoint::retention:
        return retention(parameters);
      case Endpoint::openapi: {
        DOCKET_TRY(parameters.expect_only({}));
        Answer description;
        description.body = openapi_text();
        return description;
      }
      case Endpoint::healthz:
      case Endpoint::readyz:
      case Endpoint::metrics:
      case Endpoint::post_events:
      case Endpoint::post_otlp:
      case Endpoint::export_events:
      case Endpoint::tail:
        break;
    }
    return fail(ErrorCode::not_found, "this is answered by a running server only");
  }();
  return answer ? std::move(*answer) : problem(answer.error());
}

}  // namespace docket::api
