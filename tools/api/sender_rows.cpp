#include "tools/api/sender_rows.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace docket::api {

namespace {

constexpr std::array<std::string_view, sender_state_count> state_names{"connected", "away",
                                                                       "silent", "gone"};

// One node in all its logs.
struct Node {
  std::map<std::string, ProducerState, std::less<>> logs;
  const ingest::SenderFacts* seen = nullptr;

  [[nodiscard]] Nanos last_heard() const {
    Nanos last = seen == nullptr ? 0 : seen->last_heard;
    for (const auto& [log, producer] : logs) {
      last = std::max(last, producer.last_received);
    }
    return last;
  }

  [[nodiscard]] bool is_numbered() const {
    return (seen != nullptr && seen->way == ingest::SenderWay::native) ||
           std::ranges::any_of(logs, [](const auto& each) { return each.second.last_batch != 0; });
  }

  [[nodiscard]] SenderState state(const SenderRules& rules, Nanos now) const {
    if (seen != nullptr && seen->connections != 0) {
      return SenderState::connected;
    }
    const Nanos silent_for = now - last_heard();
    if (!is_numbered() || silent_for < rules.silent_after) {
      return SenderState::away;
    }
    return silent_for < rules.gone_after ? SenderState::silent : SenderState::gone;
  }
};

// What of `missing` the store does not have meanwhile.
void take_missing(SenderRow& row, const std::vector<ingest::MissingBatches>& missing) {
  for (ingest::MissingBatches each : missing) {
    if (each.log != row.log) {
      continue;
    }
    if (each.epoch == row.epoch) {
      each.first = std::max(each.first, row.complete_to + 1);
    }
    if (each.first <= each.last) {
      row.missing.push_back(std::move(each));
    }
  }
}

}  // namespace

std::string_view to_string(SenderState state) {
  return state_names[static_cast<std::size_t>(state)];
}

std::vector<LogSenders> stored_senders(const Store& store) {
  std::vector<LogSenders> stored;
  for (const Log* log : store.logs()) {
    stored.push_back({log->name(), log->producers()});
  }
  return stored;
}

std::vector<SenderRow> sender_rows(const std::vector<LogSenders>& stored,
                                   const std::vector<ingest::SenderFacts>& seen,
                                   const SenderRules& rules, Nanos now) {
  std::map<std::string, Node, std::less<>> nodes;
  for (const LogSenders& log : stored) {
    for (const ProducerState& producer : log.producers) {
      nodes[producer.node].logs[log.log] = producer;
    }
  }
  for (const ingest::SenderFacts& facts : seen) {
    // Who came, sent nothing, and went: a probe, a scanner.
    if (facts.connections == 0 && facts.missing.empty() && !nodes.contains(facts.node)) {
      continue;
    }
    Node& node = nodes[facts.node];
    node.seen = &facts;
    // Where nothing is stored, something may be missing all the same.
    for (const ingest::MissingBatches& missing : facts.missing) {
      node.logs.try_emplace(missing.log, ProducerState{facts.node, missing.epoch, 0, 0});
    }
    if (node.logs.empty()) {
      node.logs[""] = ProducerState{facts.node, 0, 0, 0};
    }
  }
  std::vector<SenderRow> rows;
  for (const auto& [name, node] : nodes) {
    for (const auto& [log, producer] : node.logs) {
      SenderRow& row = rows.emplace_back();
      row.node = name;
      row.log = log;
      row.epoch = producer.epoch;
      row.complete_to = producer.last_batch;
      row.last_received = producer.last_received;
      row.state = node.state(rules, now);
      row.last_heard = node.last_heard();
      if (node.seen != nullptr) {
        row.address = node.seen->address;
        row.way = ingest::to_string(node.seen->way);
        row.connections = node.seen->connections;
        row.clock_ahead = node.seen->clock_ahead;
        take_missing(row, node.seen->missing);
      }
    }
  }
  return rows;
}

}  // namespace docket::api
