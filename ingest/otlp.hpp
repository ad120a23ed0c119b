// Logs of OpenTelemetry (OTLP/HTTP, opentelemetry.proto.collector.logs.v1): a request in either
// encoding becomes events. PROTOCOL.md says what becomes of what.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/log.hpp"
#include "engine/result.hpp"
#include "ingest/event_json.hpp"

namespace docket::ingest {

enum class OtlpForm : std::uint8_t { protobuf, json };

// As store_json() for the body of an ExportLogsServiceRequest; indexes count its log records.
// Unknown fields are read over. A record that breaks a rule is rejected and its neighbours are
// stored. Error: also invalid_argument, for a body that is no such request; then nothing is stored.
void store_otlp(Store& store, std::string_view body, OtlpForm form, const EventRules& rules,
                const RequestSender& sender, std::function<void(Result<RequestOutcome>)> done);

// The ExportLogsServiceResponse: empty where all is stored, else a partial success that counts the
// rejected records and names the first one's error.
[[nodiscard]] std::string otlp_response(const RequestOutcome& outcome, OtlpForm form);
// A google.rpc.Status, for any other answer. `code` is one of google.rpc.Code.
[[nodiscard]] std::string otlp_status(int code, std::string_view message, OtlpForm form);

}  // namespace docket::ingest
