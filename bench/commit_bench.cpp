// From submit() to the acknowledgement, on the real disk, beside what the disk itself takes in the
// same run: set TMPDIR to choose which disk that is.
#include <benchmark/benchmark.h>

#include <array>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "bench/sample_events.hpp"
#include "engine/disk.hpp"
#include "engine/limits.hpp"
#include "engine/log.hpp"

namespace docket {
namespace {

constexpr Nanos received = 1'900'000'000'000'000'000;

// Under $TMPDIR, removed at the end.
class Directory {
 public:
  Directory() : path_(std::filesystem::temp_directory_path() / "docket-commit-bench") {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// What a commit cannot be faster than: 4 KiB into space written before, and fdatasync.
void BM_Fdatasync4KiB(benchmark::State& state) {
  const Directory directory;
  const auto file = posix_disk().open(directory.file("raw"), OpenMode::create);
  const std::vector<std::byte> space(std::size_t{16} << 20);
  const std::span<const std::byte> zeros(space);
  if (!file || !(*file)->write_at(FileOffset(0), std::span(&zeros, 1)) || !(*file)->sync_data()) {
    state.SkipWithError("cannot prepare the file");
    return;
  }
  const std::vector<std::byte> page(4096, std::byte{1});
  const std::span<const std::byte> part(page);
  std::uint64_t at = 0;
  for (auto _ : state) {
    if (!(*file)->write_at(FileOffset(at % space.size()), std::span(&part, 1)) ||
        !(*file)->sync_data()) {
      state.SkipWithError("cannot write");
      break;
    }
    at += page.size();
  }
}
BENCHMARK(BM_Fdatasync4KiB)->UseRealTime();

// Counts acknowledgements, so that a sender can keep a window of batches on their way.
class Window {
 public:
  void sent() {
    const std::lock_guard lock(mutex_);
    ++open_;
  }
  void acknowledged(bool stored) {
    const std::lock_guard lock(mutex_);
    --open_;
    failed_ = failed_ || !stored;
    changed_.notify_one();
  }
  // Waits until fewer than `size` are open; false when one was not stored.
  bool wait_below(std::size_t size) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, size] { return open_ < size; });
    return !failed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t open_ = 0;
  bool failed_ = false;
};

EncodedBatch batch_of(std::size_t rows) {
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (const Event& event : bench::sample_events(rows)) {
    builder.add(view_of(event, related));
  }
  return builder.finish();
}

// range(0): rows of a batch; range(1): how many batches are on their way at once.
void BM_Commit(benchmark::State& state) {
  const Directory directory;
  StoreOptions options;
  options.free_space_floor = 0;
  const auto store = Store::open(posix_disk(), directory.file("store"), options);
  if (!store) {
    state.SkipWithError(store.error().message.c_str());
    return;
  }
  Log& log = **(*store)->log("bench");
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto window_size = static_cast<std::size_t>(state.range(1));
  const EncodedBatch batch = batch_of(rows);
  const auto window = std::make_shared<Window>();
  for (auto _ : state) {
    window->sent();
    log.submit(batch, {"node-1", 0, 0}, received, [window](const Result<Receipt>& receipt) {
      window->acknowledged(receipt.has_value());
    });
    if (!window->wait_below(window_size)) {
      state.SkipWithError("not stored");
      break;
    }
  }
  if (!window->wait_below(1)) {
    state.SkipWithError("not stored");
  }
  const LogStats stats = log.stats();
  state.SetItemsProcessed(static_cast<std::int64_t>(stats.events));
  state.counters["batches_per_commit"] =
      static_cast<double>(stats.batches) / static_cast<double>(stats.commits);
}
BENCHMARK(BM_Commit)
    ->ArgNames({"rows", "window"})
    ->Args({1, 1})
    ->Args({1, 64})
    ->Args({limits::block_rows_max, 1})
    ->Args({limits::block_rows_max, 8})
    ->UseRealTime();

}  // namespace
}  // namespace docket

BENCHMARK_MAIN();
