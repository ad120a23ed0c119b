// NDJSON over TCP: one event object per line, answered by `{"durable":N}` and
// `{"line":K,"error":"..."}` lines. Internal to the server's sources.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.hpp"
#include "engine/log.hpp"
#include "ingest/connection.hpp"
#include "ingest/event_json.hpp"

namespace docket::ingest {

// Longer lines are rejected and skipped; the connection goes on.
inline constexpr std::size_t line_bytes_max = std::size_t{1} << 20;

// Lines become batches, one builder per log. While nothing of a log is on its way to the disk, its
// events go at once, so that a single line is durable as soon as possible; while commits are under
// way they gather, so that bulk makes large batches.
//
// L1  A line is settled when it is blank, a token, rejected, or in a batch that is durable.
// L2  The first line that is not settled is the least of the first lines of all builders with rows,
//     all batches in flight and all refused batches; `durable` is the one before it.
// L3  The error of a rejected line is written before any `durable` that covers it.
// L4  What the store refuses for the moment is kept and given to it again, in order, and nothing
//     new is read meanwhile.
class NdjsonSession : public std::enable_shared_from_this<NdjsonSession> {
 public:
  explicit NdjsonSession(std::shared_ptr<Connection> connection);

  [[nodiscard]] asio::awaitable<void> run();

 private:
  // A log that this connection writes to.
  struct Slot {
    std::string name;
    Log* log = nullptr;
    std::unique_ptr<BatchBuilder> builder;  // none while there are no rows
    std::uint64_t first_line = 0;           // of the builder's rows
    std::size_t charged = 0;                // of the budget, for the builder
    std::uint32_t in_flight = 0;            // batches
  };
  // A batch that has left its builder. The bytes stay here until it is stored, for L4.
  struct Pending {
    std::size_t slot = 0;
    EncodedBatch batch;
    std::uint64_t first_line = 0;
    std::size_t charged = 0;
    Nanos received = 0;
  };
  using PendingPtr = std::shared_ptr<Pending>;

  // Why decoding of the input at hand paused.
  enum class Pause : std::uint8_t { starved, new_log, window_full, outbox_full, ended };

  Pause decode_lines();
  Pause take_line(std::string_view line);
  // The first line that is not blank shows the token. False: the peer is refused.
  [[nodiscard]] bool admit(std::optional<std::string_view> token);
  Pause add(const EventDecoder::Decoded& decoded);
  void reject(std::uint64_t line, std::string_view error);
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

  [[nodiscard]] std::uint64_t settled_lines() const;
  void compose_durable();

  const std::shared_ptr<Connection> connection_;
  EventDecoder decoder_;
  Nanos received_ = 0;

  bool is_admitted_ = false;
  SenderRights rights_;
  std::uint64_t lines_ = 0;  // seen completely
  std::size_t scanned_ = 0;  // bytes of the unread input known to hold no newline
  bool skipping_ = false;    // inside a line that is too long
  std::string new_log_;      // that Pause::new_log wants

  std::vector<Slot> slots_;
  std::size_t last_slot_ = 0;
  std::vector<PendingPtr> in_flight_;
  std::vector<PendingPtr> refused_;  // ascending by first line
  asio::steady_timer retry_timer_;
  std::int64_t refused_since_ = 0;
  std::uint32_t retry_ms_ = 0;
  bool retry_scheduled_ = false;
  bool failed_ = false;
  bool waits_for_input_ = false;

  std::uint64_t told_durable_ = 0;
};

}  // namespace docket::ingest
