#include "tests/support/sim_disk.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <utility>

#include "engine/assert.hpp"
#include "tests/support/sim_inode.hpp"
#include "tests/support/sim_names.hpp"

namespace docket::testing {
namespace {

constexpr std::uint64_t capacity_default = std::uint64_t{1} << 40;

tl::unexpected<Error> fail_call(const char* doing, const std::string& path, int error_number) {
  auto error = fail_errno(std::string(doing) + " " + path, error_number).value();
  if (error_number == ENOENT || error_number == ENOTDIR) {
    error.code = ErrorCode::not_found;
  } else if (error_number == EEXIST) {
    error.code = ErrorCode::exists;
  }
  return fail(std::move(error));
}

}  // namespace

struct SimDisk::State {
  mutable std::mutex mutex;
  SimNames names;
  std::set<std::string> locked;
  std::map<SimNames::InodePtr, std::uint32_t> open_files;  // how often each is open
  std::uint64_t capacity = capacity_default;
  Fault fault;
  std::uint64_t matched = 0;  // calls of fault.kinds since inject()
  bool hit = false;
  std::uint64_t calls = 0;

  std::function<void(Io)> pause;  // set before the disk is shared

  void pause_before(Io kind) const {
    if (pause) {
      pause(kind);
    }
  }
  // Counts a call and says whether it is to fail.
  bool fails(Io kind) {
    ++calls;
    if (fault.at == 0 || !contains(fault.kinds, kind)) {
      return false;
    }
    ++matched;
    const bool failing = matched == fault.at || (fault.forever && matched > fault.at);
    hit = hit || failing;
    return failing;
  }
  [[nodiscard]] std::mt19937_64 fault_random() const {
    return std::mt19937_64(fault.seed * 1'000'003 + matched);
  }

  SimNames::InodePtr make_file(const std::string& path) {
    auto inode = std::make_shared<SimInode>();
    names.add(path, inode);
    return inode;
  }

  // Of all files that have a name or are open.
  [[nodiscard]] std::uint64_t used() const {
    std::set<SimNames::InodePtr> inodes;
    for (const std::string& path : names.files()) {
      inodes.insert(names.find(path));
    }
    for (const auto& [inode, times] : open_files) {
      inodes.insert(inode);
    }
    std::uint64_t bytes = 0;
    for (const auto& inode : inodes) {
      bytes += inode->size();
    }
    return bytes;
  }
  // How large `inode` may become.
  [[nodiscard]] std::uint64_t size_max(const SimInode& inode) const {
    const std::uint64_t all = used();
    return inode.size() + (all < capacity ? capacity - all : 0);
  }
};

class SimDisk::OpenFile final : public File {
 public:
  // The caller holds the lock.
  OpenFile(std::shared_ptr<State> state, SimNames::InodePtr inode, std::string path, bool writable)
      : state_(std::move(state)),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable) {
    ++state_->open_files[inode_];
  }
  ~OpenFile() override {
    const std::lock_guard lock(state_->mutex);
    if (--state_->open_files[inode_] == 0) {
      state_->open_files.erase(inode_);
    }
  }

  Result<void> read_at(FileOffset offset, std::span<std::byte> into) const override {
    state_->pause_before(Io::read);
    const std::lock_guard lock(state_->mutex);
    if (state_->fails(Io::read)) {
      return fail_call("cannot read", path_, state_->fault.error_number);
    }
    const std::uint64_t size = inode_->size();
    if (!into.empty() && (offset.value > size || into.size() > size - offset.value)) {
      return fail(ErrorCode::corrupt, path_ + ": file ends at byte " + std::to_string(size));
    }
    if (inode_->is_spoilt(offset.value, into.size())) {
      return fail(Error{ErrorCode::corrupt, "cannot read " + path_ + ": Input/output error", EIO, 0,
                        offset.value});
    }
    if (!into.empty()) {
      inode_->read(offset.value, into);
    }
    return {};
  }

  Result<void> write_at(FileOffset offset,
                        std::span<const std::span<const std::byte>> parts) override {
    state_->pause_before(Io::write);
    const std::lock_guard lock(state_->mutex);
    std::uint64_t end = offset.value;
    for (const auto part : parts) {
      end += part.size();
    }
    const bool failing = state_->fails(Io::write);
    if (!writable_ && end != offset.value) {
      return fail_call("cannot write", path_, EBADF);
    }
    int error_number = 0;
    std::uint64_t landed_end = end;
    if (failing) {
      error_number = state_->fault.error_number;
      auto random = state_->fault_random();
      // Now and then everything lands and it is an error all the same.
      const std::uint64_t sectors = (end - offset.value) / sector_bytes + 2;
      landed_end = (offset.value / sector_bytes + random() % sectors) * sector_bytes;
    } else if (end > inode_->size() && end > state_->size_max(*inode_)) {
      error_number = ENOSPC;
      landed_end = state_->size_max(*inode_) / sector_bytes * sector_bytes;
    }
    std::uint64_t at = offset.value;
    for (const auto part : parts) {
      if (at >= landed_end) {
        break;
      }
      inode_->write(at, part.first(std::min<std::uint64_t>(part.size(), landed_end - at)));
      at += part.size();
    }
    return error_number == 0 ? Result<void>() : fail_call("cannot write", path_, error_number);
  }

  Result<void> sync_data() override {
    state_->pause_before(Io::sync);
    const std::lock_guard lock(state_->mutex);
    if (state_->fails(Io::sync)) {
      auto random = state_->fault_random();
      inode_->fail_sync(random);
      return fail_call("cannot sync", path_, state_->fault.error_number);
    }
    inode_->sync();
    return {};
  }

  Result<void> resize(std::uint64_t bytes) override {
    state_->pause_before(Io::resize);
    const std::lock_guard lock(state_->mutex);
    if (state_->fails(Io::resize)) {
      return fail_call("cannot resize", path_, state_->fault.error_number);
    }
    if (!writable_) {
      return fail_call("cannot resize", path_, EINVAL);
    }
    if (bytes > inode_->size() && bytes > state_->size_max(*inode_)) {
      return fail_call("cannot resize", path_, ENOSPC);
    }
    inode_->resize(bytes);
    return {};
  }

  Result<std::uint64_t> size() const override {
    state_->pause_before(Io::size);
    const std::lock_guard lock(state_->mutex);
    if (state_->fails(Io::size)) {
      return fail_call("cannot stat", path_, state_->fault.error_number);
    }
    return inode_->size();
  }

 private:
  std::shared_ptr<State> state_;
  SimNames::InodePtr inode_;
  std::string path_;
  bool writable_;
};

class SimDisk::Lock final : public DirectoryLock {
 public:
  Lock(std::shared_ptr<State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}
  ~Lock() override {
    const std::lock_guard lock(state_->mutex);
    state_->locked.erase(path_);
  }

 private:
  std::shared_ptr<State> state_;
  std::string path_;
};

SimDisk::SimDisk() : state_(std::make_shared<State>()) {}
SimDisk::SimDisk(std::shared_ptr<State> state) : state_(std::move(state)) {}
SimDisk::~SimDisk() = default;

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, OpenMode mode) {
  state_->pause_before(Io::open);
  const std::lock_guard lock(state_->mutex);
  if (state_->fails(Io::open)) {
    return fail_call("cannot open", path, state_->fault.error_number);
  }
  const std::string name = normal_path(path);
  if (state_->names.is_directory(name)) {
    return fail(ErrorCode::corrupt, path + ": is not a regular file");
  }
  auto inode = state_->names.find(name);
  if (inode && mode == OpenMode::create) {
    return fail_call("cannot open", path, EEXIST);
  }
  if (!inode) {
    if (const int error_number = state_->names.parent_error(name); error_number != 0) {
      return fail_call("cannot open", path, error_number);
    }
    if (mode == OpenMode::read || mode == OpenMode::read_write) {
      return fail_call("cannot open", path, ENOENT);
    }
    inode = state_->make_file(name);
  } else if (mode == OpenMode::create_empty) {
    inode->resize(0);
  }
  return std::make_unique<OpenFile>(state_, std::move(inode), path, mode != OpenMode::read);
}

Result<void> SimDisk::rename(const std::string& from, const std::string& to) {
  state_->pause_before(Io::rename);
  const std::lock_guard lock(state_->mutex);
  if (state_->fails(Io::rename)) {
    return fail_call("cannot rename", from, state_->fault.error_number);
  }
  const std::string source = normal_path(from);
  const std::string target = normal_path(to);
  // Directories are never renamed by the engine; here they cannot be.
  if (state_->names.is_directory(source) || state_->names.is_directory(target)) {
    return fail_call("cannot rename", from, EISDIR);
  }
  if (!state_->names.find(source)) {
    return fail_call("cannot rename", from, ENOENT);
  }
  if (const int error_number = state_->names.parent_error(target); error_number != 0) {
    return fail_call("cannot rename", from, error_number);
  }
  state_->names.rename(source, target);
  return {};
}

Result<void> SimDisk::unlink(const std::string& path) {
  state_->pause_before(Io::unlink);
  const std::lock_guard lock(state_->mutex);
  if (state_->fails(Io::unlink)) {
    return fail_call("cannot remove", path, state_->fault.error_number);
  }
  const std::string name = normal_path(path);
  if (state_->names.is_directory(name)) {
    return fail_call("cannot remove", path, EISDIR);
  }
  if (!state_->names.find(name)) {
    return fail_call("cannot remove", path, ENOENT);
  }
  state_->names.remove(name);
  return {};
}

Result<void> SimDisk::make_directories(const std::string& path) {
  state_->pause_before(Io::make_directories);
  const std::lock_guard lock(state_->mutex);
  if (state_->fails(Io::make_directories)) {
    return fail_call("cannot make directory", path, state_->fault.error_number);
  }
  const std::string name = normal_path(path);
  for (std::size_t end = 0; end != std::string::npos;) {
    end = name.find('/', end + 1);
    const std::string prefix = name.substr(0, end);
    if (state_->names.find(prefix)) {
      return fail_call("cannot make directory", prefix,
                       end == std::string::npos ? EEXIST : ENOTDIR);
    }
    state_->names.add_directory(prefix);
  }
  return {};
}

Result<void> SimDisk::sync_directory(const std::string& path) {
  state_->pause_before(Io::sync_directory);
  const std::lock_guard lock(state_->mutex);
  if (state_->fails(Io::sync_directory)) {
    return fail_call("cannot sync directory", path, state_->fault.error_number);
  }
  const std::string name = normal_path(path);
  if (!state_->names.is_directory(name)) {
    return fail_call("cannot sync directory", path, ENOENT);
  }
  state_->names.sync(name);
  return {};
}

Result<std::vector<DirectoryEntry>> SimDisk::list(const std::string& path) {
  state_->pause_before(Io::list);
  const std::lock_guard lock(state_->mutex);
  if (state_->fails(Io::list)) {
    return fail_call("cannot list", path, state_->fault.error_number);
  }
  const std::string name = normal_path(path);
  if (!state_->names.is_directory(name)) {
    return fail_call("cannot list", path, ENOENT);
  }
  return state_->names.list(name);
}

Result<bool> SimDisk::exists(const std::string& path) {
  state_->pause_before(Io::exists);
  const std::lock_guard lock(state_->mutex);
  if (state_->fails(Io::exists)) {
    return fail_call("cannot stat", path, state_->fault.error_number);
  }
  const std::string name = normal_path(path);
  return state_->names.find(name) || state_->names.is_directory(name);
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string& path) {
  state_->pause_before(Io::free_bytes);
  const std::lock_guard lock(state_->mutex);
  if (state_->fails(Io::free_bytes)) {
    return fail_call("cannot stat the file system of", path, state_->fault.error_number);
  }
  const std::string name = normal_path(path);
  if (!state_->names.find(name) && !state_->names.is_directory(name)) {
    return fail_call("cannot stat the file system of", path, ENOENT);
  }
  const std::uint64_t used = state_->used();
  return used < state_->capacity ? state_->capacity - used : 0;
}

Result<std::unique_ptr<DirectoryLock>> SimDisk::lock(const std::string& path) {
  state_->pause_before(Io::lock);
  const std::lock_guard guard(state_->mutex);
  if (state_->fails(Io::lock)) {
    return fail_call("cannot lock", path, state_->fault.error_number);
  }
  const std::string name = normal_path(path);
  if (!state_->names.find(name)) {
    if (const int error_number = state_->names.parent_error(name); error_number != 0) {
      return fail_call("cannot open", path, error_number);
    }
    state_->make_file(name);
  }
  if (!state_->locked.insert(name).second) {
    return fail(ErrorCode::busy, path + ": is held by another process");
  }
  return std::make_unique<Lock>(state_, name);
}

void SimDisk::inject(const Fault& fault) {
  const std::lock_guard lock(state_->mutex);
  state_->fault = fault;
  state_->matched = 0;
  state_->hit = false;
}

bool SimDisk::fault_hit() const {
  const std::lock_guard lock(state_->mutex);
  return state_->hit;
}

bool SimDisk::fault_pending() const {
  const std::lock_guard lock(state_->mutex);
  return state_->fault.at != 0 && (state_->fault.forever || state_->matched < state_->fault.at);
}

std::uint64_t SimDisk::io_count() const {
  const std::lock_guard lock(state_->mutex);
  return state_->calls;
}

void SimDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

void SimDisk::set_pause(std::function<void(Io)> pause) {
  state_->pause = std::move(pause);
}

std::unique_ptr<SimDisk> SimDisk::boot(SimNames names, std::uint64_t capacity) {
  auto state = std::make_shared<State>();
  state->capacity = capacity;
  state->names = std::move(names);
  return std::unique_ptr<SimDisk>(new SimDisk(std::move(state)));
}

std::unique_ptr<SimDisk> SimDisk::after_power_loss(std::uint64_t seed) const {
  const std::lock_guard lock(state_->mutex);
  std::mt19937_64 random(seed);
  return boot(state_->names.after_power_loss(random), state_->capacity);
}

std::unique_ptr<SimDisk> SimDisk::after_kill() const {
  const std::lock_guard lock(state_->mutex);
  return boot(state_->names.copy(), state_->capacity);
}

std::vector<std::string> SimDisk::files() const {
  const std::lock_guard lock(state_->mutex);
  return state_->names.files();
}

std::vector<std::byte> SimDisk::content(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  const auto inode = state_->names.find(normal_path(path));
  DOCKET_ASSERT(inode != nullptr);
  std::vector<std::byte> bytes(inode->size());
  inode->read(0, bytes);
  return bytes;
}

void SimDisk::flip_bit(const std::string& path, std::uint64_t bit) {
  const std::lock_guard lock(state_->mutex);
  const auto inode = state_->names.find(normal_path(path));
  DOCKET_ASSERT(inode != nullptr);
  inode->flip_bit(bit);
}

void SimDisk::spoil(const std::string& path, std::uint64_t offset, std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  const auto inode = state_->names.find(normal_path(path));
  DOCKET_ASSERT(inode != nullptr);
  inode->spoil(offset, bytes);
}

void SimDisk::plant(const std::string& path, std::span<const std::byte> bytes) {
  const std::lock_guard lock(state_->mutex);
  const std::string name = normal_path(path);
  for (std::size_t end = name.find('/', 1); end != std::string::npos;
       end = name.find('/', end + 1)) {
    state_->names.add_directory(name.substr(0, end));
  }
  const auto inode = state_->make_file(name);
  inode->write(0, bytes);
  inode->sync();
  state_->names.sync(parent_of(name));
}

}  // namespace docket::testing
