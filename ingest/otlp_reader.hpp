// The two encodings of an ExportLogsServiceRequest. Internal to this folder.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "ingest/otlp_record.hpp"

namespace docket::ingest {

// Called for every record in its order; an error ends the reading.
using OtlpTaker = std::function<Result<void>(
    const OtlpRecord& record, const std::vector<OtlpAttribute>& resource, const OtlpScope& scope)>;

// A record with a value that cannot be read (too deep, too much of it) has a fault. Error:
// invalid_argument, "otlp: what is wrong", where the body is no such request; or the taker's.
[[nodiscard]] Result<void> read_otlp_protobuf(std::string_view body, const OtlpTaker& take);
[[nodiscard]] Result<void> read_otlp_json(std::string_view body, const OtlpTaker& take);

}  // namespace docket::ingest
