// Arbitrary bytes as a request of OTLP, in both encodings.
//
// Invariants:
//   O1  A request is answered exactly once; what it accepts is what reaches the store, and one that
//       is refused leaves nothing behind.
//   O2  Every record comes in its order with bounded parts, and is written as one object of JSON,
//       whatever its bytes: the decoder of events may refuse its values, not its form.
//   O3  The answer to a partial success is no longer than its first error.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/assert.hpp"
#include "engine/event.hpp"
#include "ingest/event_json.hpp"
#include "ingest/otlp.hpp"
#include "ingest/otlp_reader.hpp"
#include "tests/support/acking_store.hpp"

namespace {

using docket::EventRules;
using docket::Result;
using docket::ingest::OtlpAttribute;
using docket::ingest::OtlpForm;
using docket::ingest::OtlpRecord;
using docket::ingest::OtlpScope;
using docket::ingest::OtlpTaker;

constexpr docket::Nanos received = 1'800'000'000'000'000'000;

Result<void> check_record(const OtlpRecord& record, const std::vector<OtlpAttribute>& resource,
                          const OtlpScope& scope) {
  DOCKET_ASSERT(record.attributes.size() <= docket::ingest::otlp_attributes_max);
  DOCKET_ASSERT(resource.size() <= docket::ingest::otlp_attributes_max);
  if (!record.fault.empty()) {
    DOCKET_ASSERT(record.fault.find(": ") != std::string::npos);
    return {};
  }
  std::string event;
  docket::ingest::append_otlp_event(event, record, resource, scope, received);
  DOCKET_ASSERT(docket::ingest::is_json_object(event) || !docket::is_utf8(event));
  return {};
}

void check_request(std::string_view body, OtlpForm form) {
  const OtlpTaker take = check_record;
  const auto read = form == OtlpForm::json ? docket::ingest::read_otlp_json(body, take)
                                           : docket::ingest::read_otlp_protobuf(body, take);
  docket::testing::AckingStore store;
  int answers = 0;
  docket::ingest::store_otlp(
      store, body, form, EventRules{}, {"fuzz", "", {}},
      [&](const Result<docket::ingest::RequestOutcome>& outcome) {
        ++answers;
        DOCKET_ASSERT(outcome.has_value() == read.has_value());
        if (!outcome) {
          DOCKET_ASSERT(outcome.error().message.starts_with("otlp: "));
          DOCKET_ASSERT(store.only_log().events() == 0);
          return;
        }
        DOCKET_ASSERT(outcome->accepted == store.only_log().events());
        for (const auto& rejected : outcome->rejected) {
          DOCKET_ASSERT(!rejected.error.starts_with("json: expected"));
        }
        constexpr std::size_t around = 128;
        const std::size_t first = outcome->rejected.empty() ? 0 : outcome->rejected[0].error.size();
        DOCKET_ASSERT(docket::ingest::otlp_response(*outcome, OtlpForm::protobuf).size() <=
                      first + around);
      });
  DOCKET_ASSERT(answers == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  check_request(body, OtlpForm::protobuf);
  check_request(body, OtlpForm::json);
  return 0;
}
