// Stores and hot segments for the tests of the engine.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/hot_segment.hpp"
#include "engine/log.hpp"
#include "engine/segment_base.hpp"
#include "tests/engine/batches.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::testing {

// Small cache, no floor of free space, everything else as users have it.
[[nodiscard]] StoreOptions store_options(StoreObserver* observer = nullptr);

// Opens it or fails the test.
[[nodiscard]] std::unique_ptr<Store> open_store(Disk& disk,
                                                const StoreOptions& options = store_options(),
                                                const std::string& directory = "data");
// The log of that name; it must be possible.
Log& log_of(Store& store, const std::string& name = "activity");

// Submits and waits for the answer.
[[nodiscard]] Result<Receipt> submit(Log& log, EncodedBatch batch,
                                     const ProducerStamp& stamp = {"node-1", 0, 0},
                                     Nanos received = receipt_time);
// Sends events unnumbered; fails the test when they are not stored. The first one's seq.
Seq store_events(Log& log, const std::vector<Event>& events, Nanos received = receipt_time);

// Seals the active segment and waits until its hot file has been put away, too, which comes after.
void seal_fully(Log& log, const SimDisk& disk);

// Waits until the segment after the active one is prepared and the store's threads are at rest, so
// that the next call of the disk is one of whoever tests.
void wait_until_prepared(const Log& log, const SimDisk& disk, const std::string& store = "data");

// Every event that can be read, with everything set; what cannot be read fails the test.
[[nodiscard]] std::vector<Event> read_all(const SegmentReader& segment);
[[nodiscard]] std::vector<Event> read_all(const LogSnapshot& log);
// `events` as they come back when stored from `first` on.
[[nodiscard]] std::vector<Event> as_stored(std::vector<Event> events, Seq first = Seq(1),
                                           const std::string& log = "activity",
                                           const std::string& node = "node-1",
                                           Nanos received = receipt_time);

// Remembers what the store tells.
class Notices : public StoreObserver {
 public:
  void segment_sealed(const std::string& log, const std::shared_ptr<const SegmentReader>& segment,
                      const std::string& directory) override;
  void events_visible(const std::string& log, Seq last) override;
  void notice(const std::string& log, const std::string& kind, const std::string& detail) override;

  [[nodiscard]] std::size_t count(const std::string& kind) const;
  [[nodiscard]] std::string text() const;  // all of them, for failure messages
  [[nodiscard]] std::vector<SegmentId> sealed() const;
  [[nodiscard]] Seq visible() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> notices_;  // kind, detail
  std::vector<SegmentId> sealed_;
  Seq visible_;
};

// A hot segment's file made block by block, without a store.
class HotFile {
 public:
  explicit HotFile(SegmentId id = SegmentId(1), Seq first_seq = Seq(1), std::uint32_t salt = 0);

  // Appends a block of the events at the next seq. `durable` is what it says was synced before.
  void add(const std::vector<Event>& events, Seq durable, std::uint64_t batch = 0);
  // Each block says that all before it is durable, like one commit after the other.
  void add(const std::vector<Event>& events) { add(events, next_seq_ - 1); }
  // The same from a batch made elsewhere.
  void add_body(EncodedBatch batch) { add_body(std::move(batch), next_seq_ - 1, 0); }
  void add_mark();
  void skip(std::uint64_t seqs) { next_seq_ += seqs; }
  void set_epoch(std::uint64_t epoch) { epoch_ = WriterEpoch(epoch); }
  // Zeros, as prepared space is.
  void pad(std::size_t bytes) { bytes_.resize(bytes_.size() + bytes); }

  [[nodiscard]] std::vector<std::byte>& bytes() { return bytes_; }
  // Where block `n` starts.
  [[nodiscard]] std::uint64_t block_at(std::size_t n) const { return headers_[n].offset.value; }
  [[nodiscard]] std::uint64_t end() const;
  [[nodiscard]] const std::vector<BlockHeader>& headers() const { return headers_; }
  [[nodiscard]] SegmentId id() const { return id_; }
  [[nodiscard]] Seq next_seq() const { return next_seq_; }

  // All its blocks, read from `path` on `disk`, where the file is put.
  [[nodiscard]] std::shared_ptr<const SegmentBase> open(Disk& disk, const std::string& path,
                                                        SectionCache& cache);

 private:
  void add_body(EncodedBatch batch, Seq durable, std::uint64_t number);
  void add_block(HotBlock block, Seq durable);

  SegmentId id_;
  std::uint32_t salt_;
  Seq first_seq_;
  Seq next_seq_;
  WriterEpoch epoch_{1};
  std::vector<std::byte> bytes_;
  std::vector<BlockHeader> headers_;
};

}  // namespace docket::testing
