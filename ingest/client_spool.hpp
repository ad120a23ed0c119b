// A client's events on its own disk, from emit() until the server has acknowledged them: they
// survive a kill of the process, and with SpoolOptions::sync a power cut. Internal to the client;
// SPOOL.md says what the files hold.
//
// A spool is a directory with numbered files. Events are appended as they are emitted. Before a
// batch is first sent, a record says which events are in it and under which number, so that after
// any kill the same batches are sent again under the same numbers and the server recognises those
// it has. What is settled is noted; a file of settled events alone is removed, oldest first.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/disk.hpp"
#include "engine/event.hpp"
#include "engine/result.hpp"
#include "ingest/client.hpp"
#include "ingest/client_spool_record.hpp"

namespace docket::client {

struct SpoolPlace {
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
  friend auto operator<=>(const SpoolPlace&, const SpoolPlace&) = default;
};

// One log in a spool. Its events are numbered from 0 ("ordinals"), its batches from 1 per epoch.
struct SpoolLog {
  std::string name;  // empty: its record is damaged and its events are nobody's
  std::uint64_t next_number = 1;
  std::uint64_t settled_number = 0;  // every batch up to it is answered for good
  std::uint64_t appended = 0;        // events below it have been appended,
  std::uint64_t batched = 0;         // are in a batch that is noted,
  std::uint64_t settled = 0;         // are answered
  // As found at the opening: where the batches settled_number + 1 .. next_number - 1 end.
  std::deque<std::uint64_t> ends;
};

struct SpoolFile {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;            // that count
  std::vector<std::uint64_t> ends{};  // by index of the log: its events in here are below
  bool is_damaged = false;            // kept under another name when it is dropped
};

// What a whole directory of files says. See client_spool_scan.cpp.
struct SpoolContent {
  std::string node;
  std::uint64_t epoch = 0;  // 0: there is no file
  std::uint64_t boot = 0;   // as the last head has it
  std::string mark;         // the last one
  std::uint64_t last_file = 0;
  std::vector<SpoolLog> logs;  // by index
  std::vector<SpoolFile> files;
};
// Errors: io; newer_format. Damage is none: what is intact is taken, and what is missing shows as
// ordinals that are not there.
[[nodiscard]] Result<SpoolContent> scan_spool(Disk& disk, const std::string& directory);
[[nodiscard]] std::string spool_file_path(const std::string& directory, std::uint64_t number);

struct SpoolOwner {
  std::string node;
  std::uint64_t new_epoch = 1;  // for a spool that is new
  std::uint64_t boot = 0;       // this boot of the machine; 0: not known
};
// The boot that this process runs in, by the system's own name for it.
[[nodiscard]] std::uint64_t current_boot();

// Invariants:
// P1  A record that a call reported as written is whole in its file, before any later one.
// P2  What a call failed to write does not count: it is cut off, or the next file says where the
//     file before ends.
// P3  A file goes only when all its events are settled and a later file knows it.
// Not thread-safe, but for sync().
class Spool {
 public:
  // Takes the directory (made when missing) for itself.
  // Errors: invalid_argument (another node's), busy (another process has it), newer_format, io,
  // no_space.
  [[nodiscard]] static Result<std::unique_ptr<Spool>> open(Disk& disk, const SpoolOptions& options,
                                                           const SpoolOwner& owner);

  [[nodiscard]] const std::string& directory() const { return options_.directory; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  // The machine has been started anew since this was written without syncing: numbers that the last
  // notes of batches had may be used again, unless a new epoch begins.
  [[nodiscard]] bool needs_new_epoch() const { return needs_new_epoch_; }
  [[nodiscard]] const std::vector<SpoolLog>& logs() const { return logs_; }
  // Where the oldest file begins, and where the next record will be.
  [[nodiscard]] SpoolPlace begin() const;
  [[nodiscard]] SpoolPlace end() const;
  [[nodiscard]] const std::vector<SpoolFile>& files() const { return files_; }

  // The index of the log, which is made when it is new. Errors: those of append().
  [[nodiscard]] Result<std::uint8_t> index_of(std::string_view log);
  [[nodiscard]] bool has_room(std::size_t bytes) const { return total_ + bytes <= options_.bytes; }
  // With the event a mark is written, in one piece, unless it is empty; it stands until the next.
  // Returns where the record begins. Precondition: check_event() accepted it. Errors: overloaded
  // (options.bytes are used), no_space, io: the event is not in the spool; unknown_outcome: it
  // could not be cut off either, and is there if the process ends before the next call.
  [[nodiscard]] Result<SpoolPlace> append(std::uint8_t log, const EventView& event,
                                          std::string_view mark = {});
  [[nodiscard]] const std::string& mark() const { return mark_; }
  // Batch `number`, the log's next, holds the events up to `end` that are in no earlier one.
  [[nodiscard]] Result<void> note_batch(std::uint8_t log, std::uint64_t number, std::uint64_t end);
  // All batches up to `number` and all events below `end` are answered. Where that cannot be
  // written, the next one says it, too.
  void settle(std::uint8_t log, std::uint64_t number, std::uint64_t end);
  // The noted batches that are not settled are numbered from 1 again.
  [[nodiscard]] Result<void> note_epoch(std::uint64_t epoch);

  // What has been written up to now, to be handed to sync().
  struct Written {
    std::shared_ptr<File> file;
    SpoolPlace place;
  };
  [[nodiscard]] Written written() const { return {active_, end()}; }
  // With options.sync, all that was written up to there is on stable storage afterwards; else does
  // nothing. Thread-safe. An error is final: so is every later call's.
  [[nodiscard]] Result<void> sync(const Written& written);

 private:
  Spool(Disk& disk, const SpoolOptions& options, const SpoolOwner& owner);
  [[nodiscard]] Result<void> begin_file();
  [[nodiscard]] Result<void> write(std::size_t begun, bool is_event);
  [[nodiscard]] Result<void> note(SpoolRecordType type, std::uint8_t log, std::uint64_t value);
  [[nodiscard]] std::uint64_t own_boot() const { return options_.sync ? 0 : owner_.boot; }
  void make_reserve();
  void drop_settled_files();

  Disk& disk_;
  const SpoolOptions options_;
  const SpoolOwner owner_;
  const std::uint64_t file_bytes_max_;
  std::unique_ptr<DirectoryLock> lock_;
  std::uint64_t epoch_ = 0;
  std::string mark_;
  std::vector<SpoolLog> logs_;
  std::vector<SpoolFile> files_;  // ascending; the last one is being written
  std::shared_ptr<File> active_;
  bool needs_new_epoch_ = false;
  std::uint64_t told_boot_ = 0;  // that the heads name
  bool is_broken_ = false;       // the active file has something behind its end that does not count
  bool has_reserve_ = false;
  std::uint64_t total_ = 0;        // bytes of all files
  std::vector<std::byte> record_;  // being made

  std::mutex sync_mutex_;
  SpoolPlace synced_;
  bool has_failed_sync_ = false;
};

}  // namespace docket::client
