// The senders of a store and what they were told: the one who knows, after any crash, what must be
// there, what must not, and what may.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/disk.hpp"
#include "engine/event.hpp"
#include "engine/log.hpp"
#include "tests/support/random_events.hpp"

namespace docket::testing {

enum class Step : std::uint8_t { send, seal, retire, send_again };

struct WitnessOptions {
  std::vector<std::string> logs = {"activity", "campaign"};
  std::uint64_t rows_max = 30;    // of a batch
  std::uint64_t batches_max = 6;  // of a `send`
};

// Follows several lives of one store: live() on a disk, a crash, live() on what survived it. A copy
// knows the same and can follow another course. Not thread-safe.
class Witness {
 public:
  // Opens the store, as Store::open does.
  using Opener =
      std::function<Result<std::unique_ptr<Store>>(Disk&, const std::string&, const StoreOptions&)>;

  explicit Witness(std::uint64_t seed, const WitnessOptions& options = {});

  // Opens the store, sends again what was not acknowledged, takes the steps and closes the store:
  // `send` is a few batches of some senders to some logs, all under way at once; `seal` and
  // `retire` concern one log; `send_again` is what was refused until then; a life that has such a
  // step expects that in the end the logs can be sealed. Ends early and quietly when the store does
  // not open, or when all senders are refused and none is to send again; what they were told until
  // then is remembered.
  void live(Disk& disk, const std::vector<Step>& steps, const Opener& open = Store::open);
  // Six out of eight send.
  [[nodiscard]] std::vector<Step> random_steps(std::size_t count);

  // Opens the store on a disk that works and adds a gtest failure for each broken promise:
  //   - it opens, without gaps;
  //   - acknowledged batches are there exactly once, at the seqs of their receipts, whole and
  //     unchanged; batches refused for sure are not there; others are there whole or not at all;
  //   - seqs are dense from the first that is not retired; what is retired does not come back;
  //   - sending again what was not acknowledged stores each batch exactly once;
  //   - the store is the same when it is closed and opened again, and leaves no file over.
  // Afterwards all that can be sent again has been acknowledged.
  void check_and_settle(Disk& disk);

  [[nodiscard]] std::uint64_t acknowledged() const;  // batches
  [[nodiscard]] std::uint64_t refused() const;  // numbered batches that were not acknowledged yet
  [[nodiscard]] std::uint64_t retired() const { return retired_; }  // segments

 private:
  struct Batch {
    std::vector<Event> events;
    bool acknowledged = false;
    bool may_be_stored = false;  // the sender was told unknown_outcome
    Seq first_seq;               // when acknowledged and not empty
  };
  // One sender's batches to one log; batches[i] is number i + 1 of its epoch.
  struct Stream {
    std::string log;
    std::string node;
    std::uint64_t epoch = 1;
    bool numbered = true;
    std::vector<Batch> batches;
    bool waits = false;  // was refused in this life

    [[nodiscard]] std::string tag(std::size_t index) const;
  };
  struct LogState {
    Seq retired;         // everything up to it for sure
    Seq may_be_retired;  // or up to here: the attempt failed half way
  };
  struct Place {
    Seq first_seq;
    std::uint32_t rows = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };
  struct Contents {
    std::map<std::string, Place> batches;    // by tag
    std::map<std::string, Seq> first, last;  // by log; first = last + 1 when it is empty
    friend bool operator==(const Contents&, const Contents&) = default;
  };
  using Sending = std::vector<std::pair<Stream*, std::size_t>>;

  Batch make_batch(const Stream& stream, std::size_t index);
  void send(Store& store, const Sending& sending);
  void send_unacknowledged(Store& store);
  void send_new(Store& store);
  void seal(Store& store);
  void retire_oldest(Store& store);

  struct Sent {
    const Stream* stream = nullptr;
    const Batch* batch = nullptr;
  };
  [[nodiscard]] std::map<std::string, Sent> all_sent() const;  // by tag
  [[nodiscard]] Contents read(Store& store) const;
  void read_log(const LogSnapshot& log, Contents& contents) const;
  void check(Store& store, const Contents& contents);
  void check_batch(const Stream& stream, std::size_t index, const Contents& contents) const;

  WitnessOptions options_;
  std::mt19937_64 random_;
  RandomEvents events_;
  std::vector<Stream> streams_;
  std::map<std::string, LogState> logs_;
  std::uint64_t retired_ = 0;
};

}  // namespace docket::testing
