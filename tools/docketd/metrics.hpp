// GET /metrics: everything countable, in the Prometheus text format.
#pragma once

#include <string>

#include "engine/log.hpp"
#include "index/catalog.hpp"
#include "ingest/server.hpp"
#include "tools/api/sender_rows.hpp"
#include "tools/docketd/access.hpp"
#include "tools/docketd/http_metrics.hpp"
#include "tools/docketd/retention.hpp"
#include "tools/docketd/scrub.hpp"
#include "tools/docketd/store_watch.hpp"
#include "tools/docketd/system_log.hpp"

namespace docket::server {

struct MetricsSources {
  const Store& store;
  const index::Catalog& catalog;
  ingest::Server& ingest;
  const HttpMetrics& http;
  const SystemLog& system_log;
  const Retention& retention;
  const Scrub& scrub;
  const StoreWatch& watch;
  const api::SenderRules& sender_rules;
  const Access& access;
  std::uint64_t free_bytes = 0;     // of the data's file system
  std::uint64_t reserve_bytes = 0;  // under which senders are refused
  bool is_ready = false;            // what /readyz says
  Nanos started = 0;
};

[[nodiscard]] std::string metrics_text(const MetricsSources& sources);

}  // namespace docket::server
