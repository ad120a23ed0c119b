// Who has sent what to a log: the durable state behind exactly-once delivery.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/counts.hpp"
#include "engine/log.hpp"
#include "engine/result.hpp"

namespace docket {

struct BatchReceipt {
  std::uint64_t batch = 0;
  Seq first_seq;
  std::uint32_t rows = 0;
};

struct Producer {
  std::uint64_t epoch = 0;
  std::uint64_t last_batch = 0;
  Nanos last_received = 0;
  std::deque<BatchReceipt> receipts;  // the newest, ascending; at most producer_receipts_max
};

// Not thread-safe: the committer's, or a recovery's.
class ProducerTable {
 public:
  // What to do with a batch that came in.
  enum class Verdict : std::uint8_t { next, duplicate };
  // `receipt` is set for a duplicate (first_seq 0 when it is forgotten). Errors: out_of_order
  // (offset = the number expected), overloaded (the table is full of other producers),
  // invalid_argument (a bad name).
  [[nodiscard]] Result<Verdict> check(const ProducerStamp& stamp, Receipt& receipt) const;
  // Notes a batch as stored. Numbers that are not newer than what is known change nothing, so a
  // table may be brought up to date from blocks it has already seen.
  void stored(const ProducerStamp& stamp, Seq first_seq, std::uint32_t rows, Nanos received);
  // Undoes stored() of a producer's newest batch, whose sync failed. What it replaced of an older
  // epoch does not come back: the batches of the new one count from 0.
  void take_back(const ProducerStamp& stamp);
  // Takes over whatever `other` knows that is newer.
  void merge(const ProducerTable& other);
  // Forgets one-off producers (idempotency keys) last heard of before `horizon`.
  void expire(Nanos horizon);

  [[nodiscard]] const std::map<std::string, Producer, std::less<>>& all() const {
    return producers_;
  }

  void encode(std::vector<std::byte>& out) const;
  // Reads what encode() wrote and advances `from`. Error: corrupt, without a place.
  [[nodiscard]] static Result<ProducerTable> decode(std::span<const std::byte>& from);

 private:
  std::map<std::string, Producer, std::less<>> producers_;
};

// Producers of this prefix stand for one request each and are forgotten after a day.
inline constexpr std::string_view one_off_prefix = "idempotency:";
inline constexpr Nanos one_off_lifetime = 24LL * 3600 * 1'000'000'000;

}  // namespace docket
