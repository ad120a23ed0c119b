// How many events came in which way, and what was wrong with those that were not stored.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ingest/sender_ledger.hpp"

namespace docket::ingest {

// The field whose rule an event broke; `form` where what came is no event at all (faulty JSON, a
// line too long, a message without its head), `other` for anything else.
inline constexpr std::array<std::string_view, 15> reject_reasons{
    "form", "log",     "ts",     "actor",   "verb",    "target",  "related", "affected",
    "ip",   "outcome", "reason", "session", "request", "payload", "other"};
// Of an error "field: rule", as its place in reject_reasons.
[[nodiscard]] std::size_t reject_reason_of(std::string_view error);

struct IntakeNumbers {
  std::array<std::uint64_t, sender_way_count> accepted{};  // stored
  std::array<std::array<std::uint64_t, reject_reasons.size()>, sender_way_count> rejected{};
};

// Thread-safe.
class IntakeCounts {
 public:
  void accepted(SenderWay way, std::uint64_t events) {
    accepted_[static_cast<std::size_t>(way)].fetch_add(events, std::memory_order_relaxed);
  }
  void rejected(SenderWay way, std::string_view error) {
    rejected_[static_cast<std::size_t>(way)][reject_reason_of(error)].fetch_add(
        1, std::memory_order_relaxed);
  }
  [[nodiscard]] IntakeNumbers numbers() const;

 private:
  std::array<std::atomic<std::uint64_t>, sender_way_count> accepted_{};
  std::array<std::array<std::atomic<std::uint64_t>, reject_reasons.size()>, sender_way_count>
      rejected_{};
};

}  // namespace docket::ingest
