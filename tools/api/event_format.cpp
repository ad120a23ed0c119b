#include "tools/api/event_format.hpp"

#include <array>

#include "query/render.hpp"

namespace docket::api {

namespace {

struct FormatRow {
  EventFormat format;
  std::string_view name;
  std::string_view content_type;
  std::string_view file_name;
};

constexpr std::array formats{
    FormatRow{EventFormat::csv, "csv", "text/csv; charset=utf-8; header=present",
              "docket-export.csv"},
    FormatRow{EventFormat::ndjson, "ndjson", "application/x-ndjson", "docket-export.ndjson"},
    FormatRow{EventFormat::syslog, "syslog", "text/plain; charset=utf-8", "docket-export.syslog"},
    FormatRow{EventFormat::cef, "cef", "text/plain; charset=utf-8", "docket-export.cef"},
};

const FormatRow& row_of(EventFormat format) {
  for (const FormatRow& row : formats) {
    if (row.format == format) {
      return row;
    }
  }
  return formats.front();
}

}  // namespace

Result<EventFormat> parse_event_format(std::string_view name) {
  std::string names;
  for (const FormatRow& row : formats) {
    if (row.name == name) {
      return row.format;
    }
    names += names.empty() ? "" : &row == &formats.back() ? " or " : ", ";
    names += row.name;
  }
  return fail(ErrorCode::invalid_argument, "format: must be " + names);
}

std::string_view to_string(EventFormat format) {
  return row_of(format).name;
}

std::string_view content_type_of(EventFormat format) {
  return row_of(format).content_type;
}

std::string_view file_name_of(EventFormat format) {
  return row_of(format).file_name;
}

std::string_view heading_of(EventFormat format) {
  return format == EventFormat::csv ? query::csv_header() : std::string_view();
}

void append_record(std::string& out, const query::StoredView& event, EventFormat format, bool raw) {
  switch (format) {
    case EventFormat::csv:
      query::append_csv(out, event, raw);
      return;
    case EventFormat::ndjson:
      query::append_json(out, event);
      out += '\n';
      return;
    case EventFormat::syslog:
      query::append_syslog(out, event);
      return;
    case EventFormat::cef:
      query::append_cef(out, event);
      return;
  }
}

}  // namespace docket::api
