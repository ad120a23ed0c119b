// JSON events in: one object, a line of NDJSON, or an array of objects.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/log.hpp"
#include "engine/result.hpp"
#include "ingest/redactor.hpp"

namespace docket::ingest {

// Decodes event objects. Not thread-safe; reuse it, it keeps its buffers. Duplicate or unknown
// members are errors that name the member; so is a value of the wrong type. An optional member may
// be null, which means absent. `seq`, `received` and `node` are read over, so that exported events
// can be sent again.
class EventDecoder {
 public:
  EventDecoder();
  ~EventDecoder();
  EventDecoder(EventDecoder&&) noexcept;
  EventDecoder& operator=(EventDecoder&&) noexcept;

  struct Decoded {
    std::string_view log;  // "activity" when absent
    EventView event;       // verb upper-cased; ts = received when absent
    bool has_ts = false;   // of its own
  };

  // Decodes and checks one object completely (form, UTF-8, every rule of the event). The views are
  // valid until the next call and as long as `json`. Error: invalid_argument, "field: rule", or
  // "json: what is wrong where".
  [[nodiscard]] Result<Decoded> decode(std::string_view json, const EventRules& rules,
                                       Nanos received);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether the bytes are exactly one valid JSON object (white space around it allowed), at most
// json_depth_max deep. Thread-safe.
[[nodiscard]] bool is_json_object(std::string_view json);
// The same for an array.
[[nodiscard]] bool is_json_array(std::string_view json);

// What a sender is told whose event names a log that the store does not make.
[[nodiscard]] std::string log_refusal(const Error& error);

struct RejectedEvent {
  std::uint64_t index = 0;  // position in the request
  std::string error;
};

// What POST /api/v1/events answers with.
struct RequestOutcome {
  std::uint64_t accepted = 0;
  std::vector<RejectedEvent> rejected;
  std::uint64_t first_seq = 0;  // of the events stored, in the log of the first one; 0: none
  std::uint64_t last_seq = 0;
  bool duplicate = false;  // the idempotency key was seen before; nothing new was stored
};

// Who has sent an HTTP body.
struct RequestSender {
  std::string node;
  // Makes a second call with the same body harmless, where not empty.
  std::string idempotency_key;
  std::vector<std::string> logs;  // that it may write to; empty: all
  // What must not be stored; null: nothing.
  std::shared_ptr<const Redactor> redactor{};
};

// Stores the events of one HTTP body: NDJSON, or a JSON array of objects (told apart by the first
// byte). `done` is called once, after the commit, from an engine thread (or from the call itself
// where nothing is submitted). Blocks for the first event of a new log (its files are made), never
// for a commit.
//
// Each event stands alone: a broken one, which need not be an object or JSON at all, is rejected by
// its index (in NDJSON, lines that are not blank, counted from 0) and its neighbours are stored. An
// array that cannot be cut into elements is unusable as a whole and nothing of it is stored.
//
// Error: the body as a whole is unusable (invalid_argument) or the store cannot take it now
// (overloaded, no_space, closed, unknown_outcome); then some of its batches may have been stored,
// and only a retry under the same idempotency key is free of duplicates. An allocation that fails
// before any batch is given to the store is an exception, and `done` is not called.
void store_json(Store& store, std::string_view body, const EventRules& rules,
                const RequestSender& sender, std::function<void(Result<RequestOutcome>)> done);

}  // namespace docket::ingest
