// The store of the process that owns the directory.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/event.hpp"
#include "engine/limits.hpp"
#include "engine/log.hpp"
#include "engine/log_list.hpp"
#include "engine/out_of_memory.hpp"
#include "engine/read_only_store.hpp"
#include "engine/retention.hpp"
#include "engine/section_cache.hpp"
#include "engine/store_layout.hpp"
#include "engine/thread_priority.hpp"
#include "engine/writable_log.hpp"

namespace docket {

namespace {

// After a failed sealing (disk full, say) the next attempt waits this long.
constexpr auto seal_retry = std::chrono::milliseconds(500);
// What waits to be sealed at a clean stop is sealed for this long; the rest is left to the next
// start, which has to scan it.
constexpr auto stop_patience = std::chrono::seconds(20);

// What retention frees is first written down in the system's own log. Held to the senders' floor, a
// disk that has fallen below it could not be helped by retention any more.
constexpr std::string_view system_log = "docket";
constexpr std::uint64_t system_floor_divisor = 4;

class WritableStore : public Store {
 public:
  WritableStore(Disk& disk, std::string directory, const StoreOptions& options)
      : disk_(disk),
        directory_(std::move(directory)),
        options_(options),
        cache_(options.cache_bytes) {}

  ~WritableStore() override { static_cast<void>(close()); }

  Result<void> start() {
    DOCKET_TRY(disk_.make_directories(directory_));
    DOCKET_TRY(check_holds_nothing_else(disk_, directory_));
    DOCKET_ASSIGN(lock_, disk_.lock(lock_path(directory_)));
    DOCKET_TRY(make_store(disk_, directory_));
    DOCKET_TRY(load_list());
    DOCKET_ASSIGN(const auto entries, disk_.list(logs_directory(directory_)));
    for (const DirectoryEntry& entry : entries) {
      if (entry.is_directory && is_log_name(entry.name)) {
        DOCKET_TRY(open_log(entry.name));
      }
    }
    const std::vector<ListedLog> known = list_.logs;
    for (const ListedLog& listed : known) {
      // Its directory is gone. It comes back without events, with a gap in their place.
      if (!logs_.contains(listed.log)) {
        DOCKET_TRY(open_log(listed.log));
      }
    }
    DOCKET_TRY(complete_list());
    maintenance_ = std::thread([this] { run_maintenance(); });
    return {};
  }

  Result<Log*> log(std::string_view name) override {
    const std::lock_guard lock(logs_mutex_);
    if (const auto found = logs_.find(name); found != logs_.end()) {
      return found->second.get();
    }
    if (!is_log_name(name)) {
      return fail(ErrorCode::invalid_argument,
                  "log: must be a lower-case letter and up to 31 of a-z, 0-9, _ and -");
    }
    if (closed_) {
      return fail(ErrorCode::closed, "the store is shutting down");
    }
    if (logs_.size() >= limits::logs_max) {
      return fail(ErrorCode::overloaded,
                  fmt::format("log: there are {} logs already", limits::logs_max));
    }
    return open_log(std::string(name));
  }

  [[nodiscard]] Log* find_log(std::string_view name) const override {
    const std::lock_guard lock(logs_mutex_);
    const auto found = logs_.find(name);
    return found == logs_.end() ? nullptr : found->second.get();
  }

  [[nodiscard]] std::vector<Log*> logs() const override {
    const std::lock_guard lock(logs_mutex_);
    std::vector<Log*> all;
    for (const auto& [name, log] : logs_) {
      all.push_back(log.get());
    }
    return all;
  }

  [[nodiscard]] Result<StoreSnapshot> snapshot() override {
    StoreSnapshot snapshot;
    for (const Log* log : logs()) {
      snapshot.logs.push_back(log->snapshot());
    }
    return snapshot;
  }

  [[nodiscard]] std::vector<RetirementPlan> plan_retirement(
      const std::function<RetentionPolicy(std::string_view log)>& policy,
      std::uint64_t free_floor_bytes, Nanos now) override {
    std::vector<RetentionCandidate> candidates;
    for (const auto& [log, raw] : writable_logs()) {
      const auto sealed = raw->sealed();
      auto files = sealed_file_bytes(disk_, log_directory(directory_, log));
      for (const auto& segment : sealed) {
        const SegmentInfo& info = segment->info();
        candidates.push_back({log, info, files[info.id].bytes});
      }
    }
    std::uint64_t free_now = UINT64_MAX;
    if (free_floor_bytes != 0) {
      if (const auto free = disk_.free_bytes(directory_)) {
        free_now = *free;
      }
    }
    return plan_retirements(candidates, policy, free_now, free_floor_bytes, now);
  }

  [[nodiscard]] Result<void> retire(std::span<const RetirementPlan> plans) override {
    if (plans.empty()) {
      return {};
    }
    WritableLog* log = nullptr;
    {
      const std::lock_guard lock(logs_mutex_);
      const auto found = logs_.find(plans.front().log);
      if (found == logs_.end()) {
        return fail(ErrorCode::not_found, "there is no log " + plans.front().log);
      }
      log = found->second.get();
    }
    DOCKET_TRY(log->retire(plans));
    for (const RetirementPlan& plan : plans) {
      if (options_.observer == nullptr) {
        break;
      }
      // It is done, whether or not there is memory to tell of it.
      static_cast<void>(within_memory([&]() -> Result<void> {
        options_.observer->notice(
            plan.log, "segment_retired",
            fmt::format("segment {}, seqs {} to {}, {} bytes: {}", plan.segment.value,
                        plan.first_seq.value, plan.last_seq.value, plan.bytes, plan.reason));
        return {};
      }));
    }
    return {};
  }

  [[nodiscard]] Result<void> close() override {
    {
      const std::lock_guard lock(logs_mutex_);
      if (closed_) {
        return {};
      }
      closed_ = true;
    }
    // No log comes any more. Not a copy of them, which would take memory: this ends the store for
    // whoever could not be opened for want of it, too.
    for (const auto& [name, log] : logs_) {
      log->stop(true);
    }
    {
      const std::lock_guard lock(maintenance_mutex_);
      stopping_ = true;
      sealing_ends_ = std::chrono::steady_clock::now() + stop_patience;
    }
    maintenance_changed_.notify_all();
    const bool has_started = maintenance_.joinable();
    if (has_started) {
      maintenance_.join();
    }
    for (const auto& [name, log] : logs_) {
      log->end_sealing();
    }
    if (has_started) {
      // If a log is lost from here on, it is known how much was. Without it, more is named.
      static_cast<void>(within_memory([this] { return complete_list(); }));
    }
    lock_.reset();
    return {};
  }

  [[nodiscard]] const std::string& directory() const override { return directory_; }

 private:
  // logs_mutex_ is held, or nobody else knows the store yet.
  Result<Log*> open_log(const std::string& name) {
    const std::uint64_t floor = name == system_log
                                    ? options_.free_space_floor / system_floor_divisor
                                    : options_.free_space_floor;
    LogContext context{&disk_,
                       &cache_,
                       options_.observer,
                       [this] { wake_maintenance(); },
                       floor,
                       [this](const ListedLog& listed) { return remember(listed); }};
    std::optional<ListedLog> listed;
    {
      const std::lock_guard lock(list_mutex_);
      if (const ListedLog* const found = list_.find(name)) {
        listed = *found;
      }
    }
    DOCKET_ASSIGN(auto log, WritableLog::open(context, name, log_directory(directory_, name),
                                              options_.log, listed ? &*listed : nullptr));
    Log* const raw = log.get();
    logs_.emplace(name, std::move(log));
    wake_maintenance();
    return raw;
  }

  // Where the list is lost, what the logs say of themselves is all that is left.
  Result<void> load_list() {
    std::vector<std::string> damaged;
    auto loaded = load_log_list(disk_, directory_, damaged);
    if (!loaded && loaded.error().code != ErrorCode::not_found &&
        loaded.error().code != ErrorCode::corrupt) {
      return fail(loaded.error());
    }
    if (loaded) {
      list_ = std::move(loaded->value);
    }
    is_list_whole_ = loaded && loaded->is_in_both_copies;
    for (const std::string& path : damaged) {
      notice("damage_quarantined", path + ": the list of logs is damaged");
    }
    if (!loaded) {
      notice("damage_quarantined", directory_ +
                                       ": no list of logs was readable; made anew from those that "
                                       "are there");
    }
    return {};
  }

  // Writes the list where it is not whole, or not what the logs say. On a full disk it stays as it
  // is; no log gives a seq that it does not know of.
  Result<void> complete_list() {
    const std::lock_guard lock(list_mutex_);
    LogList list = list_;
    for (const auto& [name, log] : logs_) {
      const auto listed = log->listed();
      const bool is_new = listed && list.find(name) == nullptr;
      if (listed && (!is_new || listed->reserved > listed->oldest || listed->begun.value != 0)) {
        list.put(*listed);
      }
    }
    if (is_list_whole_ && list.logs == list_.logs) {
      return {};
    }
    const auto saved = save_list(std::move(list));
    return saved || saved.error().code == ErrorCode::no_space ? Result<void>() : saved;
  }

  // Called by the logs' threads.
  Result<void> remember(const ListedLog& listed) {
    const std::lock_guard lock(list_mutex_);
    LogList list = list_;
    list.put(listed);
    return save_list(std::move(list));
  }

  // list_mutex_ is held.
  Result<void> save_list(LogList list) {
    is_list_whole_ = false;
    DOCKET_TRY(save_log_list(disk_, directory_, list));
    list_ = std::move(list);
    is_list_whole_ = true;
    return {};
  }

  void notice(const std::string& kind, const std::string& detail) const {
    if (options_.observer != nullptr) {
      options_.observer->notice("", kind, detail);
    }
  }

  [[nodiscard]] std::vector<std::pair<std::string, WritableLog*>> writable_logs() const {
    const std::lock_guard lock(logs_mutex_);
    std::vector<std::pair<std::string, WritableLog*>> all;
    for (const auto& [name, log] : logs_) {
      all.emplace_back(name, log.get());
    }
    return all;
  }

  void wake_maintenance() {
    {
      const std::lock_guard lock(maintenance_mutex_);
      work_ = true;
    }
    maintenance_changed_.notify_all();
  }

  void run_maintenance() {
    lower_thread_priority(background_niceness);
    bool retry = false;
    for (;;) {
      bool stopping = false;
      {
        std::unique_lock lock(maintenance_mutex_);
        const auto ready = [this] { return work_ || stopping_; };
        if (retry) {
          maintenance_changed_.wait_for(lock, seal_retry, ready);
        } else {
          maintenance_changed_.wait(lock, ready);
        }
        work_ = false;
        stopping = stopping_;
      }
      // What there is no memory for now is tried again as what fails otherwise.
      const auto sound = within_memory([this]() -> Result<bool> {
        const bool sealed = seal_all();
        for (const auto& [name, log] : writable_logs()) {
          log->merge_small_blocks();
        }
        return sealed;
      });
      retry = !sound || !*sound;
      if (stopping) {
        return;  // what could not be sealed is recovered and sealed at the next start
      }
    }
  }

  [[nodiscard]] bool sealing_ends() {
    const std::lock_guard lock(maintenance_mutex_);
    return sealing_ends_ && std::chrono::steady_clock::now() >= *sealing_ends_;
  }

  // Seals whatever is frozen, first of the log that has most of it: its senders are the next to be
  // held up. False: something is left to try again.
  bool seal_all() {
    bool sound = true;
    std::vector<const WritableLog*> tried;  // since something failed: each other log has one turn
    for (;;) {
      WritableLog* behind = nullptr;
      std::size_t most = 0;
      for (const auto& [name, log] : writable_logs()) {
        log->prepare_ahead();  // before what takes long: whoever commits must not wait for it
        const std::size_t waiting = log->frozen_count();
        if (waiting > most && std::ranges::find(tried, log) == tried.end()) {
          behind = log;
          most = waiting;
        }
      }
      if (behind == nullptr || sealing_ends()) {
        return sound;
      }
      sound = behind->seal_oldest().has_value() && sound;
      if (!sound) {
        tried.push_back(behind);
      }
    }
  }

  Disk& disk_;
  const std::string directory_;
  const StoreOptions options_;
  SectionCache cache_;  // outlives the logs
  std::unique_ptr<DirectoryLock> lock_;

  mutable std::mutex logs_mutex_;
  std::map<std::string, std::unique_ptr<WritableLog>, std::less<>> logs_;
  bool closed_ = false;

  std::mutex list_mutex_;  // never taken while holding a log's manifest
  LogList list_;
  bool is_list_whole_ = false;  // both copies say what list_ says

  std::mutex maintenance_mutex_;
  std::condition_variable maintenance_changed_;
  bool work_ = false;
  bool stopping_ = false;
  std::optional<std::chrono::steady_clock::time_point> sealing_ends_;
  std::thread maintenance_;
};

}  // namespace

Result<std::unique_ptr<Store>> Store::open(Disk& disk, const std::string& directory,
                                           const StoreOptions& options) {
  if (options.read_only) {
    return open_read_only_store(disk, directory, options);
  }
  auto store = std::make_unique<WritableStore>(disk, directory, options);
  DOCKET_TRY(store->start());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace docket
