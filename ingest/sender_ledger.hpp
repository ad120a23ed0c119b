// What is known of senders since the start, beside what the store keeps of them: who is connected,
// when each was last heard of, and which batches it has numbered that are not stored.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"

namespace docket::ingest {

enum class SenderWay : std::uint8_t { native, ndjson, syslog, http, otlp };
inline constexpr std::size_t sender_way_count = 5;
[[nodiscard]] std::string_view to_string(SenderWay way);

// Batches first..last of one epoch of a sender were numbered by it and are not stored.
struct MissingBatches {
  std::string log;
  std::uint64_t epoch = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  Nanos since = 0;        // the first of them was refused
  bool is_final = false;  // a later epoch has begun: under these numbers they will not come
};

struct SenderFacts {
  std::string node;
  std::string address;  // the last, without port, or unix:UID
  SenderWay way = SenderWay::native;
  std::uint32_t connections = 0;  // now
  Nanos last_heard = 0;           // anything, a ping too
  // How far its newest events of the last minute or two were ahead of our clock at their receipt,
  // at most. More than 0: its clock is ahead by so much at least. Less: it is behind, or late; the
  // protocols carry no time of sending. Nothing where it has sent none.
  std::optional<Nanos> clock_ahead;
  std::vector<MissingBatches> missing;  // by log and epoch
};

// How many senders are known at a time; beyond them whoever is not connected and was heard of
// longest ago is forgotten, and one who finds all others connected is not listed.
inline constexpr std::size_t ledger_senders_max = 32'768;
// Of one sender; those that are final and oldest give way.
inline constexpr std::size_t ledger_missing_max = 128;

// Thread-safe. What it is told costs no memory while nothing is missing.
class SenderLedger {
  struct Record;

 public:
  // One connection of a sender: lets go when destroyed.
  class Presence {
   public:
    Presence() = default;
    explicit Presence(std::shared_ptr<Record> record);
    Presence(Presence&& other) noexcept = default;
    Presence& operator=(Presence&& other) noexcept;
    ~Presence();

    // Precondition of all: not default-made.
    void heard(Nanos now);
    // The newest time of a batch's events.
    void sent(Nanos newest, Nanos received);
    // A numbered batch is not stored: its number is known, and that of `expected`, where that is
    // not 0, as the next.
    void refused(std::string_view log, std::uint64_t epoch, std::uint64_t batch,
                 std::uint64_t expected, Nanos now);
    // A numbered batch is stored, and with it all before. Returns the batches of earlier epochs
    // that have become final by it.
    [[nodiscard]] std::vector<MissingBatches> stored(std::string_view log, std::uint64_t epoch,
                                                     std::uint64_t batch);

   private:
    std::shared_ptr<Record> record_;
  };

  [[nodiscard]] Presence connected(const std::string& node, const std::string& address,
                                   SenderWay way, Nanos now);
  // As connected, and gone at once.
  void heard(const std::string& node, const std::string& address, SenderWay way, Nanos now);

  // By node.
  [[nodiscard]] std::vector<SenderFacts> all() const;

 private:
  [[nodiscard]] std::shared_ptr<Record> record_of(const std::string& node,
                                                  const std::string& address, SenderWay way,
                                                  Nanos now);
  void make_room();

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Record>, std::less<>> records_;
};

// "batches 7 to 9 of log activity, epoch 3".
[[nodiscard]] std::string text_of(const MissingBatches& missing);

}  // namespace docket::ingest
