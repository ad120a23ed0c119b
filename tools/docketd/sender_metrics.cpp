#include "tools/docketd/sender_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <tuple>

namespace docket::server {

namespace {

constexpr Nanos second = 1'000'000'000;

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

// The largest first, so many as are named.
template <typename Key>
std::vector<std::pair<std::uint64_t, Key>> worst(
    std::vector<std::pair<std::uint64_t, Key>> values) {
  std::ranges::sort(values, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  values.resize(std::min(values.size(), named_nodes_max));
  return values;
}

std::uint64_t missing_of(const api::SenderRow& row) {
  std::uint64_t batches = 0;
  for (const ingest::MissingBatches& missing : row.missing) {
    batches += missing.is_final ? 0 : missing.last - missing.first + 1;
  }
  return batches;
}

}  // namespace

std::string label_text(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

void append_sender_metrics(std::string& out, const std::vector<api::SenderRow>& rows, Nanos now) {
  std::array<std::uint64_t, api::sender_state_count> states{};
  std::map<std::string_view, std::uint64_t> silent;
  std::vector<std::pair<std::uint64_t, std::tuple<std::string_view, std::string_view>>> lacking;
  std::uint64_t missing = 0;
  std::uint64_t final_gaps = 0;
  std::string_view node_before;
  for (const api::SenderRow& row : rows) {
    if (row.node != node_before) {  // rows are by node
      node_before = row.node;
      ++states[static_cast<std::size_t>(row.state)];
      if (row.state == api::SenderState::silent) {
        silent[row.node] = static_cast<std::uint64_t>((now - row.last_heard) / second);
      }
    }
    final_gaps += static_cast<std::uint64_t>(
        std::ranges::count(row.missing, true, &ingest::MissingBatches::is_final));
    if (const std::uint64_t batches = missing_of(row); batches != 0) {
      missing += batches;
      lacking.push_back({batches, {row.node, row.log}});
    }
  }
  head(out, "docket_senders", "gauge",
       "Senders by state; silent: one that numbers its batches is not heard of any more.");
  for (std::size_t i = 0; i < states.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "docket_senders{{state=\"{}\"}} {}\n",
                   to_string(static_cast<api::SenderState>(i)), states[i]);
  }
  head(out, "docket_senders_lacking_batches", "gauge",
       "Senders and logs with batches that are numbered and not stored, and may still come.");
  fmt::format_to(std::back_inserter(out), "docket_senders_lacking_batches {}\n", lacking.size());
  head(out, "docket_sender_batches_missing", "gauge", "Such batches, of all senders.");
  fmt::format_to(std::back_inserter(out), "docket_sender_batches_missing {}\n", missing);
  head(out, "docket_sender_gaps_final", "gauge",
       "Gaps since the start that a later epoch has left behind.");
  fmt::format_to(std::back_inserter(out), "docket_sender_gaps_final {}\n", final_gaps);
  head(out, "docket_node_silent_seconds", "gauge",
       "How long a silent node has been; at most 16 nodes, those silent longest.");
  std::vector<std::pair<std::uint64_t, std::string_view>> quiet;
  for (const auto& [node, seconds] : silent) {
    quiet.emplace_back(seconds, node);
  }
  for (const auto& [seconds, node] : worst(std::move(quiet))) {
    fmt::format_to(std::back_inserter(out), "docket_node_silent_seconds{{node=\"{}\"}} {}\n",
                   label_text(node), seconds);
  }
  head(out, "docket_node_batches_missing", "gauge",
       "Batches that a node has numbered and that are not stored; at most 16, the largest.");
  for (const auto& [batches, key] : worst(std::move(lacking))) {
    fmt::format_to(std::back_inserter(out),
                   "docket_node_batches_missing{{node=\"{}\",log=\"{}\"}} {}\n",
                   label_text(std::get<0>(key)), std::get<1>(key), batches);
  }
}

void append_quota_metrics(std::string& out,
                          const std::map<std::string, ingest::Quota::Stats>& throttled) {
  head(out, "docket_token_throttled_total", "counter",
       "How often a sender was held up, or sent away, by its token's quota.");
  for (const auto& [name, stats] : throttled) {
    fmt::format_to(std::back_inserter(out), "docket_token_throttled_total{{token=\"{}\"}} {}\n",
                   label_text(name), stats.times);
  }
  head(out, "docket_token_throttled_seconds_total", "counter", "For how long, all together.");
  for (const auto& [name, stats] : throttled) {
    fmt::format_to(std::back_inserter(out),
                   "docket_token_throttled_seconds_total{{token=\"{}\"}} {}\n", label_text(name),
                   static_cast<double>(stats.held) / 1e9);
  }
}

void append_intake_metrics(std::string& out, const ingest::IntakeNumbers& intake) {
  head(out, "docket_events_accepted_total", "counter", "Events stored, by the way they came.");
  for (std::size_t way = 0; way < ingest::sender_way_count; ++way) {
    fmt::format_to(std::back_inserter(out), "docket_events_accepted_total{{way=\"{}\"}} {}\n",
                   to_string(static_cast<ingest::SenderWay>(way)), intake.accepted[way]);
  }
  head(out, "docket_events_rejected_total", "counter",
       "Events rejected, by the way they came and the field whose rule they broke.");
  for (std::size_t way = 0; way < ingest::sender_way_count; ++way) {
    for (std::size_t reason = 0; reason < ingest::reject_reasons.size(); ++reason) {
      fmt::format_to(std::back_inserter(out),
                     "docket_events_rejected_total{{way=\"{}\",reason=\"{}\"}} {}\n",
                     to_string(static_cast<ingest::SenderWay>(way)), ingest::reject_reasons[reason],
                     intake.rejected[way][reason]);
    }
  }
}

}  // namespace docket::server
