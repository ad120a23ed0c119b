// A data directory, read in this process by the same code that the server answers with.
#include <chrono>
#include <thread>

#include "engine/log.hpp"
#include "index/catalog.hpp"
#include "query/render.hpp"
#include "tools/api/service.hpp"
#include "tools/api/tail.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/source.hpp"
#include "tools/docketd/settings.hpp"

namespace docket::cli {

namespace {

constexpr std::chrono::milliseconds poll_interval{200};

class DirectorySource final : public Source {
 public:
  DirectorySource(std::unique_ptr<Store> store, server::RetentionSettings retention)
      : store_(std::move(store)),
        catalog_(posix_disk(), {.read_only = true}),
        service_(*store_, catalog_,
                 api::ServiceOptions{[retention = std::move(retention)] {
                                       return api::RetentionRules{
                                           [retention](std::string_view log) {
                                             return retention.of(log);
                                           },
                                           retention.free_space_floor};
                                     },
                                     {},
                                     query::WorkerPool::threads_for_all_cores()}) {}

  [[nodiscard]] Result<std::string> get(const std::string& path,
                                        const api::Parameters& parameters) override {
    const api::Route route = api::find_route("GET", path);
    if (route.kind != api::Route::Kind::found) {
      return fail(ErrorCode::not_found, path + " is no path of the API");
    }
    api::Answer answer = service_.get(route, parameters, nullptr);
    if (answer.status != 200) {
      return fail(error_of(answer.status, answer.body));
    }
    return std::move(answer.body);
  }

  [[nodiscard]] Result<api::ExportSummary> export_events(
      const api::Parameters& parameters,
      const std::function<bool(std::string_view)>& sink) override {
    DOCKET_ASSIGN(api::Export exporter, api::Export::open(service_, parameters, nullptr));
    return exporter.run(sink);
  }

  [[nodiscard]] Result<void> follow(const api::Parameters& parameters,
                                    const Follower& follower) override {
    DOCKET_ASSIGN(api::Tail tail, api::Tail::open(service_, parameters, ""));
    bool go_on = true;
    while (go_on) {
      std::string json;
      const auto give = [&](const Event& event) {
        json.clear();
        query::append_json(json, event);
        go_on = go_on && follower.event(json);
      };
      DOCKET_ASSIGN(const bool more, tail.poll(nullptr, give, follower.gap));
      if (go_on) {
        follower.position(tail.position());
      }
      if (go_on && !more) {
        go_on = follower.idle();
        std::this_thread::sleep_for(poll_interval);
      }
    }
    return {};
  }

 private:
  std::unique_ptr<Store> store_;
  index::Catalog catalog_;
  api::Service service_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_directory(const std::string& directory,
                                               const std::string& config) {
  server::Settings settings;
  if (!config.empty()) {
    DOCKET_TRY(server::read_settings_file(config, settings));
  }
  StoreOptions options;
  options.read_only = true;
  // Dictionaries of the segments that an export reads side by side.
  options.cache_bytes = std::uint64_t{128} << 20;
  DOCKET_ASSIGN(auto store, Store::open(posix_disk(), directory, options));
  return std::make_unique<DirectorySource>(std::move(store), std::move(settings.retention));
}

}  // namespace docket::cli
