// A bounded number of something (bytes, queries, connections), taken before it is used.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace docket::server {

// Thread-safe. Must outlive what was taken from it.
class Budget {
 public:
  explicit Budget(std::uint64_t total) : total_(total) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // Gives back what was taken when it goes.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), amount_(other.amount_) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(amount_, other.amount_);
      return *this;
    }
    ~Share() {
      if (budget_ != nullptr) {
        budget_->used_ -= amount_;
      }
    }

    // Holds so much more of the same budget. False: so much is not left, and nothing has changed.
    [[nodiscard]] bool grow(std::uint64_t more) {
      std::optional<Share> taken = budget_->take(more);
      if (taken) {
        taken->budget_ = nullptr;  // this one gives it back
        amount_ += more;
      }
      return taken.has_value();
    }
    [[nodiscard]] std::uint64_t amount() const { return amount_; }

   private:
    friend class Budget;
    Share(Budget* budget, std::uint64_t amount) : budget_(budget), amount_(amount) {}
    Budget* budget_ = nullptr;
    std::uint64_t amount_ = 0;
  };

  // nullopt when so much is not left.
  [[nodiscard]] std::optional<Share> take(std::uint64_t amount) {
    std::uint64_t used = used_.load();
    do {
      if (amount > total_ || used > total_ - amount) {
        return std::nullopt;
      }
    } while (!used_.compare_exchange_weak(used, used + amount));
    return Share(this, amount);
  }
  [[nodiscard]] std::uint64_t used() const { return used_.load(); }

 private:
  const std::uint64_t total_;
  std::atomic<std::uint64_t> used_{0};
};

}  // namespace docket::server
