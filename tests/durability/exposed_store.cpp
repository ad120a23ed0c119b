#include "tests/durability/exposed_store.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "engine/out_of_memory.hpp"
#include "tests/durability/allocation_faults.hpp"

namespace docket::testing {
namespace {

class ExemptFile final : public File {
 public:
  explicit ExemptFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  ~ExemptFile() override {
    const Exempt exempt;
    file_.reset();
  }

  Result<void> read_at(FileOffset offset, std::span<std::byte> into) const override {
    const Exempt exempt;
    return file_->read_at(offset, into);
  }
  Result<void> write_at(FileOffset offset,
                        std::span<const std::span<const std::byte>> parts) override {
    const Exempt exempt;
    return file_->write_at(offset, parts);
  }
  Result<void> sync_data() override {
    const Exempt exempt;
    return file_->sync_data();
  }
  Result<void> resize(std::uint64_t bytes) override {
    const Exempt exempt;
    return file_->resize(bytes);
  }
  Result<std::uint64_t> size() const override {
    const Exempt exempt;
    return file_->size();
  }

 private:
  std::unique_ptr<File> file_;
};

class ExemptDisk final : public Disk {
 public:
  explicit ExemptDisk(Disk& disk) : disk_(disk) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const Exempt exempt;
    DOCKET_ASSIGN(auto file, disk_.open(path, mode));
    return std::make_unique<ExemptFile>(std::move(file));
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    const Exempt exempt;
    return disk_.rename(from, to);
  }
  Result<void> unlink(const std::string& path) override {
    const Exempt exempt;
    return disk_.unlink(path);
  }
  Result<void> make_directories(const std::string& path) override {
    const Exempt exempt;
    return disk_.make_directories(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    const Exempt exempt;
    return disk_.sync_directory(path);
  }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    const Exempt exempt;
    return disk_.list(path);
  }
  Result<bool> exists(const std::string& path) override {
    const Exempt exempt;
    return disk_.exists(path);
  }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    const Exempt exempt;
    return disk_.free_bytes(path);
  }
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) override {
    const Exempt exempt;
    return disk_.lock(path);
  }

 private:
  Disk& disk_;
};

class ExposedLog final : public Log {
 public:
  explicit ExposedLog(Log& log) : log_(log) {}

  const std::string& name() const override { return log_.name(); }
  void submit(EncodedBatch batch, ProducerStamp stamp, Nanos received, Completion done) override {
    const Exposed exposed;
    log_.submit(std::move(batch), std::move(stamp), received, std::move(done));
  }
  LogSnapshot snapshot() const override { return log_.snapshot(); }
  LogStats stats() const override { return log_.stats(); }
  std::vector<ProducerState> producers() const override { return log_.producers(); }
  Result<void> seal() override {
    const Exposed exposed;
    return within_memory([this] { return log_.seal(); });
  }

 private:
  Log& log_;
};

class ExposedStore final : public Store {
 public:
  explicit ExposedStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  ~ExposedStore() override { static_cast<void>(close()); }

  Result<Log*> log(std::string_view name) override {
    const auto found = [&] {
      const Exposed exposed;
      return within_memory([&] { return store_->log(name); });
    }();
    return found ? exposed(*found) : found;
  }
  Log* find_log(std::string_view name) const override {
    Log* const found = store_->find_log(name);
    return found == nullptr ? nullptr : exposed(found);
  }
  std::vector<Log*> logs() const override {
    std::vector<Log*> all = store_->logs();
    std::transform(all.begin(), all.end(), all.begin(), [this](Log* log) { return exposed(log); });
    return all;
  }
  Result<StoreSnapshot> snapshot() override {
    const Exposed exposed;
    return within_memory([this] { return store_->snapshot(); });
  }
  std::vector<RetirementPlan> plan_retirement(
      const std::function<RetentionPolicy(std::string_view log)>& policy,
      std::uint64_t free_floor_bytes, Nanos now) override {
    const Exposed exposed;
    using Plans = Result<std::vector<RetirementPlan>>;
    return within_memory(
               [&]() -> Plans { return store_->plan_retirement(policy, free_floor_bytes, now); })
        .value_or(std::vector<RetirementPlan>());
  }
  Result<void> retire(std::span<const RetirementPlan> plans) override {
    const Exposed exposed;
    return within_memory([&] { return store_->retire(plans); });
  }
  Result<void> close() override {
    const Exposed exposed;
    return store_->close();
  }
  const std::string& directory() const override { return store_->directory(); }

 private:
  Log* exposed(Log* log) const {
    auto& wrapped = logs_[log];
    if (!wrapped) {
      wrapped = std::make_unique<ExposedLog>(*log);
    }
    return wrapped.get();
  }

  std::unique_ptr<Store> store_;
  mutable std::map<Log*, std::unique_ptr<ExposedLog>> logs_;
};

}  // namespace

std::unique_ptr<Disk> exempt_disk(Disk& disk) {
  return std::make_unique<ExemptDisk>(disk);
}

Result<std::unique_ptr<Store>> open_exposed_store(Disk& disk, const std::string& directory,
                                                  const StoreOptions& options) {
  auto store = [&] {
    const Exposed exposed;
    return within_memory([&] { return Store::open(disk, directory, options); });
  }();
  if (!store) {
    return fail(std::move(store).error());
  }
  return std::make_unique<ExposedStore>(std::move(*store));
}

}  // namespace docket::testing
