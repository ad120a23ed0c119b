#include "ingest/client_spool.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"

namespace docket::client {
namespace {

// The largest event fits a spool that has nothing else in it.
constexpr std::uint64_t spool_bytes_min = std::uint64_t{4} << 20;
static_assert(spool_bytes_min > 2 * spool_body_bytes_max);
// A file's room comes back only when all of it is settled, so a spool has at least eight.
constexpr std::uint64_t files_min = 8;
constexpr std::uint64_t file_bytes_largest = std::uint64_t{16} << 20;
// Notes of batches and answers, on a disk that takes nothing more: some 5,000 of them.
constexpr std::size_t reserve_bytes = std::size_t{256} << 10;

std::string lock_path(const std::string& directory) {
  return directory + "/lock";
}

std::string reserve_path(const std::string& directory) {
  return directory + "/reserve";
}

}  // namespace

std::uint64_t current_boot() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id.empty() ? 0 : checksum64(as_byte_span(id)) | 1;
}

Spool::Spool(Disk& disk, const SpoolOptions& options, const SpoolOwner& owner)
    : disk_(disk),
      options_(options),
      owner_(owner),
      file_bytes_max_(std::min(options.bytes / files_min, file_bytes_largest)) {}

Result<std::unique_ptr<Spool>> Spool::open(Disk& disk, const SpoolOptions& options,
                                           const SpoolOwner& owner) {
  if (options.bytes < spool_bytes_min) {
    return fail(ErrorCode::invalid_argument, "spool.bytes: must be at least 4 MiB");
  }
  DOCKET_TRY(disk.make_directories(options.directory));
  std::unique_ptr<Spool> spool(new Spool(disk, options, owner));
  auto lock = disk.lock(lock_path(options.directory));
  if (!lock) {
    if (lock.error().code == ErrorCode::busy) {
      return fail(ErrorCode::busy, options.directory + ": another client has this spool");
    }
    return fail(std::move(lock).error());
  }
  spool->lock_ = std::move(*lock);
  DOCKET_ASSIGN(SpoolContent content, scan_spool(disk, options.directory));
  if (content.epoch != 0 && content.node != owner.node) {
    return fail(ErrorCode::invalid_argument,
                options.directory + ": is the spool of node " + content.node);
  }
  spool->epoch_ = content.epoch != 0 ? content.epoch : owner.new_epoch;
  spool->needs_new_epoch_ = content.boot != 0 && content.boot != owner.boot;
  // The boot that the epoch is from stands until there is a new one.
  spool->told_boot_ = spool->needs_new_epoch_ ? content.boot : spool->own_boot();
  spool->logs_ = std::move(content.logs);
  spool->files_ = std::move(content.files);
  spool->mark_ = std::move(content.mark);
  for (const SpoolFile& file : spool->files_) {
    spool->total_ += file.bytes;
  }
  // Each opening has a file of its own: nothing is ever written behind what a kill cut short.
  if (spool->files_.empty()) {
    spool->files_.push_back({content.last_file, 0, {}, false});
  }
  DOCKET_TRY(spool->begin_file());
  spool->make_reserve();
  spool->drop_settled_files();
  return spool;
}

SpoolPlace Spool::begin() const {
  return {files_.front().number, spool_head_bytes};
}

SpoolPlace Spool::end() const {
  return {files_.back().number, files_.back().bytes};
}

// The head, and what is known of each log, in one write.
Result<void> Spool::begin_file() {
  const std::uint64_t number = files_.back().number + 1;
  if (active_ && options_.sync) {
    DOCKET_TRY(sync(written()));
  }
  SpoolHead head;
  head.file = number;
  head.epoch = epoch_;
  head.valid = files_.back().bytes;
  head.boot = told_boot_;
  head.node = owner_.node;
  std::vector<std::byte> bytes;
  append_spool_head(bytes, head);
  for (std::size_t i = 0; i < logs_.size(); ++i) {
    const SpoolLog& log = logs_[i];
    if (!log.name.empty()) {
      const std::size_t begun = begin_spool_record(bytes);
      append_spool_log(bytes,
                       {log.settled_number, log.appended, log.batched, log.settled, log.name});
      finish_spool_record(bytes, begun, number, SpoolRecordType::log, static_cast<std::uint8_t>(i),
                          log.next_number);
    }
  }
  if (!mark_.empty()) {
    const std::size_t begun = begin_spool_record(bytes);
    append_bytes(bytes, as_byte_span(mark_));
    finish_spool_record(bytes, begun, number, SpoolRecordType::mark, 0, 0);
  }
  const std::string path = spool_file_path(options_.directory, number);
  DOCKET_ASSIGN(auto file, disk_.open(path, OpenMode::create_empty));
  const std::array<std::span<const std::byte>, 1> parts{bytes};
  auto written = file->write_at(FileOffset{0}, parts);
  if (written && options_.sync) {
    written = file->sync_data();
    if (written) {
      written = disk_.sync_directory(options_.directory);
    }
  }
  if (!written) {
    // The same name is taken by the next try.
    static_cast<void>(disk_.unlink(path));
    return fail(std::move(written).error());
  }
  active_ = std::move(file);
  is_broken_ = false;
  files_.push_back({number, bytes.size(), {}, false});
  total_ += bytes.size();
  return {};
}

// Writes record_ from `begun` on to the end of the active file.
Result<void> Spool::write(std::size_t begun, bool is_event) {
  const auto bytes = std::span<const std::byte>(record_).subspan(begun);
  const std::array<std::span<const std::byte>, 1> parts{bytes};
  SpoolFile& file = files_.back();
  auto written = active_->write_at(FileOffset{file.bytes}, parts);
  if (!written && written.error().code == ErrorCode::no_space && !is_event && has_reserve_) {
    has_reserve_ = false;
    if (disk_.unlink(reserve_path(options_.directory))) {
      written = active_->write_at(FileOffset{file.bytes}, parts);
    }
  }
  if (!written) {
    // P2
    is_broken_ = !active_->resize(file.bytes);
    if (is_broken_) {
      written.error().code = ErrorCode::unknown_outcome;
    }
    return written;
  }
  file.bytes += bytes.size();
  total_ += bytes.size();
  return {};
}

Result<std::uint8_t> Spool::index_of(std::string_view log) {
  const auto found = std::find_if(logs_.begin(), logs_.end(),
                                  [log](const SpoolLog& known) { return known.name == log; });
  if (found != logs_.end()) {
    return static_cast<std::uint8_t>(found - logs_.begin());
  }
  if (logs_.size() >= spool_logs_max) {
    return fail(ErrorCode::closed, "a spool holds events of at most 255 logs");
  }
  if (is_broken_) {
    DOCKET_TRY(begin_file());
  }
  const auto index = static_cast<std::uint8_t>(logs_.size());
  record_.clear();
  const std::size_t begun = begin_spool_record(record_);
  append_spool_log(record_, {0, 0, 0, 0, log});
  finish_spool_record(record_, begun, files_.back().number, SpoolRecordType::log, index, 1);
  DOCKET_TRY(write(begun, true));
  logs_.emplace_back().name = log;
  return index;
}

Result<SpoolPlace> Spool::append(std::uint8_t log, const EventView& event, std::string_view mark) {
  DOCKET_ASSERT(log < logs_.size());
  if (is_broken_ || files_.back().bytes >= file_bytes_max_) {
    DOCKET_TRY(begin_file());
    drop_settled_files();
  }
  record_.clear();
  const std::size_t begun = begin_spool_record(record_);
  append_spool_event(record_, event, mark);
  if (!has_room(record_.size())) {
    return fail(ErrorCode::overloaded, "the spool is full");
  }
  finish_spool_record(record_, begun, files_.back().number, SpoolRecordType::event, log,
                      logs_[log].appended);
  const SpoolPlace place = end();
  DOCKET_TRY(write(begun, true));
  if (!mark.empty()) {
    mark_ = mark;
  }
  ++logs_[log].appended;
  auto& ends = files_.back().ends;
  ends.resize(std::max<std::size_t>(ends.size(), log + std::size_t{1}));
  ends[log] = logs_[log].appended;
  return place;
}

Result<void> Spool::note(SpoolRecordType type, std::uint8_t log, std::uint64_t value) {
  if (is_broken_) {
    DOCKET_TRY(begin_file());
  }
  finish_spool_record(record_, 0, files_.back().number, type, log, value);
  return write(0, false);
}

Result<void> Spool::note_batch(std::uint8_t log, std::uint64_t number, std::uint64_t end) {
  SpoolLog& noted = logs_[log];
  DOCKET_ASSERT(number == noted.next_number);
  DOCKET_ASSERT(end >= noted.batched);
  record_.clear();
  static_cast<void>(begin_spool_record(record_));
  append_le(record_, noted.batched);
  append_le(record_, end);
  DOCKET_TRY(note(SpoolRecordType::batch, log, number));
  ++noted.next_number;
  noted.batched = end;
  return {};
}

void Spool::settle(std::uint8_t log, std::uint64_t number, std::uint64_t end) {
  SpoolLog& settled = logs_[log];
  settled.settled_number = std::max(settled.settled_number, number);
  settled.next_number = std::max(settled.next_number, number + 1);
  settled.settled = std::max(settled.settled, end);
  settled.batched = std::max(settled.batched, end);
  settled.appended = std::max(settled.appended, end);
  record_.clear();
  static_cast<void>(begin_spool_record(record_));
  append_le(record_, settled.settled);
  if (note(SpoolRecordType::settled, log, settled.settled_number)) {
    drop_settled_files();
  }
}

Result<void> Spool::note_epoch(std::uint64_t epoch) {
  record_.clear();
  static_cast<void>(begin_spool_record(record_));
  DOCKET_TRY(note(SpoolRecordType::epoch, 0, epoch));
  epoch_ = epoch;
  needs_new_epoch_ = false;
  told_boot_ = own_boot();
  for (SpoolLog& log : logs_) {
    log.next_number -= log.settled_number;
    log.settled_number = 0;
  }
  return {};
}

// Best effort: without it a full disk may keep what is spooled from being sent until there is room.
void Spool::make_reserve() {
  if (has_reserve_) {
    return;
  }
  const std::string path = reserve_path(options_.directory);
  auto file = disk_.open(path, OpenMode::create_empty);
  if (!file) {
    return;
  }
  const std::vector<std::byte> bytes(reserve_bytes, std::byte{'r'});
  const std::array<std::span<const std::byte>, 1> parts{bytes};
  has_reserve_ = (*file)->write_at(FileOffset{0}, parts).has_value();
  if (!has_reserve_) {
    static_cast<void>(disk_.unlink(path));
  }
}

// P3. Nothing is lost where removing fails: the events are known to be settled.
void Spool::drop_settled_files() {
  bool any = false;
  while (files_.size() > 1) {
    const SpoolFile& file = files_.front();
    for (std::size_t i = 0; i < file.ends.size(); ++i) {
      if (file.ends[i] > logs_[i].settled) {
        return;
      }
    }
    if (file.number != 0) {
      const std::string path = spool_file_path(options_.directory, file.number);
      static_cast<void>(file.is_damaged ? disk_.rename(path, path + ".damaged")
                                        : disk_.unlink(path));
    }
    total_ -= file.bytes;
    files_.erase(files_.begin());
    any = true;
  }
  if (any) {
    make_reserve();
  }
}

Result<void> Spool::sync(const Written& written) {
  if (!options_.sync) {
    return {};
  }
  const std::scoped_lock lock(sync_mutex_);
  if (has_failed_sync_) {
    return fail(ErrorCode::unknown_outcome, "the spool could not be synced");
  }
  if (synced_ >= written.place) {
    return {};
  }
  // Earlier files were synced when this one was begun.
  if (auto synced = written.file->sync_data(); !synced) {
    has_failed_sync_ = true;
    return fail(ErrorCode::unknown_outcome,
                "the spool could not be synced: " + synced.error().message);
  }
  synced_ = std::max(synced_, written.place);
  return {};
}

}  // namespace docket::client
