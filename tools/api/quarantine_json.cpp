#include "tools/api/quarantine_json.hpp"

#include <fmt/format.h>

#include <iterator>

#include "engine/timestamp.hpp"
#include "query/render.hpp"

namespace docket::api {

void append_json_quarantine(std::string& out, std::string_view log,
                            const QuarantineRecord& record) {
  out += "{\"log\":";
  query::append_json_string(out, log);
  fmt::format_to(std::back_inserter(out),
                 ",\"time\":\"{}\",\"file\":", format_rfc3339(record.time));
  query::append_json_string(out, record.file);
  out += ",\"kept\":";
  if (record.kept.empty()) {
    out += "null";
  } else {
    query::append_json_string(out, record.kept);
  }
  fmt::format_to(std::back_inserter(out), ",\"offset\":{},\"bytes\":{}", record.offset,
                 record.bytes);
  if (record.has_events()) {
    fmt::format_to(std::back_inserter(out), ",\"first_seq\":{},\"last_seq\":{}",
                   record.first_seq.value, record.last_seq.value);
  } else {
    out += ",\"first_seq\":null,\"last_seq\":null";
  }
  out += ",\"reason\":";
  query::append_json_string(out, record.reason);
  out += '}';
}

}  // namespace docket::api
