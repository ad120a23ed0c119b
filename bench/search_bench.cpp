// How long the questions of BARS take inside the process, over a store on disk.
//
//   DOCKET_BENCH_EVENTS  how many events (1,000,000)
//   DOCKET_BENCH_DIR     where the store is; made when it is not there, else used as it is. Without
//                        it a temporary one is made and removed.
//   DOCKET_BENCH_HELPERS how many threads help to search payloads (one for each core but one)
//
// The events are docket-load's over 90 days; logs are sealed and indexed before the first question.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "engine/batch.hpp"
#include "engine/log.hpp"
#include "engine/timestamp.hpp"
#include "index/catalog.hpp"
#include "query/parser.hpp"
#include "query/render.hpp"
#include "query/searcher.hpp"
#include "query/worker_pool.hpp"
#include "tools/load/generator.hpp"

namespace {

using namespace docket;

constexpr Nanos day = 86'400LL * 1'000'000'000;

template <typename T>
T require(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "search_bench: {}\n", result.error().describe());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

std::string setting(const char* name, const std::string& otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

class BenchStore {
 public:
  BenchStore() {
    events_ = std::stoull(setting("DOCKET_BENCH_EVENTS", "1000000"));
    directory_ = setting("DOCKET_BENCH_DIR", "");
    if (directory_.empty()) {
      directory_ = (std::filesystem::temp_directory_path() / "docket-search-bench").string();
      std::filesystem::remove_all(directory_);
      temporary_ = true;
    }
    if (!std::filesystem::exists(directory_)) {
      fill();
    }
    StoreOptions options;
    options.read_only = true;
    store_ = require(Store::open(posix_disk(), directory_, options));
    workers_ = std::make_unique<query::WorkerPool>(static_cast<std::size_t>(std::stoull(setting(
        "DOCKET_BENCH_HELPERS", std::to_string(query::WorkerPool::threads_for_all_cores())))));
    catalog_ = std::make_unique<index::Catalog>(posix_disk(), index::CatalogOptions{});
    snapshot_ = require(store_->snapshot());
    for (const LogSnapshot& log : snapshot_.logs) {
      for (const auto& segment : log.segments) {
        static_cast<void>(require(catalog_->of(segment)));
      }
    }
    choose_actors();
  }
  ~BenchStore() {
    store_.reset();
    if (temporary_) {
      std::filesystem::remove_all(directory_);
    }
  }
  BenchStore(const BenchStore&) = delete;
  BenchStore& operator=(const BenchStore&) = delete;

  [[nodiscard]] query::Searcher searcher() {
    return query::Searcher(snapshot_, *catalog_, nullptr, workers_.get());
  }
  [[nodiscard]] query::Query query(const std::string& text) const {
    return require(query::parse(text, query::ParseContext{end, query::TimeZone::utc()}));
  }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] const std::string& busy_actor() const { return busy_actor_; }
  [[nodiscard]] const std::string& rare_actor() const { return rare_actor_; }
  [[nodiscard]] const std::string& target() const { return target_; }

  static constexpr Nanos end = 1'777'593'600'000'000'000;  // 2026-05-01

 private:
  void fill() {
    load::GeneratorOptions options;
    options.events = events_;
    options.end = end;
    const load::Generator generator(options);
    StoreOptions store_options;
    store_options.log.sync = false;
    const auto store = require(Store::open(posix_disk(), directory_, store_options));
    std::map<std::string, BatchBuilder, std::less<>> builders;
    std::atomic<std::uint64_t> waiting{0};
    const auto submit = [&](std::string_view log, BatchBuilder& builder) {
      while (waiting.load() > 32) {
        std::this_thread::yield();
      }
      ++waiting;
      require(store->log(log))
          ->submit(builder.finish(), ProducerStamp{"bench", 0, 0}, end, [&](Result<Receipt> done) {
            static_cast<void>(require(std::move(done)));
            --waiting;
          });
    };
    load::GeneratedEvent event;
    for (std::uint64_t i = 0; i < events_; ++i) {
      generator.make(i, event);
      auto builder = builders.find(event.log());
      if (builder == builders.end()) {
        builder = builders.emplace(std::string(event.log()), BatchBuilder()).first;
      }
      builder->second.add(event.event);
      if (builder->second.full()) {
        submit(builder->first, builder->second);
      }
    }
    for (auto& [log, builder] : builders) {
      submit(log, builder);
    }
    while (waiting.load() > 0) {
      std::this_thread::yield();
    }
    for (Log* log : store->logs()) {
      require(log->seal());
    }
    require(store->close());
  }

  // An actor with a thousandth of the events, one with few, and a target with some.
  void choose_actors() {
    const auto facets = require(searcher().facets(query(""), {query::Field::actor}, 100'000));
    for (const query::FacetValue& value : facets.facets[0].values) {
      if (value.count >= events_ / 1000) {
        busy_actor_ = value.value;
      }
      if (value.count >= 22) {
        rare_actor_ = value.value;
      }
    }
    const auto targets = require(searcher().facets(query(""), {query::Field::target}, 20'000));
    for (const query::FacetValue& value : targets.facets[0].values) {
      if (value.count >= 50) {
        target_ = value.value;
      }
    }
    fmt::print(stderr, "actors {} and {}, target {}\n", busy_actor_, rare_actor_, target_);
  }

  std::uint64_t events_ = 0;
  std::string directory_;
  bool temporary_ = false;
  std::unique_ptr<Store> store_;
  std::unique_ptr<index::Catalog> catalog_;
  StoreSnapshot snapshot_;
  std::unique_ptr<query::WorkerPool> workers_;
  std::string busy_actor_, rare_actor_, target_;
};

std::unique_ptr<BenchStore> store;

void page(benchmark::State& state, const std::string& text, bool oldest = false) {
  const query::Query query = store->query(text);
  query::PageRequest request;
  request.order = oldest ? query::Order::oldest_first : query::Order::newest_first;
  std::size_t events = 0;
  for (auto _ : state) {
    events = require(store->searcher().search(query, request)).events.size();
  }
  state.counters["events"] = static_cast<double>(events);
}

void count(benchmark::State& state, const std::string& text) {
  const query::Query query = store->query(text);
  std::uint64_t events = 0;
  for (auto _ : state) {
    events = require(store->searcher().count(query)).count;
  }
  state.counters["events"] = static_cast<double>(events);
}

void facets(benchmark::State& state, const std::string& text, std::vector<query::Field> fields) {
  const query::Query query = store->query(text);
  std::uint64_t events = 0;
  for (auto _ : state) {
    events = require(store->searcher().facets(query, fields, 10)).count;
  }
  state.counters["events"] = static_cast<double>(events);
}

void histogram(benchmark::State& state, const std::string& text) {
  const query::Query query = store->query(text);
  std::size_t buckets = 0;
  for (auto _ : state) {
    buckets = require(store->searcher().histogram(query, query::BucketWidth{1, 'h'},
                                                  query::TimeZone::utc(), std::nullopt))
                  .buckets.size();
  }
  state.counters["buckets"] = static_cast<double>(buckets);
}

void csv(benchmark::State& state, const std::string& text) {
  const query::Query query = store->query(text);
  std::size_t rows = 0;
  for (auto _ : state) {
    rows = 0;
    std::string out;
    static_cast<void>(require(
        store->searcher().for_each(query, query::Order::oldest_first, [&](const Event& event) {
          query::append_csv(out, event, false);
          ++rows;
          if (out.size() > (1U << 20)) {
            out.clear();
          }
          return true;
        })));
  }
  state.counters["rows"] = static_cast<double>(rows);
  state.SetItemsProcessed(static_cast<std::int64_t>(rows) * state.iterations());
}

void add(const char* name, std::function<void(benchmark::State&)> run) {
  benchmark::RegisterBenchmark(name, std::move(run))->Unit(benchmark::kMicrosecond);
}

void add_all() {
  using query::Field;
  add("Q1/newest_50", [](auto& s) { page(s, ""); });
  add("Q2/newest_50_of_actor", [](auto& s) { page(s, "actor:" + store->busy_actor()); });
  add("Q3/count_actor_verb_type_7d", [](auto& s) {
    count(s, "actor:" + store->busy_actor() + " verb:EDIT target.type:Contact since:7d");
  });
  add("Q4/newest_50_of_verb_type_24h",
      [](auto& s) { page(s, "verb:DELETE target.type:Contact since:24h"); });
  add("Q5/count_by_verb_7d", [](auto& s) { facets(s, "since:7d", {Field::verb}); });
  add("Q5/count_by_verb_90d", [](auto& s) { facets(s, "", {Field::verb}); });
  add("Q6/history_of_target", [](auto& s) { page(s, "target:" + store->target(), true); });
  add("Q7/rare_actor", [](auto& s) { page(s, "actor:" + store->rare_actor()); });
  add("Q8/csv_of_a_verb", [](auto& s) { csv(s, "verb:EDIT"); });
  add("Q9/count_phrase_24h", [](auto& s) { count(s, "payload:\"hourly_limit\" since:24h"); });
  add("Q9/count_phrase_all", [](auto& s) { count(s, "payload:\"hourly_limit\""); });
  add("Q10/hourly_of_a_verb_7d", [](auto& s) { histogram(s, "verb:OPENED since:7d"); });
  add("count/all", [](auto& s) { count(s, ""); });
  add("count/verb", [](auto& s) { count(s, "verb:OPENED"); });
  add("count/verb_type", [](auto& s) { count(s, "verb:OPENED target.type:Contact"); });
  add("count/not_address_range", [](auto& s) { count(s, "-ip:10.0.0.0/8 outcome:failure"); });
  add("count/word", [](auto& s) { count(s, "newsletter"); });
  add("count/word_in_payloads", [](auto& s) { count(s, "payload:newsletter"); });
  add("count/changed", [](auto& s) { count(s, "changed:hourly_limit"); });
  add("count/new_value", [](auto& s) { count(s, "new:500"); });
  add("facets/six_of_all", [](auto& s) {
    facets(s, "",
           {Field::verb, Field::actor, Field::target_type, Field::ip, Field::outcome, Field::log});
  });
  add("facets/six_of_a_verb", [](auto& s) {
    facets(s, "verb:EDIT",
           {Field::verb, Field::actor, Field::target_type, Field::ip, Field::outcome, Field::log});
  });
  add("facets/target_of_all", [](auto& s) { facets(s, "", {Field::target}); });
}

}  // namespace

int main(int argc, char** argv) {
  store = std::make_unique<BenchStore>();
  add_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  store.reset();
  return 0;
}
