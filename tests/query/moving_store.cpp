#include "tests/query/moving_store.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <utility>

#include "engine/batch.hpp"
#include "engine/timestamp.hpp"

namespace docket::query::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::array logs = {"activity", "authentication"};
constexpr std::uint64_t batch_rows_max = 40;
constexpr std::size_t under_way_max = 4;

StoreOptions options(std::size_t events) {
  StoreOptions options;
  options.log.sync = false;
  options.log.segment_rows = events / 6;
  options.free_space_floor = 0;
  return options;
}

}  // namespace

MovingStore::MovingStore(std::uint64_t seed, std::size_t events)
    : store_(Store::open(posix_disk(), directory_.path(), options(events)).value()),
      catalog_(posix_disk(), {}),
      random_(seed),
      random_events_(seed),
      events_(events),
      writer_([this] { write(); }),
      maintenance_([this] { maintain(); }) {
  std::unique_lock lock(mutex_);
  more_.wait(lock, [this] {
    std::size_t stored = 0;
    for (const auto& [log, known] : known_) {
      stored += known.events.size();
    }
    return stored >= events_ / 2;
  });
  stored_enough_ = true;  // from now on not faster than somebody can ask
}

MovingStore::~MovingStore() {
  stopping_ = true;
  writer_.join();
  maintenance_.join();
  static_cast<void>(store_->close());
}

void MovingStore::write() {
  while (!stopping_) {
    send(logs[random_() % logs.size()]);
    std::this_thread::sleep_for(stored_enough_ ? 20ms : 1ms);
  }
}

void MovingStore::send(const std::string& log) {
  {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [this] { return under_way_ < under_way_max; });
    ++under_way_;
  }
  auto events =
      std::make_shared<std::vector<Event>>(random_events_.take(1 + random_() % batch_rows_max));
  const Nanos received = now_ns();
  ProducerStamp stamp;
  stamp.node = "node";
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (Event& event : *events) {
    event.log = log;
    event.node = stamp.node;
    event.received = received;
    builder.add(view_of(event, related));
  }
  store_->log(log).value()->submit(builder.finish(), stamp, received,
                                   [this, log, events](const Result<Receipt>& receipt) {
                                     const std::lock_guard lock(mutex_);
                                     --under_way_;
                                     more_.notify_all();
                                     if (!receipt) {
                                       // On a busy machine sealing may be behind: then nothing of
                                       // the batch is stored, and nothing is looked for.
                                       if (receipt.error().code == ErrorCode::overloaded) {
                                         return;
                                       }
                                       ADD_FAILURE() << receipt.error().describe();
                                       return;
                                     }
                                     Known& known = known_[log];
                                     Seq seq = receipt->first_seq;
                                     EXPECT_EQ(seq.value, known.first_seq + known.events.size());
                                     for (Event& event : *events) {
                                       event.seq = seq;
                                       seq = seq + 1;
                                       known.events.push_back(std::move(event));
                                     }
                                   });
}

void MovingStore::maintain() {
  for (int turn = 0; !stopping_; ++turn) {
    std::this_thread::sleep_for(20ms);
    // Long before it is full: what is sealed is small, and merged.
    if (turn % 8 == 0) {
      if (Log* const log =
              store_->find_log(logs[static_cast<std::size_t>(turn / 8) % logs.size()])) {
        EXPECT_TRUE(log->seal());
        ++sealed_;
      }
    }
    retire();
  }
}

void MovingStore::retire() {
  std::uint64_t bytes = 0;
  std::uint64_t stored = 0;
  for (const Log* log : store_->logs()) {
    const LogStats stats = log->stats();
    bytes += stats.bytes;
    stored += stats.events;
  }
  if (stored <= events_) {
    return;
  }
  // As many bytes as the wanted number of events takes.
  const std::uint64_t wanted = bytes * events_ / stored / logs.size();
  const auto plans = store_->plan_retirement(
      [wanted](std::string_view) { return RetentionPolicy{std::nullopt, wanted}; }, 0, now_ns());
  for (const RetirementPlan& plan : plans) {
    EXPECT_TRUE(store_->retire(plan));
    ++retired_;
  }
}

MovingStore::Look MovingStore::look() {
  Look look{store_->snapshot().value(), {}};
  std::unique_lock lock(mutex_);
  for (const LogSnapshot& log : look.snapshot.logs) {
    if (log.segments.empty()) {
      continue;
    }
    Known& known = known_[log.log];
    // What is visible is durable, but its sender may not have heard of it yet.
    more_.wait(lock, [&] { return known.first_seq + known.events.size() > log.last_seq.value; });
    const std::uint64_t first = log.segments.front()->info().first_seq.value;
    // Nobody looks at less than what has been looked at.
    while (known.first_seq < first) {
      known.events.pop_front();
      ++known.first_seq;
    }
    const std::uint64_t count = log.last_seq.value + 1 - first;
    look.events.insert(look.events.end(), known.events.begin(),
                       known.events.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return look;
}

}  // namespace docket::query::testing
