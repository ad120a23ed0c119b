#include "tests/engine/stores.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <thread>

#include "engine/bytes.hpp"
#include "engine/log_list.hpp"
#include "engine/segment_file.hpp"

namespace docket::testing {

StoreOptions store_options(StoreObserver* observer) {
  StoreOptions options;
  options.cache_bytes = std::uint64_t{4} << 20;
  options.free_space_floor = 0;
  options.observer = observer;
  return options;
}

std::unique_ptr<Store> open_store(Disk& disk, const StoreOptions& options,
                                  const std::string& directory) {
  auto store = Store::open(disk, directory, options);
  EXPECT_TRUE(store) << store.error().describe();
  return store ? std::move(*store) : nullptr;
}

Log& log_of(Store& store, const std::string& name) {
  const auto log = store.log(name);
  EXPECT_TRUE(log) << log.error().describe();
  return **log;
}

Result<Receipt> submit(Log& log, EncodedBatch batch, const ProducerStamp& stamp, Nanos received) {
  // Shared: an answer that comes late must not find it gone.
  const auto answer = std::make_shared<std::promise<Result<Receipt>>>();
  auto future = answer->get_future();
  log.submit(std::move(batch), stamp, received,
             [answer](Result<Receipt> result) { answer->set_value(std::move(result)); });
  return future.get();
}

Seq store_events(Log& log, const std::vector<Event>& events, Nanos received) {
  const auto receipt = submit(log, encode(events), {"node-1", 0, 0}, received);
  EXPECT_TRUE(receipt) << receipt.error().describe();
  return receipt ? receipt->first_seq : Seq(0);
}

void seal_fully(Log& log, const SimDisk& disk) {
  const auto hot_files = [&disk, part = "/" + log.name() + "/"] {
    auto files = disk.files();
    std::erase_if(files, [&part](const std::string& file) {
      return file.find(part) == std::string::npos || !file.ends_with(".hot");
    });
    return files;
  };
  const auto sealed = log.seal();
  EXPECT_TRUE(sealed) << sealed.error().describe();
  while (sealed && !hot_files().empty()) {
    std::this_thread::yield();
  }
}

void wait_until_prepared(const Log& log, const SimDisk& disk, const std::string& store) {
  const auto is_listed = [&] {
    const std::string part = "/" + log.name() + "/";
    for (const std::string& file : disk.files()) {
      const auto at = file.find(part);
      const auto name = at == std::string::npos
                            ? std::nullopt
                            : parse_segment_file_name(file.substr(at + part.size()));
      if (name && name->extension == prepared_extension) {
        const auto list = decode_log_list(disk.content(log_list_paths(store)[1]));
        const ListedLog* const listed = list ? list->find(log.name()) : nullptr;
        return listed != nullptr && listed->begun >= name->id;
      }
    }
    return false;
  };
  std::uint64_t calls = 0;
  do {
    calls = disk.io_count();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (!is_listed() || disk.io_count() != calls);
}

std::vector<Event> read_all(const SegmentReader& segment) {
  std::vector<Event> events;
  EventReader reader(segment);
  for (std::uint32_t row = 0; row < segment.info().rows; ++row) {
    Event event;
    const auto read = reader.read(row, event);
    EXPECT_TRUE(read) << "row " << row << ": " << read.error().describe();
    if (!read) {
      break;
    }
    events.push_back(std::move(event));
  }
  return events;
}

std::vector<Event> read_all(const LogSnapshot& log) {
  std::vector<Event> events;
  for (const auto& segment : log.segments) {
    auto more = read_all(*segment);
    std::move(more.begin(), more.end(), std::back_inserter(events));
  }
  return events;
}

std::vector<Event> as_stored(std::vector<Event> events, Seq first, const std::string& log,
                             const std::string& node, Nanos received) {
  for (Event& event : events) {
    event.log = log;
    event.seq = first;
    event.node = node;
    event.received = received;
    first += 1;
  }
  return events;
}

void Notices::segment_sealed(const std::string&,
                             const std::shared_ptr<const SegmentReader>& segment,
                             const std::string&) {
  const std::lock_guard lock(mutex_);
  sealed_.push_back(segment->info().id);
}

void Notices::events_visible(const std::string&, Seq last) {
  const std::lock_guard lock(mutex_);
  visible_ = std::max(visible_, last);
}

void Notices::notice(const std::string&, const std::string& kind, const std::string& detail) {
  const std::lock_guard lock(mutex_);
  notices_.emplace_back(kind, detail);
}

std::size_t Notices::count(const std::string& kind) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(notices_.begin(), notices_.end(),
                                                [&](const auto& n) { return n.first == kind; }));
}

std::string Notices::text() const {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (const auto& [kind, detail] : notices_) {
    all += kind + ": " + detail + "\n";
  }
  return all;
}

std::vector<SegmentId> Notices::sealed() const {
  const std::lock_guard lock(mutex_);
  return sealed_;
}

Seq Notices::visible() const {
  const std::lock_guard lock(mutex_);
  return visible_;
}

HotFile::HotFile(SegmentId id, Seq first_seq, std::uint32_t salt)
    : id_(id),
      salt_(salt),
      first_seq_(first_seq),
      next_seq_(first_seq),
      bytes_(encode_segment_header({SegmentKind::active, "activity", id, first_seq, salt})) {}

std::uint64_t HotFile::end() const {
  return headers_.empty() ? segment_header_bytes
                          : headers_.back().offset.value + headers_.back().block_bytes();
}

void HotFile::add(const std::vector<Event>& events, Seq durable, std::uint64_t batch) {
  add_body(encode(events), durable, batch);
}

void HotFile::add_body(EncodedBatch batch, Seq durable, std::uint64_t number) {
  add_block(make_hot_block(std::move(batch), "node-1", 1, number, receipt_time), durable);
}

void HotFile::add_mark() {
  add_block(make_mark(), next_seq_ - 1);
}

void HotFile::add_block(HotBlock block, Seq durable) {
  block.header.segment = id_;
  block.header.salt = salt_;
  block.header.writer_epoch = epoch_;
  block.header.offset = FileOffset(bytes_.size());
  block.header.first_seq = next_seq_;
  block.header.durable_seq = durable;
  block.header.durable_end = durable == next_seq_ - 1 || headers_.empty()
                                 ? block.header.offset
                                 : headers_.back().durable_end;
  encode_block_header(block.header, block.head);
  append_bytes(bytes_, block.head);
  append_bytes(bytes_, block.sections);
  next_seq_ += block.header.rows;
  headers_.push_back(block.header);
}

std::shared_ptr<const SegmentBase> HotFile::open(Disk& disk, const std::string& path,
                                                 SectionCache& cache) {
  const auto file = disk.open(path, OpenMode::create_empty);
  const std::span<const std::byte> part(bytes_);
  EXPECT_TRUE(file && (*file)->write_at(FileOffset(0), std::span(&part, 1)));
  auto source = std::make_shared<const SegmentSource>(disk.open(path, OpenMode::read).value(),
                                                      cache, id_, path);
  HotBlocks blocks(std::move(source), "activity", first_seq_);
  for (const BlockHeader& header : headers_) {
    blocks.append(header);
  }
  return blocks.reader(bytes_.size());
}

}  // namespace docket::testing
