// A file's bytes on the simulated disk: what reads return now, what stable storage holds for sure,
// and everything in between that a power loss could leave.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <vector>

namespace docket::testing {

// The unit that a disk writes whole or not at all.
inline constexpr std::size_t sector_bytes = 512;

// Not thread-safe; SimDisk holds its lock around every call.
//
// The model of what survives a power loss before sync():
//   - every sector written since is independently as it was at the last sync or as any of the
//     writes since have left it;
//   - the size is one that the file had since;
//   - a cut is journalled: what was beyond it comes back only together with the size before it, and
//     what was written after it is seen only when the cut itself survived.
class SimInode {
 public:
  SimInode();

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Precondition: the range lies within the file.
  void read(std::uint64_t offset, std::span<std::byte> into) const;
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void resize(std::uint64_t bytes);
  // Everything is on stable storage now.
  void sync();
  // What a failed fdatasync may do: each dirty sector has reached the disk, or is still dirty, or
  // is taken for clean though it never reached the disk (reads return it, no later sync writes it),
  // or has been dropped for ever, so that reads return the bytes of before.
  void fail_sync(std::mt19937_64& random);
  // Damage: the bit changes in what reads return and on stable storage alike.
  void flip_bit(std::uint64_t bit);
  // Damage: these sectors cannot be read until they are written.
  void spoil(std::uint64_t offset, std::uint64_t bytes);
  [[nodiscard]] bool is_spoilt(std::uint64_t offset, std::uint64_t bytes) const;

  [[nodiscard]] bool is_dirty() const { return !pending_.empty() || history_.size() > 1; }
  // The file as a power loss now could leave it, with nothing pending.
  [[nodiscard]] std::shared_ptr<SimInode> after_power_loss(std::mt19937_64& random) const;

 private:
  using Sector = std::array<std::byte, sector_bytes>;
  using SectorPtr = std::shared_ptr<const Sector>;  // null: all zeros. Never changed once made.

  struct Version {
    SectorPtr sector;
    std::uint32_t cuts = 0;  // how many cuts the file had seen since the last sync
    bool is_cut = false;     // made by the cut itself
  };
  struct Size {
    std::uint64_t bytes = 0;
    std::uint32_t cuts = 0;
  };

  [[nodiscard]] static const SectorPtr& at(const std::vector<SectorPtr>& sectors,
                                           std::uint64_t number);
  static void set(std::vector<SectorPtr>& sectors, std::uint64_t number, SectorPtr sector);
  void put(std::uint64_t number, SectorPtr sector, bool is_cut);
  void set_size(std::uint64_t bytes);

  // Bytes beyond the size are zero in `current_`.
  std::vector<SectorPtr> current_;
  std::uint64_t size_ = 0;
  std::vector<SectorPtr> durable_;
  std::set<std::uint64_t> spoilt_;
  std::map<std::uint64_t, std::vector<Version>> pending_;  // sector -> versions since the last sync
  std::vector<Size> history_;                              // [0] is durable; the last is now
};

}  // namespace docket::testing
