#include "tools/docketd/system_log.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <utility>

#include "engine/batch.hpp"
#include "engine/out_of_memory.hpp"
#include "engine/timestamp.hpp"
#include "tools/docketd/logger.hpp"
#include "tools/docketd/system_events.hpp"

namespace docket::server {

namespace {

// Far below what a batch may hold, with room for one more event of the largest size.
constexpr std::size_t batch_rows = 1024;
constexpr std::size_t batch_bytes = std::size_t{1} << 20;
constexpr std::chrono::seconds retry_after{1};
// Many questions a second shall not make as many commits.
constexpr std::chrono::milliseconds gathering{10};

Result<void> copy_of(const Result<void>& result) {
  return result ? Result<void>() : fail(told(result.error()));
}

bool is_retryable(ErrorCode code) {
  return code == ErrorCode::no_space || code == ErrorCode::overloaded;
}

}  // namespace

SystemLog::SystemLog(Log& log, std::function<bool()> disk_is_full)
    : log_(log), disk_is_full_(std::move(disk_is_full)), thread_([this] { run(); }) {}

SystemLog::~SystemLog() {
  close();
}

void SystemLog::record(Event event) {
  const std::lock_guard lock(mutex_);
  if (closing_ || queue_.size() >= queue_max) {
    ++dropped_;
    ++untold_;
    return;
  }
  const auto queued = within_memory([&]() -> Result<void> {
    queue_.push_back({std::move(event), nullptr});
    return {};
  });
  if (!queued) {
    ++dropped_;
    ++untold_;
  }
  wake_.notify_one();
}

Result<void> SystemLog::record_durably(std::vector<Event> events) {
  std::vector<Item> items;
  std::vector<std::future<Result<void>>> results;
  for (Event& event : events) {
    auto done = std::make_shared<std::promise<Result<void>>>();
    results.push_back(done->get_future());
    items.push_back({std::move(event), std::move(done)});
  }
  {
    const std::lock_guard lock(mutex_);
    if (closing_) {
      return fail(ErrorCode::closed, "the system's log is closed");
    }
    queue_.insert(queue_.end(), std::move_iterator(items.begin()), std::move_iterator(items.end()));
    urgent_ += items.size();
    wake_.notify_one();
  }
  Result<void> all;
  for (auto& result : results) {
    if (auto each = result.get(); !each && all) {
      all = std::move(each);
    }
  }
  return all;
}

void SystemLog::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::uint64_t SystemLog::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void SystemLog::run() {
  std::vector<Item> items;
  patiently([&items] { items.reserve(batch_rows + 1); });
  std::size_t bytes = 0;  // of the payloads of `items`
  bool closing = false;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return closing_ || !queue_.empty() || !items.empty(); });
      wake_.wait_for(lock, gathering, [&] {
        return closing_ || urgent_ > 0 || queue_.size() >= batch_rows || !items.empty();
      });
      closing = closing_;
      while (!queue_.empty() && items.size() < batch_rows && bytes < batch_bytes) {
        bytes += queue_.front().event.payload.size();
        urgent_ -= queue_.front().done ? 1 : 0;
        items.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      if (untold_ != 0 && queue_.empty()) {
        // Where there is no memory for it, another time.
        static_cast<void>(within_memory([&]() -> Result<void> {
          items.push_back({dropped_event(untold_), nullptr});
          untold_ = 0;
          return {};
        }));
      }
      if (items.empty()) {
        return;
      }
    }
    if (!closing && disk_is_full_()) {
      store_urgent(items);
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, retry_after, [&] { return closing_ || urgent_ > 0; });
      continue;
    }
    const Result<void> stored = within_memory([&] { return store(items); });
    if (!stored && is_retryable(stored.error().code) && !closing) {
      // Whoever waits is told at once and may try again; the others stay.
      std::erase_if(items, [&](const Item& item) {
        if (item.done) {
          item.done->set_value(copy_of(stored));
        }
        return item.done != nullptr;
      });
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, retry_after, [&] { return closing_; });
      continue;
    }
    if (!stored) {
      static_cast<void>(within_memory([&]() -> Result<void> {
        log_line(LogLevel::error, "events of the system's own log are lost",
                 {{"events", std::to_string(items.size())}, {"error", stored.error().describe()}});
        return {};
      }));
      const std::lock_guard lock(mutex_);
      dropped_ += items.size();
    }
    for (const Item& item : items) {
      if (item.done) {
        item.done->set_value(copy_of(stored));
      }
    }
    items.clear();
    bytes = 0;
  }
}

void SystemLog::store_urgent(std::vector<Item>& items) {
  std::vector<Item> urgent;
  const auto take = [&urgent](auto& from) {
    const auto first = std::stable_partition(from.begin(), from.end(),
                                             [](const Item& item) { return item.done == nullptr; });
    std::move(first, from.end(), std::back_inserter(urgent));
    from.erase(first, from.end());
  };
  const auto taken = within_memory([&]() -> Result<void> {
    const std::lock_guard lock(mutex_);
    urgent.reserve(items.size() + queue_.size());
    take(items);
    take(queue_);
    urgent_ = 0;
    return {};
  });
  if (!taken || urgent.empty()) {
    return;  // where there is no memory, another time
  }
  const Result<void> stored = within_memory([&] { return store(urgent); });
  for (const Item& item : urgent) {
    item.done->set_value(copy_of(stored));
  }
}

Result<void> SystemLog::store(const std::vector<Item>& items) {
  const Nanos received = now_ns();
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (const Item& item : items) {
    const EventView event = view_of(item.event, related);
    const EventRules rules{limits::payload_bytes_max};
    if (const auto checked = check_event(event, rules, received, false); !checked) {
      // Our own events keep the rules; one that does not must not take the others with it.
      log_line(LogLevel::error, "an event of the system's own log breaks a rule",
               {{"verb", item.event.verb}, {"error", checked.error().message}});
      continue;
    }
    builder.add(event);
  }
  // Shared with the completion, which may still be inside set_value() when the waiter goes on.
  const auto stored = std::make_shared<std::promise<Result<void>>>();
  auto result = stored->get_future();
  ProducerStamp stamp;
  stamp.node = "docketd";
  log_.submit(builder.finish(), std::move(stamp), received, [stored](Result<Receipt> receipt) {
    if (receipt) {
      stored->set_value({});
    } else {
      stored->set_value(fail(std::move(receipt).error()));
    }
  });
  return result.get();
}

}  // namespace docket::server
