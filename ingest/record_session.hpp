// What the line protocols share: records that come one behind the other on a connection, without
// numbers of their own, become batches of their logs. Internal to the server's sources.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.hpp"
#include "engine/log.hpp"
#include "ingest/connection.hpp"
#include "ingest/event_json.hpp"
#include "ingest/redactor.hpp"
#include "ingest/sender_ledger.hpp"
#include "ingest/sender_rights.hpp"

namespace docket::ingest {

// Longer records are rejected and skipped.
inline constexpr std::size_t record_bytes_max = std::size_t{1} << 20;

// Records become batches, one builder per log. While nothing of a log is on its way to the disk,
// its events go at once, so that a single record is durable as soon as possible; while commits are
// under way they gather, so that bulk makes large batches.
//
// L1  A record is settled when it is blank, a token, rejected, or in a batch that is durable.
// L2  The first record that is not settled is the least of the first records of all builders with
//     rows, all batches in flight and all refused batches.
// L3  reject() is called for a record before it counts as settled.
// L4  What the store refuses for the moment is kept and given to it again, in order, and nothing
//     new is read meanwhile.
//
// A protocol says how records are cut and decoded, and what their sender is told.
class RecordSession : public std::enable_shared_from_this<RecordSession> {
 public:
  explicit RecordSession(std::shared_ptr<Connection> connection);
  virtual ~RecordSession() = default;
  RecordSession(const RecordSession&) = delete;
  RecordSession& operator=(const RecordSession&) = delete;

  [[nodiscard]] asio::awaitable<void> run();

 protected:
  // What stands at the front of the input.
  struct Piece {
    enum class Kind : std::uint8_t {
      part,     // not yet a whole record
      record,   // `text`
      blank,    // counts as a record and says nothing
      filler,   // counts as none
      faulty,   // a record that is rejected for `fault`
      unusable  // where the next record begins cannot be known: the connection ends for `fault`
    };
    Kind kind = Kind::part;
    std::size_t bytes = 0;  // of the input, that are done with
    std::string_view text;
    std::string_view fault;
  };
  // `at_end`: no more will come, so a last record without its end is as good as whole. Called again
  // with the same input, at least, until its bytes are done with.
  [[nodiscard]] virtual Piece cut(std::string_view unread, bool at_end) = 0;
  // The views are valid until the next call and as long as `record`. Error: invalid_argument.
  [[nodiscard]] virtual Result<EventDecoder::Decoded> decode(std::string_view record,
                                                             Nanos received) = 0;
  // The token that a record shows instead of an event, where the protocol has a place for one.
  [[nodiscard]] virtual std::optional<std::string_view> token_of(std::string_view record) const = 0;
  [[nodiscard]] virtual SenderWay way() const = 0;
  // What a peer that has shown none is told beside.
  [[nodiscard]] virtual std::string_view token_advice() const = 0;
  // Record `number`, from 1, is not stored, for good.
  virtual void reject(std::uint64_t number, std::string_view error) = 0;
  // Nothing is known of what stands behind the settled records; the connection is about to end.
  virtual void tell_failure(const std::string& why) = 0;
  // Called before the outbox is written.
  virtual void compose() = 0;

  // All before and including this one are settled.
  [[nodiscard]] std::uint64_t settled_records() const;
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] Connection& connection() { return *connection_; }

 private:
  // A log that this connection writes to.
  struct Slot {
    std::string name;
    Log* log = nullptr;
    std::unique_ptr<BatchBuilder> builder;  // none while there are no rows
    std::uint64_t first_record = 0;         // of the builder's rows
    Nanos received = 0;                     // of all of them
    std::size_t charged = 0;                // of the budget, for the builder
    std::uint32_t in_flight = 0;            // batches
  };
  // A batch that has left its builder. The bytes stay here until it is stored, for L4.
  struct Pending {
    std::size_t slot = 0;
    EncodedBatch batch;
    std::uint64_t first_record = 0;
    std::size_t charged = 0;
    Nanos received = 0;
  };
  using PendingPtr = std::shared_ptr<Pending>;

  // Why the input at hand was not taken further.
  enum class Pause : std::uint8_t { starved, new_log, window_full, outbox_full, ended };

  // What stands in the input, as far as it goes; counted for the quota.
  Pause take_records(bool at_end);
  Pause take_pieces(bool at_end);
  Pause take(const Piece& piece);
  Pause take_record(std::string_view text);
  // The first record shows the token. False: the peer is refused.
  [[nodiscard]] bool admit(std::optional<std::string_view> token);
  Pause add(EventDecoder::Decoded& decoded);
  void count_rejected(std::string_view error);
  [[nodiscard]] Slot* slot_of(std::string_view log);
  void charge_builders();

  [[nodiscard]] asio::awaitable<void> open_new_log();
  [[nodiscard]] asio::awaitable<void> read_more();
  [[nodiscard]] asio::awaitable<void> fit_input();
  [[nodiscard]] asio::awaitable<bool> reserve(std::size_t bytes);
  [[nodiscard]] asio::awaitable<void> finish();
  [[nodiscard]] bool must_wait(Pause why) const;

  void submit(std::size_t slot);
  void submit_idle();
  void submit_all();
  void give_to_store(const PendingPtr& pending);
  void completed(const PendingPtr& pending, Result<Receipt> result);
  void refused(const PendingPtr& pending, const Error& error);
  void retry_later();
  void retry();
  void fail(const std::string& why);
  void forget(const PendingPtr& pending);

  const std::shared_ptr<Connection> connection_;
  Nanos received_ = 0;
  std::shared_ptr<const Redactor> redactor_;  // of the records at hand
  Redactor::Scratch redacted_;

  bool is_admitted_ = false;
  SenderRights rights_;
  SenderLedger::Presence presence_;  // once it is admitted

  std::uint64_t records_ = 0;  // seen completely
  std::string new_log_;        // that Pause::new_log wants
  std::string log_error_;      // why there is none, for the record at the front of the input

  std::vector<Slot> slots_;
  std::size_t last_slot_ = 0;
  std::vector<PendingPtr> in_flight_;
  std::vector<PendingPtr> refused_;  // ascending by first record
  asio::steady_timer retry_timer_;
  std::int64_t refused_since_ = 0;
  std::uint32_t retry_ms_ = 0;
  bool retry_scheduled_ = false;
  bool failed_ = false;
  bool waits_for_input_ = false;
};

}  // namespace docket::ingest
