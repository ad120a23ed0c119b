// Batch builders for whoever has events at the moment. A builder keeps some megabytes of tables
// once it has been full; so connections borrow one while they collect events and own none.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/batch.hpp"

namespace docket::ingest {

// Thread-safe.
class BuilderPool {
 public:
  // Keeps at most `spare_max` builders that nobody uses.
  explicit BuilderPool(std::size_t spare_max) : spare_max_(spare_max) { spare_.reserve(spare_max); }

  // An empty builder.
  [[nodiscard]] std::unique_ptr<BatchBuilder> borrow() {
    {
      const std::scoped_lock lock(mutex_);
      if (!spare_.empty()) {
        auto builder = std::move(spare_.back());
        spare_.pop_back();
        return builder;
      }
    }
    return std::make_unique<BatchBuilder>();
  }

  // Precondition: empty, as finish() leaves it.
  void put_back(std::unique_ptr<BatchBuilder> builder) {
    const std::scoped_lock lock(mutex_);
    if (spare_.size() < spare_max_) {
      spare_.push_back(std::move(builder));
    }
  }

 private:
  const std::size_t spare_max_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<BatchBuilder>> spare_;
};

}  // namespace docket::ingest
