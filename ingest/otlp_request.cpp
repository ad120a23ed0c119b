// store_otlp(), and what is answered.
#include <utility>

#include "engine/timestamp.hpp"
#include "ingest/event_request.hpp"
#include "ingest/json_text.hpp"
#include "ingest/otlp.hpp"
#include "ingest/otlp_reader.hpp"

namespace docket::ingest {
namespace {

constexpr unsigned bytes_type = 2;

void append_varint(std::string& out, std::uint64_t value) {
  constexpr std::uint64_t more = 0x80;
  while (value >= more) {
    out += static_cast<char>((value & (more - 1)) | more);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

void append_integer_field(std::string& out, unsigned number, std::uint64_t value) {
  append_varint(out, number << 3U);
  append_varint(out, value);
}

void append_bytes_field(std::string& out, unsigned number, std::string_view bytes) {
  append_varint(out, number << 3U | bytes_type);
  append_varint(out, bytes.size());
  out += bytes;
}

}  // namespace

void store_otlp(Store& store, std::string_view body, OtlpForm form, const EventRules& rules,
                const RequestSender& sender, std::function<void(Result<RequestOutcome>)> done) {
  EventRequest request(store, rules, sender, now_ns());
  std::string event;
  const OtlpTaker take = [&](const OtlpRecord& record, const std::vector<OtlpAttribute>& resource,
                             const OtlpScope& scope) -> Result<void> {
    if (!record.fault.empty()) {
      request.reject(record.fault);
      return {};
    }
    event.clear();
    append_otlp_event(event, record, resource, scope, request.received());
    return request.take(event);
  };
  auto read = form == OtlpForm::json ? read_otlp_json(body, take) : read_otlp_protobuf(body, take);
  if (!read) {
    done(fail(std::move(read).error()));
    return;
  }
  request.submit(body, std::move(done));
}

std::string otlp_response(const RequestOutcome& outcome, OtlpForm form) {
  const bool is_json = form == OtlpForm::json;
  if (outcome.rejected.empty()) {
    return is_json ? "{}" : "";
  }
  const RejectedEvent& first = outcome.rejected.front();
  const std::string message = "record " + std::to_string(first.index) + ": " + first.error;
  std::string out;
  if (is_json) {
    out = R"({"partialSuccess":{"rejectedLogRecords":")" + std::to_string(outcome.rejected.size()) +
          R"(","errorMessage":)";
    append_json_string(out, message);
    return out + "}}";
  }
  std::string partial;
  append_integer_field(partial, 1, outcome.rejected.size());
  append_bytes_field(partial, 2, message);
  append_bytes_field(out, 1, partial);
  return out;
}

std::string otlp_status(int code, std::string_view message, OtlpForm form) {
  std::string out;
  if (form == OtlpForm::json) {
    out = R"({"code":)" + std::to_string(code) + R"(,"message":)";
    append_json_string(out, message);
    return out + '}';
  }
  append_integer_field(out, 1, static_cast<std::uint64_t>(code));
  append_bytes_field(out, 2, message);
  return out;
}

}  // namespace docket::ingest
