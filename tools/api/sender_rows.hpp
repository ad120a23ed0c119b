// The completeness ledger: what the store keeps of senders and what the listener has seen of them,
// put together. /api/v1/nodes shows it, /metrics counts it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/log.hpp"
#include "ingest/sender_ledger.hpp"

namespace docket::api {

struct SenderRules {
  // A sender that numbers its batches and is not connected is silent when it has not been heard of
  // for so long,
  Nanos silent_after = 60LL * 1'000'000'000;
  // and gone, which is nothing to worry about, after so long.
  Nanos gone_after = 30LL * 86'400 * 1'000'000'000;
};

// Of senders whose batches are not numbered (NDJSON, syslog, HTTP) nothing is known to be owed:
// they are connected or away.
enum class SenderState : std::uint8_t { connected, away, silent, gone };
inline constexpr std::size_t sender_state_count = 4;
[[nodiscard]] std::string_view to_string(SenderState state);

// A sender in one log; in none (an empty `log`), where nothing of it is stored.
struct SenderRow {
  std::string node;
  std::string log;
  std::uint64_t epoch = 0;
  std::uint64_t complete_to = 0;  // all batches of the epoch up to it are stored
  Nanos last_received = 0;        // of this log
  std::vector<ingest::MissingBatches> missing;
  // Of the node in all logs:
  SenderState state = SenderState::away;
  Nanos last_heard = 0;
  std::string address;  // empty: not heard of since the start
  std::string way;      // the same
  std::uint32_t connections = 0;
  std::optional<Nanos> clock_ahead;
};

struct LogSenders {
  std::string log;
  std::vector<ProducerState> producers;
};
[[nodiscard]] std::vector<LogSenders> stored_senders(const Store& store);

// By node, then log. Who is not connected, has stored nothing and misses nothing is left out.
[[nodiscard]] std::vector<SenderRow> sender_rows(const std::vector<LogSenders>& stored,
                                                 const std::vector<ingest::SenderFacts>& seen,
                                                 const SenderRules& rules, Nanos now);

}  // namespace docket::api
