// The client's inside: what its two sides, the emitting threads (client.cpp) and its own thread
// (client_thread.cpp), share. The own thread's work may be done by one in flush()
// (client_loop.hpp). Internal to the client.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/batch.hpp"
#include "ingest/client.hpp"
#include "ingest/client_link.hpp"
#include "ingest/client_loop.hpp"
#include "ingest/client_spool.hpp"
#include "ingest/client_spool_reader.hpp"
#include "ingest/client_stream.hpp"
#include "ingest/protocol.hpp"
#include "ingest/redactor.hpp"

namespace docket::client {

using Clock = std::chrono::steady_clock;

// What an event with a handler costs beside the event, for the client's memory.
inline constexpr std::size_t handler_overhead_bytes = 64;

// Events of one log that have been emitted and not yet encoded.
struct Gathered {
  std::unique_ptr<BatchBuilder> builder;
  RowHandlers handlers;
  std::size_t charged = 0;
  Clock::time_point first_emitted;
  std::uint64_t spool_end = 0;  // the spool's ordinal behind the last one
};

// Invariants:
// K1  mutex_ guards everything that emit() and the client's thread share, the members above the
//     line; nothing below it is touched by another thread. It is never held while a handler runs,
//     while a batch is encoded or while a socket is used. It is held while the spool is written.
// K2  used_ is what all events emitted and not yet answered are charged, but for those that are on
//     the spool's disk alone (backlog_).
// K3  Batches of a log are encoded, numbered and sent in the order of emission.
// K4  With a spool, a batch is sent only when the spool has noted it.
// K5  While there is a backlog, no event that is emitted goes to memory; so what is in memory was
//     emitted before all of the backlog.
class RunningClient final : public Client, private LinkEvents {
 public:
  // `spool` may be nullptr; `disk` is where it is.
  RunningClient(const Options& options, BatchHandler on_batch, Disk& disk,
                std::unique_ptr<Spool> spool);
  ~RunningClient() override;

  Result<void> emit(std::string_view log, const EventView& event,
                    DeliveryHandler on_delivery) override;
  Result<void> emit_waiting(std::string_view log, const EventView& event,
                            std::uint32_t timeout_ms) override;
  Result<void> emit_marked(std::string_view log, const EventView& event, std::string_view mark,
                           DeliveryHandler on_delivery) override;
  std::string mark() const override;
  Result<void> flush(std::uint32_t timeout_ms) override;
  Counters counters() const override;
  std::string last_error() const override;

 private:
  // One log. The first group is guarded by mutex_, the stream belongs to the client's thread.
  struct Lane {
    explicit Lane(std::string_view log, std::uint64_t first_number = 1)
        : stream(std::string(log), first_number) {}

    Gathered gathering;           // no builder while there are no events
    std::deque<Gathered> filled;  // complete batches that wait to be encoded
    bool flush_wanted = false;
    std::string dead;  // why the server takes nothing of this log
    std::optional<std::uint8_t> spool_log;
    std::uint64_t backlog_from = 0;  // ordinal of the first event of the backlog
    // Of the events of the backlog that have one, by ordinal.
    std::deque<std::pair<std::uint64_t, DeliveryHandler>> backlog_handlers;

    // The client's thread.
    ClientStream stream;
    std::chrono::microseconds last_answer_took{0};
    Clock::time_point last_closed;         // when events had gathered long enough for a batch
    std::uint64_t noted_number = 0;        // of the last batch that the spool has noted
    std::deque<std::uint64_t> known_ends;  // of batches that an earlier run has noted
    std::uint64_t read = 0;                // events of the spool below it have been read back
    Gathered reading;
    std::deque<std::pair<std::uint64_t, DeliveryHandler>> reading_handlers;
  };
  // What reading events back has come to.
  struct Refill {
    std::vector<std::pair<Lane*, Gathered>> collected;
    std::vector<SpoolFile> files;
    std::vector<Lane*> lanes;  // by the spool's index
    std::size_t charged = 0;
    std::size_t charged_max = 0;
    std::size_t handler_bytes = 0;
    std::uint64_t lost = 0;
    std::uint64_t refused = 0;  // of logs that the server takes nothing of
  };

  Result<void> check(std::string_view log, const EventView& event) const;
  // An event that keeps the rules, without what is to be taken out of it: `event` is then without.
  Result<void> add(std::string_view log, EventView& event, std::string_view mark,
                   DeliveryHandler on_delivery,
                   std::optional<std::chrono::milliseconds> wait_at_most);
  [[nodiscard]] bool has_room(std::size_t bytes, bool has_handler) const;
  void gather(Lane& lane, const EventView& event, DeliveryHandler on_delivery, std::size_t bytes);
  [[nodiscard]] Result<void> spool_event(Lane& lane, const EventView& event, std::string_view mark,
                                         DeliveryHandler on_delivery, std::size_t bytes);
  Lane& lane_of(std::string_view log);
  void close_batch(Lane& lane);
  void wake();
  std::unique_ptr<BatchBuilder> borrow_builder();

  void pump();
  void collect(Lane& lane, std::vector<std::pair<Lane*, Gathered>>& collected,
               std::optional<Clock::time_point>& next_linger);
  [[nodiscard]] std::chrono::microseconds linger_of(const Lane& lane) const;
  void encode(std::vector<std::pair<Lane*, Gathered>>& collected);
  void adopt_spool();
  void refill();
  bool begin_refill(Refill& refill);
  void update_refill(Refill& refill);
  [[nodiscard]] bool has_known_batches() const;
  enum class ReadBack : std::uint8_t { enough, all, failed };
  [[nodiscard]] ReadBack read_back(Refill& refill);
  void take_read(Refill& refill, Lane& lane, const SpoolRecord& record);
  void skip_to(Refill& refill, Lane& lane, std::uint64_t ordinal);
  [[nodiscard]] static DeliveryHandler take_handler(Refill& refill, Lane& lane,
                                                    std::uint64_t ordinal);
  void open_read(Lane& lane);
  void close_known(Refill& refill, Lane& lane, std::uint64_t ordinal);
  void close_read(Refill& refill, Lane& lane, std::uint64_t end);
  bool end_backlog(Refill& refill);
  void end_refill(Refill& refill);
  void forget(std::uint64_t lost, std::uint64_t refused);
  [[nodiscard]] Result<void> note_batches();
  void send_what_fits();
  bool may_send(const OutBatch& batch) const;
  std::vector<Lane*> lanes() const;
  Lane* find_lane(std::string_view log);
  void give_up(Lane& lane, const std::string& why);
  void settle(std::uint64_t durable, std::uint64_t rejected, std::size_t charged);
  void change_epoch_when_safe();
  void pause_then_resume();

  asio::awaitable<void> connect_loop();
  [[nodiscard]] Address current_address() const;
  void on_welcome(const ingest::Welcome& welcome) override;
  Result<void> on_ack(const ingest::Ack& ack) override;
  Result<void> on_error(const ingest::ErrorFrame& error) override;
  void on_goodbye() override;
  void disconnected(const std::string& why);
  std::chrono::milliseconds next_backoff();

  const Options options_;
  const BatchHandler on_batch_;
  const std::optional<ingest::Redactor> redactor_;
  mutable std::atomic<Nanos> past_ns_{0};  // a time that has been

  mutable std::mutex mutex_;
  std::condition_variable room_came_;  // used_ went down
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<std::unique_ptr<BatchBuilder>> spare_;
  Lane* last_lane_ = nullptr;
  std::size_t used_ = 0;
  Counters counters_;
  std::string last_error_ = "not yet connected";
  bool wake_pending_ = false;
  const std::unique_ptr<Spool> spool_;
  bool has_backlog_ = false;     // events of the spool that are not in memory
  bool backlog_is_new_ = false;  // nothing of it has been read
  SpoolPlace backlog_begin_;
  std::size_t backlog_handler_bytes_ = 0;

  // ---- the client's own thread, or who runs the loop in its place (K1) ----
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  ClientLoop loop_;  // its changed() is told when nothing is pending
  asio::steady_timer linger_timer_;
  asio::steady_timer pause_timer_;
  asio::steady_timer reconnect_timer_;
  std::shared_ptr<ClientLink> link_;
  ingest::Welcome welcome_;
  bool welcome_came_ = false;
  bool was_welcome_ = false;
  bool goodbye_came_ = false;
  bool closing_ = false;
  bool pausing_ = false;
  std::uint64_t epoch_;
  std::uint64_t epoch_step_ns_ = 1'000'000'000;
  std::uint32_t backoff_ms_;
  std::size_t failed_attempts_ = 0;  // connections that led to no welcome
  std::uint32_t outstanding_batches_ = 0;
  std::uint64_t outstanding_bytes_ = 0;
  std::minstd_rand random_;
  SpoolReader reader_;
  std::vector<TargetView> related_;
  bool wants_epoch_ = false;       // a new one, as soon as it is safe
  bool spool_has_failed_ = false;  // syncing it has: nothing more may be sent
  std::thread thread_;
};

}  // namespace docket::client
