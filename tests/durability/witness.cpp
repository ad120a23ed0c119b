#include "tests/durability/witness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/assert.hpp"
#include "engine/timestamp.hpp"

namespace docket::testing {
namespace {

const std::string directory = "data";

// Segments of a few batches, so that a short life sees sealing and retirement.
StoreOptions small_segments(StoreObserver* observer) {
  StoreOptions options;
  options.log.segment_bytes = std::uint64_t{96} << 10;
  options.log.segment_rows = 150;
  options.cache_bytes = std::uint64_t{1} << 20;
  options.free_space_floor = 0;
  options.observer = observer;
  return options;
}

// Damage is never found on these disks: what tears or is dropped was not acknowledged.
class NoDamageExpected final : public StoreObserver {
 public:
  void segment_sealed(const std::string&, const std::shared_ptr<const SegmentReader>&,
                      const std::string&) override {}
  void events_visible(const std::string&, Seq) override {}
  void notice(const std::string& log, const std::string& kind, const std::string& detail) override {
    EXPECT_NE(kind, "damage_quarantined") << log << ": " << detail;
  }
};

// What the completions of one sending have said; they may come from several threads.
struct Replies {
  explicit Replies(std::size_t count) : results(count) {}

  void add(std::size_t i, Result<Receipt> result) {
    const std::lock_guard lock(mutex);
    DOCKET_ASSERT(!results[i]);  // a completion is called once
    results[i] = std::move(result);
    ++arrived;
    changed.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex);
    // Far beyond any slowness: a completion that never comes is to fail the test, not to hang it.
    const bool all =
        changed.wait_for(lock, std::chrono::minutes(2), [&] { return arrived == results.size(); });
    DOCKET_ASSERT(all);
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t arrived = 0;
  std::vector<std::optional<Result<Receipt>>> results;
};

// The names of the fields in which two events differ.
std::string differences(const Event& a, const Event& b) {
  std::string names;
  const auto compare = [&names](const char* name, const auto& x, const auto& y) {
    if (!(x == y)) {
      names += std::string(" ") + name;
    }
  };
  compare("log", a.log, b.log);
  compare("seq", a.seq, b.seq);
  compare("node", a.node, b.node);
  compare("ts", a.ts, b.ts);
  compare("actor", a.actor, b.actor);
  compare("verb", a.verb, b.verb);
  compare("target", a.target, b.target);
  compare("related", a.related, b.related);
  compare("affected", a.affected, b.affected);
  compare("ip", a.ip, b.ip);
  compare("outcome", a.outcome, b.outcome);
  compare("reason", a.reason, b.reason);
  compare("session", a.session, b.session);
  compare("request", a.request, b.request);
  compare("payload", a.payload, b.payload);
  return names;
}

// The files of a log; not in the moment in which one is made, as while a segment is prepared.
Result<std::vector<DirectoryEntry>> files_at_rest(Disk& disk, const std::string& log_directory) {
  const auto is_made = [](const DirectoryEntry& entry) { return entry.name.ends_with(".tmp"); };
  for (int wait = 0;; ++wait) {
    auto entries = disk.list(log_directory);
    if (!entries || wait == 5'000 || std::ranges::none_of(*entries, is_made)) {
      return entries;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Nothing is left behind that no snapshot shows and no later start would remove.
void check_files(Disk& disk, Store& store) {
  const auto snapshot = store.snapshot();
  ASSERT_TRUE(snapshot) << snapshot.error().describe();
  for (const LogSnapshot& log : snapshot->logs) {
    const std::string log_directory = directory + "/logs/" + log.log;
    const auto entries = files_at_rest(disk, log_directory);
    ASSERT_TRUE(entries) << entries.error().describe();
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = log_directory + "/" + entry.name;
      EXPECT_FALSE(entry.name.ends_with(".tmp")) << path << " is left over";
      EXPECT_TRUE(!entry.name.ends_with(".seg") ||
                  std::any_of(log.segments.begin(), log.segments.end(),
                              [&](const auto& segment) { return segment->info().path == path; }))
          << path << " is left over";
    }
  }
}

EncodedBatch encode(const std::vector<Event>& events) {
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (const Event& event : events) {
    builder.add(view_of(event, related));
  }
  return builder.finish();
}

}  // namespace

std::string Witness::Stream::tag(std::size_t index) const {
  return log + "/" + node + "/" + std::to_string(epoch) + "/" + std::to_string(index + 1);
}

Witness::Witness(std::uint64_t seed, const WitnessOptions& options)
    : options_(options), random_(seed), events_(seed) {
  for (const std::string& log : options_.logs) {
    for (const char* node : {"node-a", "node-b"}) {
      streams_.push_back({.log = log, .node = node, .batches = {}});
    }
  }
  streams_.push_back({.log = "activity", .node = "import", .numbered = false, .batches = {}});
}

std::uint64_t Witness::acknowledged() const {
  std::uint64_t count = 0;
  for (const Stream& stream : streams_) {
    count += static_cast<std::uint64_t>(
        std::count_if(stream.batches.begin(), stream.batches.end(),
                      [](const Batch& batch) { return batch.acknowledged; }));
  }
  return count;
}

std::uint64_t Witness::refused() const {
  std::uint64_t count = 0;
  for (const Stream& stream : streams_) {
    count += static_cast<std::uint64_t>(
        std::count_if(stream.batches.begin(), stream.batches.end(),
                      [&](const Batch& batch) { return stream.numbered && !batch.acknowledged; }));
  }
  return count;
}

// --- sending -------------------------------------------------------------------------------------

Witness::Batch Witness::make_batch(const Stream& stream, std::size_t index) {
  Batch batch;
  // A numbered batch may be empty: what a sender sends whose events were all rejected.
  const std::uint64_t rows =
      stream.numbered && random_() % 10 == 0 ? 0 : 1 + random_() % options_.rows_max;
  batch.events = events_.take(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    batch.events[row].request = stream.tag(index) + "/" + std::to_string(row);
    if (batch.events[row].payload.size() > 2000) {
      batch.events[row].payload.clear();  // these tests are about many small ones
    }
  }
  return batch;
}

void Witness::send(Store& store, const Sending& sending) {
  const auto replies = std::make_shared<Replies>(sending.size());
  for (std::size_t i = 0; i < sending.size(); ++i) {
    const auto [stream, index] = sending[i];
    const auto log = store.log(stream->log);
    if (!log) {
      // Nothing was sent; the sender sees the same as when it is turned away.
      replies->add(i, fail(ErrorCode::closed, "no log"));
      continue;
    }
    const ProducerStamp stamp{stream->node, stream->epoch, stream->numbered ? index + 1 : 0};
    (*log)->submit(encode(stream->batches[index].events), stamp, now_ns(),
                   [replies, i](Result<Receipt> result) { replies->add(i, std::move(result)); });
  }
  replies->wait();
  for (std::size_t i = 0; i < sending.size(); ++i) {
    const auto [stream, index] = sending[i];
    Batch& batch = stream->batches[index];
    const Result<Receipt>& reply = *replies->results[i];
    if (!reply) {
      stream->waits = true;
      batch.may_be_stored |= reply.error().code == ErrorCode::unknown_outcome;
      continue;
    }
    EXPECT_EQ(reply->rows, batch.events.size()) << stream->tag(index);
    EXPECT_TRUE(!reply->duplicate || batch.may_be_stored)
        << stream->tag(index) << " is said to be a duplicate, but was refused for sure before";
    batch.acknowledged = true;
    batch.first_seq = reply->first_seq;
  }
}

void Witness::send_unacknowledged(Store& store) {
  Sending sending;
  for (Stream& stream : streams_) {
    stream.waits = false;
    if (!stream.numbered) {
      continue;  // cannot be sent again without the risk of storing it twice
    }
    for (std::size_t i = 0; i < stream.batches.size(); ++i) {
      if (!stream.batches[i].acknowledged) {
        sending.emplace_back(&stream, i);
      }
    }
  }
  send(store, sending);
}

void Witness::send_new(Store& store) {
  Sending sending;
  for (std::uint64_t n = 1 + random_() % options_.batches_max; n > 0; --n) {
    Stream& stream = streams_[random_() % streams_.size()];
    if (stream.waits) {
      continue;
    }
    stream.batches.push_back(make_batch(stream, stream.batches.size()));
    sending.emplace_back(&stream, stream.batches.size() - 1);
  }
  send(store, sending);
}

void Witness::retire_oldest(Store& store) {
  const auto policy = [](std::string_view) {
    RetentionPolicy everything;
    everything.max_bytes = 1;
    return everything;
  };
  const auto plans = store.plan_retirement(policy, 0, now_ns());
  if (plans.empty()) {
    return;
  }
  LogState& log = logs_[plans[0].log];
  if (plans[0].first_seq == log.may_be_retired + 1) {
    log.retired = log.may_be_retired;  // the attempt that failed half way has got there
  }
  EXPECT_EQ(plans[0].first_seq.value, log.retired.value + 1) << plans[0].log;
  log.may_be_retired = plans[0].last_seq;
  if (store.retire(plans[0])) {
    log.retired = plans[0].last_seq;
    ++retired_;
  }
}

void Witness::seal(Store& store) {
  if (Log* log = store.find_log(streams_[random_() % streams_.size()].log)) {
    static_cast<void>(log->seal());
  }
}

std::vector<Step> Witness::random_steps(std::size_t count) {
  std::vector<Step> steps(count, Step::send);
  for (Step& step : steps) {
    const std::uint64_t choice = random_() % 8;
    step = choice == 0 ? Step::seal : choice == 1 ? Step::retire : Step::send;
  }
  return steps;
}

void Witness::live(Disk& disk, const std::vector<Step>& steps, const Opener& open) {
  NoDamageExpected observer;
  const auto store = open(disk, directory, small_segments(&observer));
  if (!store) {
    return;
  }
  send_unacknowledged(**store);
  const bool is_hopeful = std::count(steps.begin(), steps.end(), Step::send_again) != 0;
  for (const Step step : steps) {
    if (!is_hopeful &&
        std::all_of(streams_.begin(), streams_.end(), [](const Stream& s) { return s.waits; })) {
      break;
    }
    switch (step) {
      case Step::send:
        send_new(**store);
        break;
      case Step::seal:
        seal(**store);
        break;
      case Step::retire:
        retire_oldest(**store);
        break;
      case Step::send_again:
        send_unacknowledged(**store);
    }
  }
  if (is_hopeful) {
    for (Log* log : (*store)->logs()) {
      // What has failed the first one is not to stand in the way of the second.
      EXPECT_TRUE(log->seal() || log->seal()) << log->name() << " cannot be sealed";
    }
  }
  static_cast<void>((*store)->close());
}

// --- checking ------------------------------------------------------------------------------------

std::map<std::string, Witness::Sent> Witness::all_sent() const {
  std::map<std::string, Sent> all;
  for (const Stream& stream : streams_) {
    for (std::size_t i = 0; i < stream.batches.size(); ++i) {
      all[stream.tag(i)] = {&stream, &stream.batches[i]};
    }
  }
  return all;
}

void Witness::read_log(const LogSnapshot& log, Contents& contents) const {
  const auto all = all_sent();
  EXPECT_TRUE(log.gaps.empty()) << log.log << ": " << log.gaps[0].reason;
  Seq next = log.segments.empty() ? log.last_seq + 1 : log.segments[0]->info().first_seq;
  contents.first[log.log] = next;
  contents.last[log.log] = log.last_seq;
  Event event;
  for (const auto& segment : log.segments) {
    EventReader reader(*segment);
    for (std::uint32_t row = 0; row < segment->info().rows; ++row) {
      const auto got = reader.read(row, event);
      ASSERT_TRUE(got) << log.log << ": " << got.error().describe();
      ASSERT_EQ(event.seq.value, next.value) << log.log << ": seqs are not dense";
      const std::size_t slash = event.request.rfind('/');
      ASSERT_NE(slash, std::string::npos) << log.log << ':' << next.value << " was never sent";
      const std::string tag = event.request.substr(0, slash);
      const std::size_t row_of_batch = std::stoul(event.request.substr(slash + 1));
      const auto original = all.find(tag);
      ASSERT_NE(original, all.end()) << tag << " was never sent";
      const auto [stream, batch] = original->second;
      ASSERT_LT(row_of_batch, batch->events.size()) << tag;
      Event expected = batch->events[row_of_batch];
      expected.log = log.log;
      expected.seq = next;
      expected.received = event.received;
      expected.node = stream->node;
      EXPECT_TRUE(event == expected)
          << event.request << " has changed in" << differences(event, expected);
      Place& place = contents.batches[tag];
      if (row_of_batch == 0) {
        EXPECT_EQ(place.rows, 0U) << tag << " is there twice";
        place.first_seq = next;
      }
      EXPECT_EQ(place.rows, row_of_batch) << tag << " is out of order";
      ++place.rows;
      next += 1;
    }
  }
  EXPECT_EQ(next.value, log.last_seq.value + 1) << log.log << ": events are missing at the end";
}

Witness::Contents Witness::read(Store& store) const {
  Contents contents;
  const auto snapshot = store.snapshot();
  EXPECT_TRUE(snapshot) << snapshot.error().describe();
  if (snapshot) {
    for (const LogSnapshot& log : snapshot->logs) {
      read_log(log, contents);
    }
  }
  return contents;
}

void Witness::check_batch(const Stream& stream, std::size_t index, const Contents& contents) const {
  const Batch& batch = stream.batches[index];
  const std::string tag = stream.tag(index);
  const auto rows = batch.events.size();
  if (rows == 0) {
    return;  // shows itself in the producers' state alone
  }
  const auto first = contents.first.find(stream.log);
  const auto found = contents.batches.find(tag);
  const bool is_there = found != contents.batches.end();
  if (is_there) {
    EXPECT_EQ(found->second.rows, rows) << tag << " is there in part";
    EXPECT_TRUE(batch.acknowledged || batch.may_be_stored)
        << tag << " was refused for sure and is there";
  }
  if (!batch.acknowledged) {
    return;
  }
  ASSERT_NE(first, contents.first.end()) << tag << ": its log is gone";
  const bool is_retired = batch.first_seq < first->second;
  ASSERT_NE(is_there, is_retired) << tag
                                  << (is_there ? " was retired and is back"
                                               : " was acknowledged and is lost");
  if (is_there) {
    EXPECT_EQ(found->second.first_seq.value, batch.first_seq.value) << tag << " has moved";
  } else {
    EXPECT_LE((batch.first_seq + rows).value, first->second.value) << tag << " is retired in part";
  }
}

void Witness::check(Store& store, const Contents& contents) {
  for (const auto& [name, first] : contents.first) {
    LogState& log = logs_[name];
    EXPECT_TRUE(first == log.retired + 1 || first == log.may_be_retired + 1)
        << name << " begins at " << first.value << ", retired up to " << log.retired.value
        << ", perhaps up to " << log.may_be_retired.value;
    log.retired = log.may_be_retired = first - 1;
  }
  for (const Stream& stream : streams_) {
    std::uint64_t last_acknowledged = 0;
    std::uint64_t last_possible = 0;
    for (std::size_t i = 0; i < stream.batches.size(); ++i) {
      check_batch(stream, i, contents);
      last_acknowledged = stream.batches[i].acknowledged ? i + 1 : last_acknowledged;
      last_possible = stream.batches[i].may_be_stored ? i + 1 : last_possible;
    }
    Log* log = store.find_log(stream.log);
    if (log == nullptr || !stream.numbered) {
      continue;
    }
    for (const ProducerState& state : log->producers()) {
      if (state.node == stream.node) {
        EXPECT_GE(state.last_batch, last_acknowledged) << stream.log << ' ' << stream.node;
        EXPECT_LE(state.last_batch, std::max(last_acknowledged, last_possible))
            << stream.log << ' ' << stream.node;
      }
    }
  }
}

void Witness::check_and_settle(Disk& disk) {
  NoDamageExpected observer;
  Contents settled;
  {
    const auto store = Store::open(disk, directory, small_segments(&observer));
    ASSERT_TRUE(store) << store.error().describe();
    const Contents contents = read(**store);
    check(**store, contents);
    for (Stream& stream : streams_) {
      for (std::size_t i = 0; i < stream.batches.size() && !stream.numbered; ++i) {
        Batch& batch = stream.batches[i];
        if (const auto found = contents.batches.find(stream.tag(i));
            !batch.acknowledged && found != contents.batches.end()) {
          batch.acknowledged = true;  // now it is known
          batch.first_seq = found->second.first_seq;
        }
        batch.may_be_stored = false;
      }
    }
    send_unacknowledged(**store);
    for (const Stream& stream : streams_) {
      for (std::size_t i = 0; i < stream.batches.size() && stream.numbered; ++i) {
        EXPECT_TRUE(stream.batches[i].acknowledged) << stream.tag(i) << " is refused for ever";
      }
    }
    settled = read(**store);
    check(**store, settled);
    const auto closed = (*store)->close();
    EXPECT_TRUE(closed) << closed.error().describe();
  }
  const auto store = Store::open(disk, directory, small_segments(&observer));
  ASSERT_TRUE(store) << store.error().describe();
  EXPECT_TRUE(read(**store) == settled) << "not the same after closing and opening again";
  check_files(disk, **store);
}

}  // namespace docket::testing
