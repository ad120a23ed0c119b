// Who has sent what to a log: the durable state behind exactly-once delivery.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/limits.hpp"
#include "engine/log.hpp"
#include "engine/result.hpp"

namespace docket {

struct BatchReceipt {
  std::uint64_t batch = 0;
  Seq first_seq;
  std::uint32_t rows = 0;
};

// What is stored of one epoch of a producer: all its batches up to the last.
struct ProducerEpoch {
  std::uint64_t number = 0;
  std::uint64_t last_batch = 0;        // 0: nothing
  std::vector<BatchReceipt> receipts;  // the newest, ascending
};

struct Producer {
  ProducerEpoch newest;  // at most producer_receipts_max receipts
  // The one that this one ended; its number is lower. At most receipts_before_max receipts.
  ProducerEpoch before;
  Nanos last_received = 0;
  bool is_numbered = false;  // has sent a numbered batch
};

// Of the epoch before only the last batches can still be on their way to be sent again: a sender
// is told at its next batch that its epoch is over. That they are stored is known by their numbers;
// the receipts say at which seqs, and are dear: each may be there for every sender in every
// manifest.
inline constexpr std::size_t receipts_before_max = 8;

// What is promised to whom, and so how long who is remembered (engine/FORMAT.md, "Producers").
enum class ProducerKind : std::uint8_t {
  numbered,    // that a batch sent again is stored once
  one_off,     // the same for a single request, for a while; named by one_off_prefix
  unnumbered,  // nothing: remembered to say when it was last heard of
};
inline constexpr std::size_t producer_kind_count = 3;

// Producers of this prefix stand for one request each (an idempotency key), whose epoch tells it
// from any other, and are forgotten after a day; where there are too many of them, after an hour.
inline constexpr std::string_view one_off_prefix = "idempotency:";
inline constexpr Nanos one_off_lifetime = 24LL * 3600 * 1'000'000'000;
inline constexpr Nanos one_off_lifetime_min = 3600LL * 1'000'000'000;
// Where there are too many senders, one that has been silent for so long gives way to a new one.
inline constexpr Nanos sender_lifetime_min = 30LL * 24 * 3600 * 1'000'000'000;

// How many of each kind; together limits::producers_max, so that no kind crowds another out.
inline constexpr std::array<std::size_t, producer_kind_count> producers_of_kind_max = {28672, 32768,
                                                                                       4096};
static_assert(producers_of_kind_max[0] + producers_of_kind_max[1] + producers_of_kind_max[2] ==
              limits::producers_max);

// Not thread-safe: the committer's, or a recovery's.
//
// P1  What check() calls the next batch, stored() notes; both decide by the same rule who must give
//     way, so that recovery comes to the same table.
// P2  Nobody to whom something is promised is forgotten before the time above.
// P3  The epochs whose batches are taken rise: what is not known of a lower one than the newest is
//     never stored, so its sender may send it again under a later epoch.
// P4  A batch of the newest epoch or of the one before is known for stored when it is. Batches of
//     epochs before these two are refused, stored or not.
class ProducerTable {
 public:
  // What to do with a batch that came in.
  enum class Verdict : std::uint8_t { next, duplicate };
  // `receipt` is set for a duplicate (first_seq 0 when it is forgotten). Errors: out_of_order
  // (offset = the number expected; above the batch itself when its epoch is over and the batch is
  // not known to be stored; a one-off producer has but one epoch), overloaded (the table is full of
  // other producers that may not be forgotten yet), invalid_argument (a bad name).
  [[nodiscard]] Result<Verdict> check(const ProducerStamp& stamp, Nanos received,
                                      Receipt& receipt) const;
  // Notes a batch as stored, and its sender and who it shows as heard of; where the table is full,
  // who was heard of longest ago gives way. Numbers that are not newer than what is known change
  // nothing, so a table may be brought up to date from blocks it has already seen. An allocation
  // that fails leaves the batch not stored.
  void stored(const ProducerStamp& stamp, Seq first_seq, std::uint32_t rows, Nanos received);
  // Undoes stored() of a producer's newest batch, which could not be written. With the first of an
  // epoch the one before is the newest again; what that one had replaced does not come back.
  void take_back(const ProducerStamp& stamp) noexcept;
  // Takes over whatever `other` knows that is newer.
  void merge(const ProducerTable& other);
  // Forgets one-off producers (idempotency keys) last heard of before `horizon`.
  void expire(Nanos horizon);

  [[nodiscard]] const std::map<std::string, Producer, std::less<>>& all() const {
    return producers_;
  }

  // All but the one-off ones, by name.
  [[nodiscard]] std::vector<ProducerState> senders() const;

  void encode(std::vector<std::byte>& out) const;
  // Reads what encode() wrote and advances `from`. Error: corrupt, without a place.
  [[nodiscard]] static Result<ProducerTable> decode(std::span<const std::byte>& from);

 private:
  using Producers = std::map<std::string, Producer, std::less<>>;

  [[nodiscard]] std::size_t& count_of(ProducerKind kind) {
    return counts_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] bool is_full(ProducerKind kind) const;
  [[nodiscard]] bool has_room(ProducerKind kind, Nanos received) const;
  void make_room(ProducerKind kind, Nanos received);
  // Forgets those heard of longest ago, down to `keep` of the kind, but nobody heard of since
  // `horizon`.
  void forget(ProducerKind kind, std::size_t keep, Nanos horizon);
  void count();

  Producers producers_;
  std::array<std::size_t, producer_kind_count> counts_{};
  // Nobody of the kind was heard of before: found by a look at all, and kept, so that a full table
  // refuses without one.
  mutable std::array<Nanos, producer_kind_count> heard_since_ = {INT64_MAX, INT64_MAX, INT64_MAX};
};

}  // namespace docket
