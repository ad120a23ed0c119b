// A disk in memory that fails on request and loses its power: what the engine's promises are
// tested against.
//
//   for (std::uint64_t n = 1;; ++n) {
//     SimDisk disk;
//     disk.inject({.at = n, .forever = true});
//     const auto acked = run_workload(disk);
//     const auto survivor = disk.after_power_loss(n);
//     check(*survivor, acked);
//     if (!disk.fault_hit()) break;
//   }
//
// Names are kept as strictly as engine/disk.hpp promises no more: a created, renamed or removed
// name is durable only after sync_directory() of its directory. sim_inode.hpp says what becomes of
// bytes.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/disk.hpp"

namespace docket::testing {

class SimNames;

// Kinds of calls that can fail; a set of them is an OR.
enum class Io : std::uint32_t {
  none = 0,
  open = 1U << 0,
  read = 1U << 1,
  write = 1U << 2,
  sync = 1U << 3,
  resize = 1U << 4,
  size = 1U << 5,
  rename = 1U << 6,
  unlink = 1U << 7,
  make_directories = 1U << 8,
  sync_directory = 1U << 9,
  list = 1U << 10,
  exists = 1U << 11,
  free_bytes = 1U << 12,
  lock = 1U << 13,
  any = (1U << 14) - 1,
  // Those that need the disk to take something; the ones a full disk refuses.
  growing = write | resize | make_directories,
};
constexpr Io operator|(Io a, Io b) {
  return static_cast<Io>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool contains(Io set, Io kind) {
  return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(kind)) != 0;
}

struct Fault {
  std::uint64_t at = 0;  // which call of `kinds` fails, counted from 1 at inject(); 0: none
  Io kinds = Io::any;
  bool forever = false;    // that call alone, or every call of `kinds` from it on
  int error_number = EIO;  // or ENOSPC
  std::uint64_t seed = 0;  // which part of a failing write lands, what a failing sync loses
};

// Thread-safe, like every Disk.
class SimDisk final : public Disk {
 public:
  SimDisk();
  ~SimDisk() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> unlink(const std::string& path) override;
  Result<void> make_directories(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) override;

  // Replaces an earlier fault and counts anew. A failing write lets a prefix of its sectors land; a
  // failing sync may drop dirty sectors for ever; other failing calls do nothing.
  void inject(const Fault& fault);
  [[nodiscard]] bool fault_hit() const;
  // Whether a call from now on will fail.
  [[nodiscard]] bool fault_pending() const;
  // All calls so far, failed ones included.
  [[nodiscard]] std::uint64_t io_count() const;
  // Writes that would make the files larger than this in sum fail with ENOSPC.
  void set_capacity(std::uint64_t bytes);

  // Called before every call, without the lock: what a slow disk does. To be set before the disk is
  // shared.
  void set_pause(std::function<void(Io)> pause);

  // The disk as the next boot could find it if the power failed now; every seed finds another
  // possibility. Open files and locks stay with this disk, faults and counters start anew.
  [[nodiscard]] std::unique_ptr<SimDisk> after_power_loss(std::uint64_t seed) const;
  // The same after the process alone was killed: everything written is there, as yet unsynced.
  [[nodiscard]] std::unique_ptr<SimDisk> after_kill() const;

  // The rest are not calls of the engine: they are not counted and do not fail. Precondition where
  // a path is given: the file exists.
  [[nodiscard]] std::vector<std::string> files() const;  // sorted
  [[nodiscard]] std::vector<std::byte> content(const std::string& path) const;
  // Damage: `bit` / 8 is the byte.
  void flip_bit(const std::string& path, std::uint64_t bit);
  // Damage: what touches the sectors of this range cannot be read, as on a device that reports it.
  void spoil(const std::string& path, std::uint64_t offset, std::uint64_t bytes);
  // Makes or replaces a file and its directories, all durable.
  void plant(const std::string& path, std::span<const std::byte> bytes);

 private:
  struct State;
  class OpenFile;
  class Lock;
  explicit SimDisk(std::shared_ptr<State> state);
  static std::unique_ptr<SimDisk> boot(SimNames names, std::uint64_t capacity);

  std::shared_ptr<State> state_;  // shared with open files and locks
};

}  // namespace docket::testing
