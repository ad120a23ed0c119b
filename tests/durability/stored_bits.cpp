#include "tests/durability/stored_bits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include "engine/hot_scan.hpp"
#include "engine/log_list.hpp"
#include "engine/store_layout.hpp"
#include "index/catalog.hpp"
#include "query/parser.hpp"
#include "query/searcher.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"
#include "tools/verify/verifier.hpp"

namespace docket::testing {
namespace {

const std::string directory = "data";
const std::string log_name = "activity";
constexpr std::size_t sealed_events = 9000;  // a full block and one more
constexpr std::size_t active_batches = 20;
constexpr std::size_t batch_events = 20;
constexpr std::size_t counts_asked = 2;
constexpr std::uint64_t counts_every = 4;  // of the flips in a sealed segment
constexpr Nanos receipt = 1'800'000'000'000'000'000;

// Builds the index of what is sealed, as the server does.
class Indexing final : public StoreObserver {
 public:
  explicit Indexing(Disk& disk) : catalog_(disk, {}) {}
  void segment_sealed(const std::string&, const std::shared_ptr<const SegmentReader>& segment,
                      const std::string&) override {
    EXPECT_TRUE(catalog_.build(segment));
  }
  void events_visible(const std::string&, Seq) override {}
  void notice(const std::string&, const std::string& kind, const std::string&) override {
    damage_ = damage_ || kind == "damage_quarantined";
  }
  [[nodiscard]] bool damage() const { return damage_; }

 private:
  index::Catalog catalog_;
  std::atomic<bool> damage_ = false;
};

StoreOptions options_of(StoreObserver* observer, bool read_only) {
  StoreOptions options;
  options.free_space_floor = 0;
  options.cache_bytes = std::uint64_t{8} << 20;
  options.read_only = read_only;
  options.observer = observer;
  return options;
}

void send(Log& log, const std::vector<Event>& events) {
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (const Event& event : events) {
    builder.add(view_of(event, related));
  }
  std::promise<bool> done;
  ProducerStamp stamp;
  stamp.node = "node-1";
  log.submit(builder.finish(), stamp, receipt,
             [&done](const Result<Receipt>& stored) { done.set_value(stored.has_value()); });
  ASSERT_TRUE(done.get_future().get());
}

FlipDisk make_store(std::uint64_t seed) {
  SimDisk disk;
  Indexing indexing(disk);
  auto store = Store::open(disk, directory, options_of(&indexing, false)).value();
  Log& log = *store->log(log_name).value();
  RandomEvents events(seed);
  for (int segment = 0; segment < 2; ++segment) {
    for (std::size_t i = 0; i < sealed_events; i += 1000) {
      send(log, events.take(std::min<std::size_t>(1000, sealed_events - i)));
    }
    EXPECT_TRUE(log.seal());
  }
  for (std::size_t i = 0; i < active_batches; ++i) {
    send(log, events.take(batch_events));
  }
  // The segment behind the active one belongs to the store, too.
  const auto is_prepared = [&disk] {
    const auto list = decode_log_list(disk.content(log_list_paths(directory)[1]));
    const ListedLog* const listed = list ? list->find(log_name) : nullptr;
    return listed != nullptr && listed->begun == SegmentId(4);
  };
  while (!is_prepared()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(store->close());
  return FlipDisk(disk);
}

// The values that facets name, as queries; every dimension of the index is asked for.
std::vector<std::string> make_queries(const StoreSnapshot& snapshot, index::Catalog& catalog) {
  std::vector<std::string> queries{"*", "since:2026-05-02 until:2026-05-03", "\"line\""};
  query::Searcher searcher(snapshot, catalog);
  std::vector<query::Field> fields;
  std::vector<std::string> names;
  for (const char* name : {"verb", "actor", "actor.kind", "target", "target.type", "ip", "outcome",
                           "reason", "session", "request", "node"}) {
    names.emplace_back(name);
    fields.push_back(query::parse_facet_field(name).value());
  }
  const auto found = searcher.facets(query::parse("", {}).value(), fields, 20).value();
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const query::FacetValue& value : found.facets[i].values) {
      const std::string text = names[i] + ":\"" + value.value + '"';
      if (value.value.find_first_of("\"\\") == std::string::npos && query::parse(text, {})) {
        queries.push_back(text);
      }
    }
  }
  return queries;
}

bool same(const SegmentInfo& a, const SegmentInfo& b) {
  return a.log == b.log && a.id == b.id && a.first_seq == b.first_seq && a.last_seq == b.last_seq &&
         a.rows == b.rows && a.ts_min == b.ts_min && a.ts_max == b.ts_max &&
         a.received_max == b.received_max && a.digest == b.digest && a.path == b.path;
}

// But for the row it starts with, which the loss of an earlier block moves.
bool same(const BlockInfo& a, const BlockInfo& b) {
  return a.first_seq == b.first_seq && a.rows == b.rows && a.ts_min == b.ts_min &&
         a.ts_max == b.ts_max && a.has_related == b.has_related && a.has_payload == b.has_payload;
}

// Of the store and not of a log.
bool is_of_layout(const std::string& path) {
  return path == directory + "/DOCKET" || path.starts_with(directory + "/loglist.");
}

bool is_prepared(const std::string& path) {
  return path.ends_with(".next");
}

bool is_in(const std::vector<Gap>& gaps, Seq first, Seq last) {
  return std::ranges::any_of(
      gaps, [&](const Gap& gap) { return gap.first_seq <= first && gap.last_seq >= last; });
}

}  // namespace

StoredBits::StoredBits(std::uint64_t seed) : disk_(make_store(seed)), files_(disk_.sizes()) {
  files_.erase(lock_path(directory));
  auto store = Store::open(disk_, directory, options_of(nullptr, true)).value();
  shape_ = shape_of(*store).value();
  index::Catalog catalog(disk_, {.read_only = true});
  const StoreSnapshot snapshot = store->snapshot().value();
  queries_ = make_queries(snapshot, catalog);
  query::Searcher searcher(snapshot, catalog);
  const auto gaps = searcher.for_each(query::parse("", {}).value(), query::Order::oldest_first,
                                      [this](const Event& event) {
                                        events_.emplace(event.seq, event);
                                        return true;
                                      });
  EXPECT_TRUE(gaps && gaps->empty());
  for (const std::string& text : queries_) {
    counts_[text] = searcher.count(query::parse(text, {}).value()).value().count;
  }
  for (const SegmentInfo& info : shape_.sealed) {
    segments_.push_back(std::make_unique<SegmentQuestions>(disk_, info, queries_));
  }
  EXPECT_EQ(segments_.size(), 2U);
  EXPECT_EQ(shape_.hot.size(), 1U);
  hot_path_ = shape_.hot.front().first.path;
  const auto file = disk_.open(hot_path_, OpenMode::read).value();
  const auto scan =
      scan_hot_segment(*file, log_name, shape_.hot.front().first.id,
                       FileOffset(segment_header_bytes), shape_.hot.front().first.first_seq, Seq(0),
                       [this](const BlockHeader& header, const BlockSender&) {
                         mark_at_ = header.is_mark() ? header.offset.value : 0;
                       });
  EXPECT_TRUE(scan && mark_at_ != 0) << "a store that was closed ends with a mark";
}

Result<StoredBits::Shape> StoredBits::shape_of(Store& store) {
  DOCKET_ASSIGN(const StoreSnapshot snapshot, store.snapshot());
  Shape shape;
  for (const LogSnapshot& log : snapshot.logs) {
    shape.gaps = log.gaps;
    shape.last_seq = log.last_seq;
    for (const auto& segment : log.segments) {
      if (segment->info().sealed) {
        shape.sealed.push_back(segment->info());
      } else {
        DOCKET_ASSIGN(const auto blocks, segment->blocks());
        shape.hot.emplace_back(segment->info(),
                               std::vector<BlockInfo>(blocks.begin(), blocks.end()));
      }
    }
  }
  return shape;
}

bool StoredBits::is_exempt(const std::string& path, std::uint64_t bit) const {
  return (path == hot_path_ && bit / 8 >= mark_at_) ||
         (is_prepared(path) && bit / 8 >= segment_header_bytes);
}

std::uint64_t StoredBits::exempt_bits() const {
  std::uint64_t bytes = files_.at(hot_path_) - mark_at_;
  for (const auto& [path, size] : files_) {
    bytes += is_prepared(path) ? size - segment_header_bytes : 0;
  }
  return bytes * 8;
}

bool StoredBits::finds(const std::vector<verify::Damage>& damage, const std::string& path) const {
  return std::ranges::any_of(damage, [&](const verify::Damage& each) { return each.path == path; });
}

std::string StoredBits::try_flip(const std::string& path, std::uint64_t bit,
                                 const Thoroughness& thoroughness) {
  ++flips_;
  disk_.flip(path, bit);
  std::string wrong;
  if (path.ends_with(".seg") || path.ends_with(".idx")) {
    bool found = false;
    wrong = look_at_sealed(path, bit, found);
    if (wrong.empty() && !found) {
      wrong = "verify does not find it";
    }
  } else {
    wrong = look_at_rest(path, bit);
    if (wrong.empty() && thoroughness.recover) {
      wrong = recover(path);
    }
  }
  if (wrong.empty() && thoroughness.everything) {
    wrong = compare_everything(path, !is_exempt(path, bit));
  }
  disk_.flip(path, bit);
  return wrong;
}

std::string StoredBits::look_at_sealed(const std::string& path, std::uint64_t bit, bool& found) {
  for (const auto& questions : segments_) {
    if (path != questions->info().path && path != verify::index_path(questions->info())) {
      continue;
    }
    const std::size_t counts =
        path.ends_with(".idx") || flips_ % counts_every == 0 ? counts_asked : 0;
    // What a question to the segment tells, verify tells: it asks the same.
    const std::string wrong = questions->ask_again(path, bit / 8, counts, flips_, found);
    if (path.ends_with(".idx")) {
      found = finds(verify::check_index_file(disk_, questions->info()), path);
    } else if (!found) {
      std::vector<Gap> lost;
      found = finds(verify::check_log_files(disk_, directory, log_name, lost), path);
    }
    return wrong;
  }
  return "it is the file of no segment";
}

std::string StoredBits::look_at_rest(const std::string& path, std::uint64_t bit) {
  const bool is_marker = path == directory + "/DOCKET";
  std::vector<Gap> lost;
  if (!finds(is_of_layout(path) ? verify::check_layout(disk_, directory, {"docket", {}})
                                : verify::check_log_files(disk_, directory, log_name, lost),
             path) &&
      !is_exempt(path, bit)) {
    const auto marked = check_store_marker(disk_, directory);
    if (!is_marker || marked || marked.error().code != ErrorCode::newer_format) {
      return "verify does not find it";
    }
  }
  const auto store = Store::open(disk_, directory, options_of(nullptr, true));
  if (!store) {
    // A digit of the marker's format, flipped, is another format: refused in one line.
    return is_marker && store.error().code == ErrorCode::newer_format
               ? ""
               : "it cannot be opened: " + store.error().describe();
  }
  const auto shape = shape_of(**store);
  if (!shape) {
    return "it cannot be looked at: " + shape.error().describe();
  }
  std::string wrong = compare_shape(*shape);
  if (wrong.empty() && shape->gaps.empty() && path == hot_path_) {
    wrong = compare_events(**store);
  }
  return wrong;
}

std::string StoredBits::compare_shape(const Shape& now) const {
  if (!std::ranges::equal(now.sealed, shape_.sealed,
                          [](const auto& a, const auto& b) { return same(a, b); })) {
    return "other sealed segments";
  }
  if (now.last_seq != shape_.last_seq) {
    return "it ends at another seq";
  }
  std::vector<BlockInfo> rest;
  for (const auto& [info, blocks] : now.hot) {
    rest.insert(rest.end(), blocks.begin(), blocks.end());
  }
  auto next = rest.begin();
  for (const BlockInfo& block : shape_.hot.front().second) {
    const bool is_lost = is_in(now.gaps, block.first_seq, block.first_seq + (block.rows - 1));
    const bool is_there = next != rest.end() && same(*next, block);
    if (is_lost == is_there) {
      return "block at seq " + std::to_string(block.first_seq.value) +
             (is_there ? " is there and called missing" : " is missing in silence");
    }
    next += is_there ? 1 : 0;
  }
  return next == rest.end() ? "" : "a block that was never written";
}

std::string StoredBits::recover(const std::string& path) {
  FlipDisk copy(disk_);
  {
    Indexing indexing(copy);
    const auto store = Store::open(copy, directory, options_of(&indexing, false));
    if (!store) {
      return path == directory + "/DOCKET" ? "" : "recovery: " + store.error().describe();
    }
    const std::string wrong = compare_events(**store);
    if (!wrong.empty()) {
      return "recovery: " + wrong;
    }
    const StoreSnapshot snapshot = (*store)->snapshot().value();
    if (!snapshot.logs.front().gaps.empty() && !indexing.damage()) {
      return "recovery: no notice of the damage";
    }
    if (const auto closed = (*store)->close(); !closed) {
      return "recovery: it cannot be closed: " + closed.error().describe();
    }
  }
  const auto store = Store::open(copy, directory, options_of(nullptr, true));
  const std::string wrong = store ? compare_events(**store) : store.error().describe();
  return wrong.empty() ? "" : "after recovery: " + wrong;
}

// Of the active segment, by whatever segments hold them now.
std::string StoredBits::compare_events(Store& store) const {
  const auto snapshot = store.snapshot();
  if (!snapshot) {
    return snapshot.error().describe();
  }
  const Seq first = shape_.hot.front().first.first_seq;
  std::vector<Gap> gaps = snapshot->logs.front().gaps;
  std::size_t found = 0;
  for (const auto& segment : snapshot->logs.front().segments) {
    if (segment->info().last_seq < first) {
      continue;
    }
    EventReader reader(*segment);
    Event event;
    for (std::uint32_t row = 0; row < segment->info().rows; ++row) {
      if (const auto read = reader.read(row, event); !read) {
        return "row " + std::to_string(row) + ": " + read.error().describe();
      }
      const auto expected = events_.find(event.seq);
      if (expected == events_.end() || expected->second != event ||
          is_in(gaps, event.seq, event.seq)) {
        return "event " + std::to_string(event.seq.value) + " is another";
      }
      ++found;
    }
  }
  for (auto each = events_.lower_bound(first); each != events_.end(); ++each) {
    found += is_in(gaps, each->first, each->first) ? 1 : 0;
  }
  return found == shape_.last_seq - first + 1 ? "" : "events are missing in silence";
}

std::string StoredBits::compare_everything(const std::string& path, bool is_found) {
  const auto store = Store::open(disk_, directory, options_of(nullptr, true));
  if (!store) {
    return "";  // looked at before
  }
  const StoreSnapshot snapshot = (*store)->snapshot().value();
  index::Catalog catalog(disk_, {.read_only = true});
  std::string wrong;
  Seq next = events_.begin()->first;  // in the order of seq, what is not seen must be in a gap
  query::Searcher searcher(snapshot, catalog);
  std::vector<Seq> seen;
  const auto gaps = searcher.for_each(
      query::parse("", {}).value(), query::Order::oldest_first, [&](const Event& event) {
        const auto expected = events_.find(event.seq);
        if (expected == events_.end() || expected->second != event) {
          wrong = "another event " + std::to_string(event.seq.value);
        }
        seen.push_back(event.seq);
        return true;
      });
  std::ranges::sort(seen);
  seen.push_back(shape_.last_seq + 1);
  for (const Seq seq : seen) {
    if (seq < next) {
      wrong = "event " + std::to_string(seq.value) + " comes twice";
    } else if (seq > next && !is_in(*gaps, next, seq - 1)) {
      wrong = "event " + std::to_string(next.value) + " is missing in silence";
    }
    next = seq + 1;
  }
  for (const std::string& text : queries_) {
    query::Searcher asked(snapshot, catalog);
    const auto counted = asked.count(query::parse(text, {}).value());
    if (!counted || (counted->gaps.empty() && counted->count != counts_.at(text))) {
      wrong = "another count of " + text;
    }
  }
  verify::Verifier verifier(
      disk_, [&](const SegmentInfo& info) { return verify::is_retired(**store, info); }, &catalog);
  for (const LogSnapshot& log : snapshot.logs) {
    verifier.check_log(directory, log);
    for (const auto& segment : log.segments) {
      verifier.check_segment(segment);
    }
  }
  if (wrong.empty() && is_found && !is_of_layout(path) &&
      !finds(verifier.findings().damage, path)) {
    wrong = "a whole verification does not find it";
  }
  return wrong;
}

}  // namespace docket::testing
