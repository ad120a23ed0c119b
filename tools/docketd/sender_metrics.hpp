// What /metrics says of senders.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "ingest/intake_counts.hpp"
#include "ingest/quota.hpp"
#include "tools/api/sender_rows.hpp"

namespace docket::server {

// Nodes come and go, and each name would be a series of its own for ever; so many are named, the
// worst of the moment. The counts are of all.
inline constexpr std::size_t named_nodes_max = 16;

// The value of a label, without its quotes.
[[nodiscard]] std::string label_text(std::string_view value);

void append_sender_metrics(std::string& out, const std::vector<api::SenderRow>& rows, Nanos now);
// By the token's name; of those that have a quota.
void append_quota_metrics(std::string& out,
                          const std::map<std::string, ingest::Quota::Stats>& throttled);
void append_intake_metrics(std::string& out, const ingest::IntakeNumbers& intake);

}  // namespace docket::server
