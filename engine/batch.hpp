// A batch: up to 8,192 events of one log in columns, with the batch's own dictionaries.
//
// The same bytes travel on the wire and stand in a hot block on disk (engine/FORMAT.md, "Body"):
// a sender encodes once, the server checks and stores. Everything that makes events out of other
// inputs (NDJSON, HTTP) goes through the same builder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/result.hpp"

namespace docket {

struct EncodedBatch {
  std::vector<std::byte> bytes;  // a body: section directory, then sections
  std::uint32_t rows = 0;
  Nanos ts_min = 0;  // both 0 when rows == 0
  Nanos ts_max = 0;
};

// Collects events and encodes them. Not thread-safe. Reusable: finish() leaves it empty but keeps
// its memory. Add is O(1) amortised; strings are copied, so the event's bytes may go at once.
class BatchBuilder {
 public:
  BatchBuilder();
  ~BatchBuilder();
  BatchBuilder(BatchBuilder&&) noexcept;
  BatchBuilder& operator=(BatchBuilder&&) noexcept;

  // Precondition: check_event() accepted it and !full().
  void add(const EventView& event);
  // For a block made of stored ones: keeps who sent the event and when it came. One batch is made
  // by add() or by this, not by both.
  void add_stored(const EventView& event, Nanos received, std::string_view node);

  [[nodiscard]] std::uint32_t rows() const;
  // Bytes of strings and payloads held; what memory budgets count.
  [[nodiscard]] std::size_t raw_bytes() const;
  // No further event may be added: row limit reached, or so many bytes that one more event of the
  // largest size could pass the block's limit.
  [[nodiscard]] bool full() const;

  // Encodes what was added (which may be nothing) and starts anew.
  [[nodiscard]] EncodedBatch finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct RejectedRow {
  std::uint32_t row = 0;  // position in the batch as it was sent
  std::string error;      // "field: rule"
};

struct AdmittedBatch {
  EncodedBatch batch;                 // the rows that keep every rule, in their order
  std::vector<RejectedRow> rejected;  // ascending by row
};

// Whether the bytes are one JSON object, in valid UTF-8. Called for each payload, with its exact
// bytes.
using PayloadCheck = std::function<bool(std::string_view)>;

// Checks a batch from the wire completely: form, bounds, checksums, UTF-8, every rule of the event.
// Error: the batch as a whole is malformed or larger than limits::batch_bytes_max, and nothing of
// it can be used. Where single rows break a rule, they are named and left out of the admitted
// batch. Costs time linear in the distinct strings; when nothing is rejected and the dictionaries
// hold nothing that breaks a rule, the bytes are taken over without being encoded again.
[[nodiscard]] Result<AdmittedBatch> admit_batch(std::vector<std::byte> wire,
                                                const EventRules& rules, Nanos received,
                                                const PayloadCheck& is_json_object);

// Decodes all rows of a batch (a body), calling `sink` for each in order. For tools and tests; the
// query path reads columns instead. `event` is reused between calls; log, seq, received and node
// are not set.
[[nodiscard]] Result<void> decode_batch(std::span<const std::byte> body,
                                        const std::function<void(const Event&)>& sink);

}  // namespace docket
