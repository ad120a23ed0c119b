// The API's operations over one store. The server answers HTTP with it and the inspector a
// directory, so the same question gets the same bytes both ways.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/log.hpp"
#include "index/catalog.hpp"
#include "query/expression.hpp"
#include "query/searcher.hpp"
#include "query/worker_pool.hpp"
#include "tools/api/answer.hpp"
#include "tools/api/position.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/scope.hpp"
#include "tools/api/sender_rows.hpp"
#include "tools/api/url.hpp"

namespace docket::api {

// What each log may keep.
struct RetentionRules {
  std::function<RetentionPolicy(std::string_view log)> policy;
  std::uint64_t free_space_floor = 0;
};

struct ServiceOptions {
  // Asked anew for each request, as a reload may change the rules. Must be thread-safe.
  std::function<RetentionRules()> retention;
  // Facts about the running server, a JSON object for the member "server" of the statistics; empty
  // where a directory is read.
  std::function<std::string()> server_facts;
  // Threads that help all questions together to search payloads.
  std::size_t helpers = 0;
  // What has been seen of senders, and the rules in effect; empty where a directory is read: then
  // nobody knows who is connected. Must be thread-safe.
  std::function<std::vector<ingest::SenderFacts>()> senders = {};
  std::function<SenderRules()> sender_rules = {};
};

struct OpenSearch {
  query::Query query;  // to be asked in place of the one given
  query::Searcher searcher;
  Position reached;  // how far the logs go that the query covers
};

// Thread-safe. The store and the catalog must outlive it.
class Service {
 public:
  Service(Store& store, index::Catalog& catalog, ServiceOptions options);

  // Answers a GET of a route that was found and is neither a stream, nor about the process
  // (healthz, readyz, metrics). Runs the query on the calling thread. `cancel` may be null. What
  // tells of events tells of those in `scope` alone; what tells of the store itself tells all.
  [[nodiscard]] Answer get(const Route& route, const Parameters& parameters,
                           const std::atomic<bool>* cancel, const Scope& scope = {}) const;

  // Reads `q` and `tz`. `now` is what relative times mean; those of `scope` mean the present.
  [[nodiscard]] static Result<Question> question(const Parameters& parameters, Nanos now,
                                                 const Scope& scope);
  // One view of the logs that the question covers; valid as long as `cancel` and this.
  [[nodiscard]] Result<query::Searcher> searcher(const Question& question,
                                                 const std::atomic<bool>* cancel) const;
  // The same for what lies beyond `seen` alone, with every file that it may read open: for answers
  // that cannot be begun anew. Error: invalid_argument where a log ends before what was seen of it.
  [[nodiscard]] Result<OpenSearch> open_search(const Question& question, const Position& seen,
                                               const std::atomic<bool>* cancel) const;

  [[nodiscard]] Store& store() const { return store_; }
  [[nodiscard]] index::Catalog& catalog() const { return catalog_; }

 private:
  // One view of the logs that the question covers.
  [[nodiscard]] Result<StoreSnapshot> snapshot_for(const Question& question) const;
  // The server whose directory is read may retire a segment between our look and our question: then
  // we look again. So often, before the answer is given with the gap.
  static constexpr int looks_max = 8;
  // `ask(searcher)` of one view of the logs that `question` covers.
  template <typename Ask>
  [[nodiscard]] auto ask(const Question& question, const std::atomic<bool>* cancel,
                         const Ask& ask_it) const
      -> decltype(ask_it(std::declval<query::Searcher&>())) {
    for (int look = 1;; ++look) {
      DOCKET_ASSIGN(query::Searcher view, searcher(question, cancel));
      auto answer = ask_it(view);
      if (view.counters().files_gone == 0 || look == looks_max) {
        return answer;
      }
    }
  }

  [[nodiscard]] Result<Answer> search(const Parameters& parameters, const std::atomic<bool>* cancel,
                                      const Scope& scope) const;
  [[nodiscard]] Result<Answer> count(const Parameters& parameters, const std::atomic<bool>* cancel,
                                     const Scope& scope) const;
  [[nodiscard]] Result<Answer> facets(const Parameters& parameters, const std::atomic<bool>* cancel,
                                      const Scope& scope) const;
  [[nodiscard]] Result<Answer> histogram(const Parameters& parameters,
                                         const std::atomic<bool>* cancel, const Scope& scope) const;
  [[nodiscard]] Result<Answer> explain(const Parameters& parameters,
                                       const std::atomic<bool>* cancel, const Scope& scope) const;
  [[nodiscard]] Result<Answer> event(const Route& route, const Parameters& parameters,
                                     const std::atomic<bool>* cancel, const Scope& scope) const;
  [[nodiscard]] Result<Answer> logs(const Parameters& parameters) const;
  [[nodiscard]] Result<Answer> segments(const Parameters& parameters) const;
  [[nodiscard]] Result<Answer> stats(const Parameters& parameters) const;
  [[nodiscard]] Result<Answer> nodes(const Parameters& parameters) const;
  [[nodiscard]] Result<Answer> retention(const Parameters& parameters) const;

  Store& store_;
  index::Catalog& catalog_;
  ServiceOptions options_;
  mutable query::WorkerPool workers_;
};

// What facets are taken by where nothing is asked.
inline constexpr std::string_view facet_fields_default =
    "verb,actor,target.type,target,ip,outcome,log";
inline constexpr std::uint32_t facet_top_default = 10;
inline constexpr std::uint32_t facet_top_max = 10'000;
inline constexpr std::uint32_t search_limit_default = 50;
// A page ends early, with its cursor, once its text has this size.
inline constexpr std::size_t page_bytes_max = std::size_t{8} << 20;

}  // namespace docket::api
