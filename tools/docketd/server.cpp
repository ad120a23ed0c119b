#include "tools/docketd/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "engine/log.hpp"
#include "engine/timestamp.hpp"
#include "index/catalog.hpp"
#include "ingest/server.hpp"
#include "tools/api/service.hpp"
#include "tools/docketd/access.hpp"
#include "tools/docketd/certificates.hpp"
#include "tools/docketd/descriptors.hpp"
#include "tools/docketd/http_server.hpp"
#include "tools/docketd/logger.hpp"
#include "tools/docketd/metrics.hpp"
#include "tools/docketd/rejections.hpp"
#include "tools/docketd/retention.hpp"
#include "tools/docketd/scrub.hpp"
#include "tools/docketd/store_watch.hpp"
#include "tools/docketd/system_events.hpp"
#include "tools/docketd/system_log.hpp"
#include "tools/version.hpp"

namespace docket::server {

namespace {

constexpr std::uint32_t ingest_stop_ms = 10'000;
constexpr std::uint32_t http_stop_ms = 5'000;

// The rules in effect. Thread-safe.
class Redaction {
 public:
  explicit Redaction(const ingest::RedactionRules& rules) { change(rules); }
  void change(const ingest::RedactionRules& rules) {
    auto made = rules.is_empty() ? nullptr : std::make_shared<const ingest::Redactor>(rules);
    const std::scoped_lock lock(mutex_);
    current_ = std::move(made);
  }
  [[nodiscard]] std::shared_ptr<const ingest::Redactor> current() const {
    const std::scoped_lock lock(mutex_);
    return current_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ingest::Redactor> current_;
};

// Of ADDRESS:PORT.
std::string host_of(const std::string& peer) {
  const auto address = parse_address(peer);
  return address ? address->host : peer;
}

class RunningServer final : public Server {
 public:
  explicit RunningServer(const Settings& settings)
      : settings_(settings),
        catalog_(posix_disk(), {.read_only = false, .memory_bytes = settings.limits.index_bytes}),
        watch_(catalog_) {}

  ~RunningServer() override { static_cast<void>(stop("destroyed")); }

  Result<void> open() {
    StoreOptions options;
    options.log = settings_.segment;
    options.cache_bytes = settings_.limits.cache_bytes;
    options.free_space_floor = settings_.limits.free_space_reserve;
    options.observer = &watch_;
    DOCKET_ASSIGN(store_, Store::open(posix_disk(), settings_.data, options));
    for (const std::string_view name : preloaded_logs) {
      DOCKET_TRY(store_->log(name));
    }
    DOCKET_ASSIGN(Log * system, store_->log(system_log_name));
    system_log_ = std::make_unique<SystemLog>(*system, [this] { return is_full(); });
    watch_.send_events_to([this](Event event) { system_log_->record(std::move(event)); });
    retention_ = std::make_unique<Retention>(
        *store_, settings_.retention, [this](std::vector<Event> events) {
          return system_log_->record_durably(std::move(events));
        });
    scrub_ = std::make_unique<Scrub>(
        posix_disk(), *store_, settings_.scrub_period, [this](const verify::Damage& damage) {
          watch_.notice(damage.log, damage.is_unread ? "scrub_failed" : "damage_found",
                        damage.is_unread ? fmt::format("{}: {}", damage.path, damage.what)
                                         : fmt::format("{}, offset {}: {}", damage.path,
                                                       damage.offset, damage.what));
        });
    service_ = std::make_unique<api::Service>(
        *store_, catalog_,
        api::ServiceOptions{[this] { return retention_rules(); }, [this] { return facts(); },
                            query::WorkerPool::threads_for_all_cores(),
                            [this] { return ingest_->senders().all(); },
                            [this] { return sender_rules(); }});
    DOCKET_TRY(listen());
    system_log_->record(started_event(settings_, ingest_address().text(), http_address().text()));
    log_line(LogLevel::info, "started",
             {{"version", std::string(version)},
              {"data", settings_.data},
              {"ingest", ingest_address().text()},
              {"http", http_address().text()}});
    if (!settings_.socket.empty()) {
      log_line(LogLevel::info, "events are taken on a socket, too", {{"path", settings_.socket}});
    }
    return {};
  }

  [[nodiscard]] Address ingest_address() const override {
    return {settings_.ingest.host, ingest_->port()};
  }
  [[nodiscard]] Address http_address() const override {
    return {settings_.http.host, http_->port()};
  }

  [[nodiscard]] bool is_well() const override { return health().status == 200; }

  void reload(const Settings& settings) override {
    Settings taken = settings_;
    taken.retention = settings.retention;
    taken.scrub_period = settings.scrub_period;
    taken.senders = settings.senders;
    taken.log_level = settings.log_level;
    taken.tokens = settings.tokens;
    taken.redaction = settings.redaction;
    if (settings_.tls.is_on() && settings.tls.is_on()) {
      taken.tls = settings.tls;
    }
    // The addresses that are listened on may be other ones than those of the file.
    auto checked = check_settings(taken);
    if (checked && !settings_.tokens.empty() && taken.tokens.empty()) {
      checked = fail(ErrorCode::invalid_argument,
                     "token: the file has none any more; to ask nobody for one takes a restart");
    }
    if (checked) {
      checked = certificates_.read(taken.tls);
    }
    if (!checked) {
      reload_failed(checked.error());
      return;
    }
    const auto changes = settings_changes(settings_, taken);
    for (const SettingChange& change : settings_changes(taken, settings)) {
      log_line(LogLevel::warning, "a changed setting takes a restart",
               {{"setting", change.name}, {"value", change.after}});
    }
    settings_.retention = taken.retention;
    settings_.scrub_period = taken.scrub_period;
    settings_.senders = taken.senders;
    silent_after_ = taken.senders.silent_after;
    gone_after_ = taken.senders.gone_after;
    settings_.log_level = taken.log_level;
    settings_.tokens = taken.tokens;
    settings_.redaction = taken.redaction;
    redaction_.change(settings_.redaction);
    settings_.tls = taken.tls;
    access_.change(settings_.tokens);
    set_log_level(settings_.log_level);
    retention_->change(settings_.retention);
    scrub_->change(settings_.scrub_period);
    for (const SettingChange& change : changes) {
      log_line(LogLevel::info, "setting changed",
               {{"setting", change.name}, {"before", change.before}, {"after", change.after}});
    }
    log_line(LogLevel::info, "configuration reloaded",
             {{"changes", std::to_string(changes.size())}});
    system_log_->record(reloaded_event(changes));
  }

  void reload_failed(const Error& error) override {
    log_line(LogLevel::error, "the configuration is unchanged, as the file is faulty",
             {{"error", error.message}});
    system_log_->record(reload_failed_event(error.message));
  }

  Result<void> stop(std::string_view cause) override {
    if (stopped_) {
      return {};
    }
    stopped_ = true;
    stopping_ = true;
    if (ingest_) {
      ingest_->stop(ingest_stop_ms);
    }
    if (http_) {
      http_->stop(http_stop_ms);
    }
    if (retention_) {
      retention_->stop();
    }
    if (scrub_) {
      scrub_->stop();
    }
    watch_.send_events_to({});
    if (system_log_) {
      rejections_.flush();
      denials_.flush();
      if (http_) {  // Otherwise it has never been started.
        system_log_->record(stopped_event(cause));
      }
      system_log_->close();
    }
    return store_ ? store_->close() : Result<void>();
  }

 private:
  Result<void> listen() {
    DOCKET_TRY(certificates_.read(settings_.tls));
    ingest::ServerOptions options;
    options.address = settings_.ingest.host;
    options.port = settings_.ingest.port;
    options.socket = settings_.socket;
    options.socket_mode = settings_.socket_mode;
    options.rules.payload_bytes_max = settings_.limits.payload_bytes;
    options.memory_bytes = settings_.limits.ingest_bytes;
    options.authenticate = [this](const ingest::Credentials& shown, const std::string& peer) {
      return rights_of(access_, shown, peer);
    };
    options.tls = [this] { return certificates_.current(); };
    options.redactor = [this] { return redaction_.current(); };
    options.connections_max = senders_within(raise_descriptor_limit(), settings_.limits);
    if (options.connections_max < settings_.limits.ingest_connections) {
      log_line(LogLevel::warning, "the limit of open files allows fewer senders than configured",
               {{"senders", std::to_string(options.connections_max)},
                {"configured", std::to_string(settings_.limits.ingest_connections)}});
    }
    DOCKET_ASSIGN(ingest_,
                  ingest::Server::start(*store_, options,
                                        [this](const std::string& node, const std::string& peer,
                                               const std::string& reason) {
                                          rejections_.observe(node, peer, reason, now_ns());
                                        }));
    HttpParts parts{
        *service_,
        options.rules,
        http_metrics_,
        access_,
        [this](const api::ReadRecord& read, const std::string& token, const std::string& peer,
               std::string_view failure) {
          system_log_->record(read_event(read, token, peer, failure));
          watch_.gaps_met(read.gaps);
        },
        [this] { return health(); },
        [this] { return readiness(); },
        [this] { return metrics(); },
        watch_.visible(),
        [this] { return certificates_.current(); },
        [this](const std::string& node, const std::string& peer, ingest::SenderWay way,
               const Result<ingest::RequestOutcome>& outcome) {
          ingest_->senders().heard(node, host_of(peer), way, now_ns());
          count_post(way, outcome);
        },
        [this] { return redaction_.current(); },
        [this](const std::string& node, const std::string& peer, const std::string& reason) {
          rejections_.observe(node, peer, reason, now_ns());
        }};
    DOCKET_ASSIGN(http_, HttpServer::start(settings_.http, settings_.limits, std::move(parts)));
    return {};
  }

  // What was posted under an idempotency key and is stored already counts as a duplicate alone.
  void count_post(ingest::SenderWay way, const Result<ingest::RequestOutcome>& outcome) {
    if (outcome && outcome->duplicate) {
      ++http_metrics_.duplicate_posts;
    } else if (outcome) {
      ingest_->intake().accepted(way, outcome->accepted);
      for (const ingest::RejectedEvent& event : outcome->rejected) {
        ingest_->intake().rejected(way, event.error);
      }
    }
  }

  [[nodiscard]] api::RetentionRules retention_rules() const {
    RetentionSettings settings = retention_->settings();
    const std::uint64_t floor = settings.free_space_floor;
    return {[settings = std::move(settings)](std::string_view log) { return settings.of(log); },
            floor};
  }

  [[nodiscard]] api::SenderRules sender_rules() const { return {silent_after_, gone_after_}; }

  // The member "server" of the statistics.
  [[nodiscard]] std::string facts() const {
    std::uint64_t commits = 0;
    std::uint64_t batches = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t queued_bytes = 0;
    for (const Log* log : store_->logs()) {
      const LogStats stats = log->stats();
      commits += stats.commits;
      batches += stats.batches;
      duplicates += stats.duplicates;
      queued_bytes += stats.queued_bytes;
    }
    return fmt::format(
        "{{\"version\":\"{}\",\"started\":\"{}\",\"commits\":{},\"batches\":{},\"duplicates\":{},"
        "\"queued_bytes\":{},\"senders\":{},\"ingest\":\"{}\"}}",
        version, format_rfc3339(started_), commits, batches, duplicates, queued_bytes,
        ingest_->stats().connections, ingest_address().text());
  }

  // Alive: a restart would not help. A log that failed recovers by nothing else.
  [[nodiscard]] api::Answer health() const {
    for (const Log* log : store_->logs()) {
      if (log->stats().failed) {
        return api::problem(503, "log_failed", "A log has failed",
                            fmt::format("log {} refuses events until a restart", log->name()));
      }
    }
    api::Answer answer;
    answer.body = "{\"status\":\"ok\"}";
    return answer;
  }

  // Ready: events are taken.
  [[nodiscard]] api::Answer readiness() const {
    if (stopping_) {
      return api::problem(503, "stopping", "The server is shutting down",
                          "it takes no more events");
    }
    if (is_full()) {
      return api::problem(503, "no_space", "The disk is full",
                          "free space is under limits.free_space_reserve: senders are refused");
    }
    return health();
  }

  [[nodiscard]] bool is_full() const { return free_bytes() < settings_.limits.free_space_reserve; }

  [[nodiscard]] std::uint64_t free_bytes() const {
    return posix_disk().free_bytes(settings_.data).value_or(0);
  }

  [[nodiscard]] std::string metrics() const {
    return metrics_text({*store_, catalog_, *ingest_, http_metrics_, *system_log_, *retention_,
                         *scrub_, watch_, sender_rules(), access_, free_bytes(),
                         settings_.limits.free_space_reserve, readiness().status == 200, started_});
  }

  // reload() changes members that no other thread reads.
  Settings settings_;
  const Nanos started_ = now_ns();
  std::atomic<bool> stopping_{false};
  // Of settings_.senders, for all threads.
  std::atomic<Nanos> silent_after_{settings_.senders.silent_after};
  std::atomic<Nanos> gone_after_{settings_.senders.gone_after};
  bool stopped_ = false;

  // In the order in which they depend on one another; destroyed from the last to the first.
  index::Catalog catalog_;
  StoreWatch watch_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<SystemLog> system_log_;
  Rejections rejections_{[this](Event event) { system_log_->record(std::move(event)); },
                         rejected_event};
  Rejections denials_{[this](Event event) { system_log_->record(std::move(event)); }, denied_event};
  Certificates certificates_;
  Redaction redaction_{settings_.redaction};
  Access access_{settings_.tokens, [this](const std::string& who, const std::string& peer,
                                          const std::string& reason) {
                   denials_.observe(who, peer, reason, now_ns());
                 }};
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<Scrub> scrub_;
  std::unique_ptr<api::Service> service_;
  HttpMetrics http_metrics_;
  std::unique_ptr<ingest::Server> ingest_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const Settings& settings) {
  auto server = std::make_unique<RunningServer>(settings);
  DOCKET_TRY(server->open());
  return server;
}

}  // namespace docket::server
