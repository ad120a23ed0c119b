#include "tools/load/report.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "tools/load/chart.hpp"
#include "tools/load/report_sections.hpp"

namespace docket::load {
namespace {

constexpr std::string_view page_style = R"(
*{box-sizing:border-box}body{margin:0 auto;max-width:62rem;padding:1.5rem;background:var(--page);
color:var(--ink);font:15px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:0 0 .5rem}
h2{font-size:1.2rem;margin:2rem 0 .25rem;border-top:1px solid var(--rule);padding-top:1rem}
h3{font-size:1rem;margin:1.5rem 0 .25rem}.machine,.file{color:var(--soft);margin:.25rem 0}
.key{background:var(--panel);padding:.6rem .9rem;border-left:3px solid var(--alert)}
.scroll{overflow-x:auto}table{border-collapse:collapse;margin:.75rem 0;font-size:.85rem}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--rule);
font-variant-numeric:tabular-nums}th{color:var(--soft);font-weight:600}
th:first-child,td:first-child,td.words{text-align:left}.bad{color:var(--alert);font-weight:600}
@media print{body{max-width:none}})";

Result<std::string> section_of(const ReportSource& source) {
  const std::string name = source.name.empty() ? "the document" : source.name;
  try {
    simdjson::dom::parser parser;
    const simdjson::dom::element document = parser.parse(source.json);
    const std::string_view kind = document["kind"].get_string();
    if (document["format"].get_uint64().value() != 1) {
      return fail(ErrorCode::newer_format, name + ": written by a newer docket-load");
    }
    std::string file;
    if (!source.name.empty()) {
      file = "<p class=\"file\">" + html_text(source.name) + "</p>\n";
    }
    if (kind == "sweep") {
      return sweep_section(document) + file;
    }
    if (kind == "send") {
      return send_section(document) + file;
    }
    if (kind == "plan") {
      return plan_section(document) + file;
    }
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: '{}' is nothing that a report is made of", name, kind));
  } catch (const simdjson::simdjson_error& error) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: not what docket-load wrote: {}", name, error.what()));
  }
}

}  // namespace

Result<std::string> render_report(const std::vector<ReportSource>& sources) {
  std::string body;
  for (const ReportSource& source : sources) {
    DOCKET_ASSIGN(const std::string section, section_of(source));
    body += section;
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>Docket: measured capacity</title>\n<style>{}{}</style></head>\n"
      "<body><h1>Docket: measured capacity</h1>\n{}</body></html>\n",
      chart_style(), page_style, body);
}

Result<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return file ? Result<void>() : fail_errno(path, errno);
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return file ? Result<std::string>(std::move(text).str()) : fail_errno(path, errno);
}

}  // namespace docket::load
