// What a server has acknowledged, written down by the sender: the other half of the promise that an
// acknowledged event is never lost.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"

namespace docket::load {

// An acknowledged batch: events of `log` with seqs first_seq .. first_seq + rows - 1 are the first
// `rows` events on this log among the generator's first_index, first_index + stride, and so on.
struct LedgerEntry {
  std::string log;
  std::uint64_t first_seq = 0;
  std::uint64_t rows = 0;
  std::uint64_t first_index = 0;
  std::uint64_t stride = 1;
  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};

// Appends entries to a file, one line each, handed to the kernel before record() returns: what the
// sender knew outlives the sender. Thread-safe.
class LedgerWriter {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LedgerWriter>> create(const std::string& path);
  // Error: io; the ledger is then of no use.
  [[nodiscard]] Result<void> record(const LedgerEntry& entry);

 private:
  struct Close {
    void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
  };
  explicit LedgerWriter(std::FILE* file) : file_(file) {}

  std::mutex mutex_;
  std::unique_ptr<std::FILE, Close> file_;
};

// Error: not_found, io, or corrupt naming the line. A last line cut short (the sender was killed)
// is left out.
[[nodiscard]] Result<std::vector<LedgerEntry>> read_ledger(const std::string& path);

}  // namespace docket::load
