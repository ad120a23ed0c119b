// What the calling thread reads from files: for telling what a question has cost.
#pragma once

#include <cstdint>

namespace docket {

// Counts as long as it lives; an inner one counts for those around it as well. Belongs to the
// thread that made it: what other threads read for the same question is theirs.
class ReadAccount {
 public:
  ReadAccount() noexcept;
  ~ReadAccount();
  ReadAccount(const ReadAccount&) = delete;
  ReadAccount& operator=(const ReadAccount&) = delete;

  // Bytes of segment and index files. What was found in a cache has not been read.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // Called where such files are read. Free of cost but for a look at a thread's variable.
  static void add(std::uint64_t bytes) noexcept;

 private:
  ReadAccount* outer_;
  std::uint64_t bytes_ = 0;
};

}  // namespace docket
