// The events of one request: from their texts to the answer after the commit. Internal to this
// folder.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.hpp"
#include "engine/log.hpp"
#include "ingest/event_json.hpp"

namespace docket::ingest {

// Gathers the events of a whole request before anything of it is given to the store, so that one
// which turns out to be unusable leaves nothing behind. Not thread-safe.
class EventRequest {
 public:
  // The store, the rules and the sender must outlive it.
  EventRequest(Store& store, const EventRules& rules, const RequestSender& sender, Nanos received)
      : store_(store), rules_(rules), sender_(sender), received_(received) {}

  // The next event, an object of JSON; one that breaks a rule is rejected. Blocks where its log is
  // new. Error: the store cannot take events now.
  [[nodiscard]] Result<void> take(std::string_view json);
  // The next event is rejected.
  void reject(std::string error);
  [[nodiscard]] Nanos received() const { return received_; }

  // Gives everything to the store; as store_json(). Once, and nothing is taken afterwards. All of
  // what was sent, `body`, tells a retry from another request under the same key.
  void submit(std::string_view body, std::function<void(Result<RequestOutcome>)> done);

 private:
  struct Open {
    Log* log = nullptr;
    BatchBuilder builder;
    std::uint64_t batches = 0;
  };
  struct Submission {
    Log* log = nullptr;
    EncodedBatch batch;
    std::uint32_t rows = 0;
    std::uint64_t number = 0;
  };

  void close(Open& open);

  Store& store_;
  const EventRules& rules_;
  const RequestSender& sender_;
  const Nanos received_;
  EventDecoder decoder_;
  Redactor::Scratch redacted_;
  std::map<std::string, Open, std::less<>> logs_;
  std::vector<Submission> submissions_;
  std::vector<RejectedEvent> rejected_;
  Log* first_log_ = nullptr;  // of the first event that will be stored
  std::uint64_t index_ = 0;
};

}  // namespace docket::ingest
