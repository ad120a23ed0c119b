// The names of a simulated disk: what calls see now, what is durable, and the changes in between.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "tests/support/sim_inode.hpp"

namespace docket::testing {

// One spelling per path: no doubled or trailing slashes, no "." parts; "." for nothing at all. All
// paths of SimNames are spelled so.
[[nodiscard]] std::string normal_path(const std::string& path);

// Not thread-safe; SimDisk holds its lock around every call.
//
// The model of what survives a power loss: names as of the last sync() of their directory, and of
// the changes since either the first few, as a journal keeps them, or any subset. A rename is one
// change: it happens or does not. Directories are durable at once, because making them includes
// the sync of their parents.
class SimNames {
 public:
  using InodePtr = std::shared_ptr<SimInode>;

  // nullptr when no file has that name.
  [[nodiscard]] InodePtr find(const std::string& path) const;
  [[nodiscard]] bool is_directory(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> files() const;  // sorted
  // Of an existing directory; sorted by name.
  [[nodiscard]] std::vector<DirectoryEntry> list(const std::string& directory) const;
  // errno for a name that cannot be made because of its directory; 0 when it can.
  [[nodiscard]] int parent_error(const std::string& path) const;

  void add(const std::string& path, const InodePtr& inode);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& path);
  // Syncs the parent when the directory is new.
  void add_directory(const std::string& path);
  void sync(const std::string& directory);

  [[nodiscard]] SimNames after_power_loss(std::mt19937_64& random) const;
  // The same state, unsynced changes included, over copies of all files.
  [[nodiscard]] SimNames copy() const;

 private:
  using Names = std::map<std::string, InodePtr>;
  struct Change {
    std::string removed;  // empty: none
    std::string added;    // empty: none
    InodePtr inode;       // what `added` names

    [[nodiscard]] bool is_in(const std::string& directory) const;
    void apply(Names& names) const;
  };
  void change(Change c);

  Names names_;
  Names durable_;
  std::vector<Change> pending_;  // oldest first
  std::set<std::string> directories_{"/", "."};
};

}  // namespace docket::testing
