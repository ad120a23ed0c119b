#include "ingest/event_request.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "engine/limits.hpp"
#include "engine/out_of_memory.hpp"
#include "ingest/sender_rights.hpp"

namespace docket::ingest {
namespace {

// Waits for all batches of a request; the last completion answers. Each completion writes its own
// entry, and the count's acquire-release makes them visible to the last.
class RequestAnswer {
 public:
  struct Entry {
    Log* log = nullptr;
    std::uint32_t rows = 0;
    std::optional<Result<Receipt>> result;
  };

  std::vector<Entry> entries;
  std::vector<RejectedEvent> rejected;
  Log* first_log = nullptr;
  std::function<void(Result<RequestOutcome>)> done;
  std::atomic<std::size_t> missing{0};

  void completed(std::size_t entry, Result<Receipt> result) {
    entries[entry].result = std::move(result);
    if (missing.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      done(outcome());
    }
  }

 private:
  Result<RequestOutcome> outcome() {
    // A batch behind a refused one is out of order; the refusal itself is what to tell.
    const Error* worst = nullptr;
    for (const Entry& entry : entries) {
      if (!*entry.result) {
        const Error& error = entry.result->error();
        if (worst == nullptr || worst->code == ErrorCode::out_of_order) {
          worst = &error;
        }
      }
    }
    if (worst != nullptr) {
      return fail(told(*worst));
    }
    RequestOutcome outcome;
    outcome.rejected = std::move(rejected);
    outcome.duplicate = !entries.empty();
    for (const Entry& entry : entries) {
      const Receipt& receipt = **entry.result;
      outcome.duplicate = outcome.duplicate && receipt.duplicate;
      // A receipt that is forgotten still means that the batch is stored.
      outcome.accepted += receipt.first_seq.value == 0 ? entry.rows : receipt.rows;
      if (entry.log == first_log && receipt.first_seq.value != 0 && receipt.rows != 0) {
        if (outcome.first_seq == 0) {
          outcome.first_seq = receipt.first_seq.value;
        }
        outcome.last_seq = receipt.first_seq.value + receipt.rows - 1;
      }
    }
    return outcome;
  }
};

// What tells one body from another under the same key. Never 0.
std::uint64_t fingerprint_of(std::string_view body) {
  return XXH3_64bits(body.data(), body.size()) | 1;
}

// The producer that stands for one idempotency key.
std::string producer_of(const std::string& key) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return fmt::format("idempotency:{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

std::string log_refusal(const Error& error) {
  if (error.code == ErrorCode::overloaded) {
    return fmt::format(
        "log: is one too many; there are at most {} logs in all, the system's own and the "
        "preloaded ones among them",
        limits::logs_max);
  }
  constexpr std::string_view field = "log: ";
  return error.message.starts_with(field) ? error.message : std::string(field) + error.message;
}

Result<void> EventRequest::take(std::string_view json) {
  const std::uint64_t index = index_++;
  auto decoded = decoder_.decode(json, rules_, received_);
  if (!decoded) {
    rejected_.push_back({index, decoded.error().message});
    return {};
  }
  auto found = logs_.find(decoded->log);
  if (found == logs_.end()) {
    if (!may_write(sender_.logs, decoded->log)) {
      rejected_.push_back({index, log_forbidden(decoded->log)});
      return {};
    }
    Result<Log*> opened = store_.log(decoded->log);
    if (!opened) {
      if (opened.error().code == ErrorCode::overloaded ||
          opened.error().code == ErrorCode::invalid_argument) {
        rejected_.push_back({index, log_refusal(opened.error())});
        return {};
      }
      return fail(std::move(opened).error());
    }
    found = logs_.emplace(std::string(decoded->log), Open{}).first;
    found->second.log = *opened;
  }
  Open& open = found->second;
  if (open.builder.full()) {
    close(open);
  }
  if (sender_.redactor) {
    sender_.redactor->apply(decoded->event, rules_.payload_bytes_max, redacted_);
  }
  open.builder.add(decoded->event);
  if (first_log_ == nullptr) {
    first_log_ = open.log;
  }
  return {};
}

void EventRequest::close(Open& open) {
  if (open.builder.rows() == 0) {
    return;
  }
  Submission submission;
  submission.log = open.log;
  submission.batch = open.builder.finish();
  submission.rows = submission.batch.rows;
  submission.number = ++open.batches;
  submissions_.push_back(std::move(submission));
}

void EventRequest::reject(std::string error) {
  rejected_.push_back({index_++, std::move(error)});
}

void EventRequest::submit(std::string_view body, std::function<void(Result<RequestOutcome>)> done) {
  for (auto& [name, open] : logs_) {
    close(open);
  }
  const auto answer = std::make_shared<RequestAnswer>();
  answer->rejected = std::move(rejected_);
  answer->first_log = first_log_;
  answer->done = std::move(done);
  if (submissions_.empty()) {
    RequestOutcome outcome;
    outcome.rejected = std::move(answer->rejected);
    answer->done(std::move(outcome));
    return;
  }
  for (const Submission& submission : submissions_) {
    answer->entries.push_back({submission.log, submission.rows, std::nullopt});
  }
  answer->missing = submissions_.size();
  // All is made before the first is given away: an exception then says that nothing was stored.
  std::vector<std::pair<ProducerStamp, Completion>> senders;
  senders.reserve(submissions_.size());
  for (std::size_t i = 0; i < submissions_.size(); ++i) {
    ProducerStamp stamp;
    stamp.node = sender_.node;
    if (!sender_.idempotency_key.empty()) {
      stamp.node = producer_of(sender_.idempotency_key);
      stamp.shown = sender_.node;
      stamp.epoch = fingerprint_of(body);
      stamp.batch = submissions_[i].number;
    }
    senders.emplace_back(std::move(stamp), [answer, i](Result<Receipt> result) {
      answer->completed(i, std::move(result));
    });
  }
  for (std::size_t i = 0; i < submissions_.size(); ++i) {
    auto& [stamp, completion] = senders[i];
    submissions_[i].log->submit(std::move(submissions_[i].batch), std::move(stamp), received_,
                                std::move(completion));
  }
}

}  // namespace docket::ingest
