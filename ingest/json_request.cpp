// store_json(): the events of one HTTP body, from its text to the answer after the commit.
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/assert.hpp"
#include "engine/batch.hpp"
#include "engine/limits.hpp"
#include "engine/out_of_memory.hpp"
#include "engine/timestamp.hpp"
#include "ingest/event_json.hpp"
#include "ingest/json_cursor.hpp"

namespace docket::ingest {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && JsonCursor::is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && JsonCursor::is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// The first place outside strings where `is_end` holds of the character, the brackets open behind
// it, and whether it closes one; all of the text when there is none.
template <typename IsEnd>
std::size_t find_outside_strings(std::string_view text, IsEnd is_end) {
  std::uint32_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    const bool closes = depth > 0 && (c == '}' || c == ']');
    if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (closes) {
      --depth;
    }
    if (is_end(c, depth, closes)) {
      return i;
    }
  }
  return text.size();
}

// Cuts an array into the texts of its elements. It looks at brackets and quotes only: whether an
// element is valid is for the decoder to say.
class ArrayElements {
 public:
  explicit ArrayElements(std::string_view array) : rest_(array.substr(1)) {}

  // The next element, nullopt at the end. After that, fault() says what is wrong with the array.
  std::optional<std::string_view> next() {
    if (ended_) {
      return std::nullopt;
    }
    const std::size_t end = end_of_element();
    if (end == rest_.size()) {
      return broken("json: the array has no end");
    }
    const std::string_view text = trimmed(rest_.substr(0, end));
    ended_ = rest_[end] == ']';
    rest_.remove_prefix(end + 1);
    if (ended_ && !trimmed(rest_).empty()) {
      return broken("json: something follows the array");
    }
    if (text.empty()) {
      if (!ended_ || !is_first_) {
        return broken("json: the array lacks an element");
      }
      return std::nullopt;
    }
    is_first_ = false;
    return text;
  }

  [[nodiscard]] const char* fault() const { return fault_; }

 private:
  // Where the comma or bracket behind the element is.
  [[nodiscard]] std::size_t end_of_element() const {
    return find_outside_strings(rest_, [](char c, std::uint32_t depth, bool closes) {
      return depth == 0 && !closes && (c == ',' || c == ']');
    });
  }

  std::nullopt_t broken(const char* fault) {
    fault_ = fault;
    ended_ = true;
    return std::nullopt;
  }

  std::string_view rest_;
  const char* fault_ = nullptr;
  bool is_first_ = true;
  bool ended_ = false;
};

struct Submission {
  Log* log = nullptr;
  EncodedBatch batch;
  std::uint32_t rows = 0;
  std::uint64_t number = 0;
};

// Decodes a whole body before anything of it is given to the store, so that a body which turns out
// to be unusable leaves nothing behind.
class RequestDecoder {
 public:
  RequestDecoder(Store& store, const EventRules& rules, Nanos received)
      : store_(store), rules_(rules), received_(received) {}

  Result<void> decode(std::string_view body) {
    body = trimmed(body);
    if (!body.empty() && body.front() == '[') {
      return decode_array(body);
    }
    return is_one_object(body) ? take(body) : decode_lines(body);
  }

  // Closes the last batches.
  std::vector<Submission> submissions() {
    for (auto& [name, open] : logs_) {
      close(open);
    }
    return std::move(submissions_);
  }
  std::vector<RejectedEvent>& rejected() { return rejected_; }
  // The log of the first event that will be stored.
  [[nodiscard]] Log* first_log() const { return first_log_; }

 private:
  struct Open {
    Log* log = nullptr;
    BatchBuilder builder;
    std::uint64_t batches = 0;
  };

  // One event may be written over several lines; what stands beside others is a line.
  static bool is_one_object(std::string_view body) {
    const auto ends = [](char, std::uint32_t depth, bool closes) { return closes && depth == 0; };
    return body.starts_with('{') && find_outside_strings(body, ends) + 1 == body.size();
  }

  Result<void> decode_array(std::string_view array) {
    ArrayElements elements(array);
    while (const auto element = elements.next()) {
      DOCKET_TRY(take(*element));
    }
    if (elements.fault() != nullptr) {
      return fail(ErrorCode::invalid_argument, elements.fault());
    }
    return {};
  }

  Result<void> decode_lines(std::string_view lines) {
    while (!lines.empty()) {
      const std::size_t end = std::min(lines.find('\n'), lines.size());
      const std::string_view line = trimmed(lines.substr(0, end));
      if (!line.empty()) {
        DOCKET_TRY(take(line));
      }
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    return {};
  }

  Result<void> take(std::string_view text) {
    const std::uint64_t index = index_++;
    const auto decoded = decoder_.decode(text, rules_, received_);
    if (!decoded) {
      rejected_.push_back({index, decoded.error().message});
      return {};
    }
    auto found = logs_.find(decoded->log);
    if (found == logs_.end()) {
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
    open.builder.add(decoded->event);
    if (first_log_ == nullptr) {
      first_log_ = open.log;
    }
    return {};
  }

  void close(Open& open) {
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

  Store& store_;
  const EventRules& rules_;
  const Nanos received_;
  EventDecoder decoder_;
  std::map<std::string, Open, std::less<>> logs_;
  std::vector<Submission> submissions_;
  std::vector<RejectedEvent> rejected_;
  Log* first_log_ = nullptr;
  std::uint64_t index_ = 0;
};

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

void store_json(Store& store, std::string_view body, const EventRules& rules,
                const std::string& node, const std::string& idempotency_key,
                std::function<void(Result<RequestOutcome>)> done) {
  const Nanos received = now_ns();
  RequestDecoder decoder(store, rules, received);
  if (auto decoded = decoder.decode(body); !decoded) {
    done(fail(std::move(decoded).error()));
    return;
  }
  std::vector<Submission> submissions = decoder.submissions();
  const auto answer = std::make_shared<RequestAnswer>();
  answer->rejected = std::move(decoder.rejected());
  answer->first_log = decoder.first_log();
  answer->done = std::move(done);
  if (submissions.empty()) {
    RequestOutcome outcome;
    outcome.rejected = std::move(answer->rejected);
    answer->done(std::move(outcome));
    return;
  }
  for (const Submission& submission : submissions) {
    answer->entries.push_back({submission.log, submission.rows, std::nullopt});
  }
  answer->missing = submissions.size();
  // All is made before the first is given away: an exception then says that nothing was stored.
  std::vector<std::pair<ProducerStamp, Completion>> senders;
  senders.reserve(submissions.size());
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    ProducerStamp stamp;
    stamp.node = node;
    if (!idempotency_key.empty()) {
      stamp.node = producer_of(idempotency_key);
      stamp.shown = node;
      stamp.epoch = fingerprint_of(body);
      stamp.batch = submissions[i].number;
    }
    senders.emplace_back(std::move(stamp), [answer, i](Result<Receipt> result) {
      answer->completed(i, std::move(result));
    });
  }
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    auto& [stamp, completion] = senders[i];
    submissions[i].log->submit(std::move(submissions[i].batch), std::move(stamp), received,
                               std::move(completion));
  }
}

}  // namespace docket::ingest
