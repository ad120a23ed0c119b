// The events of log `docket`: what the system itself did, saw and let be read.
//
// The actor is system:docketd, but for reads and exports (api_token:NAME, or api:anonymous where
// there are no tokens), refused senders (kind `node`) and denied requests (api_token:NAME, or
// address:IP); the address is in `ip`. Verbs: START STOP CONFIGURE RETIRE READ EXPORT REJECT DROP,
// and QUARANTINE VERIFY RECOVER SEAL COMMIT for damage and failures of the store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/log.hpp"
#include "tools/api/answer.hpp"
#include "tools/docketd/settings.hpp"

namespace docket::server {

inline constexpr std::string_view system_log_name = "docket";

[[nodiscard]] Event started_event(const Settings& settings, std::string_view ingest,
                                  std::string_view http);
[[nodiscard]] Event stopped_event(std::string_view cause);
// The diff of the settings that were taken over.
[[nodiscard]] Event reloaded_event(const std::vector<SettingChange>& changes);
[[nodiscard]] Event reload_failed_event(std::string_view error);
// Made durable before the segment goes; `retire_failed_event` follows where it then stayed.
[[nodiscard]] Event retired_event(const RetirementPlan& plan);
[[nodiscard]] Event retire_failed_event(const RetirementPlan& plan, std::string_view error);
// `kind` and `detail` as StoreObserver::notice() gives them.
[[nodiscard]] Event notice_event(const std::string& log, const std::string& kind,
                                 const std::string& detail);
// `times` refusals of one sender for one reason, the first from `peer`.
[[nodiscard]] Event rejected_event(const std::string& node, const std::string& peer,
                                   const std::string& reason, std::uint64_t times);
// `times` HTTP requests of `who`, `kind:id` as in the query language, that lacked a good token, or
// whose token did not suffice.
[[nodiscard]] Event denied_event(const std::string& who, const std::string& peer,
                                 const std::string& reason, std::uint64_t times);
// `token` is the name of the one that was shown, or empty where none are configured; `failure` is
// empty when the reader got everything asked for.
[[nodiscard]] Event read_event(const api::ReadRecord& read, const std::string& token,
                               const std::string& peer, std::string_view failure);
// Events of this log that could not be kept.
[[nodiscard]] Event dropped_event(std::uint64_t times);

}  // namespace docket::server
