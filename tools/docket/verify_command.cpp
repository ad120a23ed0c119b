// verify: reads everything there is and says where it does not match its checksums.
#include <fmt/format.h>

#include <iterator>

#include "engine/log.hpp"
#include "index/catalog.hpp"
#include "query/render.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docketd/server.hpp"
#include "tools/docketd/system_events.hpp"
#include "tools/verify/file_check.hpp"
#include "tools/verify/verifier.hpp"

namespace docket::cli {

namespace {

using verify::Damage;
using verify::Findings;

void check(verify::Verifier& verifier, const std::string& directory,
           const StoreSnapshot& snapshot) {
  std::uint64_t total = 0;
  for (const LogSnapshot& log : snapshot.logs) {
    for (const auto& segment : log.segments) {
      total += segment->info().rows;
    }
  }
  Progress progress("verified", total);
  for (const LogSnapshot& log : snapshot.logs) {
    verifier.check_log(directory, log);
    for (const auto& segment : log.segments) {
      verifier.check_segment(segment);
      progress.show(verifier.findings().events, "events");
    }
  }
}

std::string report_json(const Findings& found) {
  std::string out =
      fmt::format("{{\"logs\":{},\"segments\":{},\"events\":{},\"bytes\":{},\"damage\":[",
                  found.logs, found.segments, found.events, found.bytes);
  const char* separator = "";
  for (const Damage& damage : found.damage) {
    out += separator;
    out += "{\"log\":";
    query::append_json_string(out, damage.log);
    fmt::format_to(std::back_inserter(out), ",\"segment\":{},\"file\":", damage.segment);
    query::append_json_string(out, damage.path);
    fmt::format_to(std::back_inserter(out), ",\"offset\":{},\"what\":", damage.offset);
    query::append_json_string(out, damage.what);
    out += '}';
    separator = ",";
  }
  return out + "]}";
}

std::string report_text(const Findings& found) {
  std::string out;
  for (const Damage& damage : found.damage) {
    const std::string what = query::terminal_safe(damage.what);
    out += damage.log;
    if (damage.segment != 0) {
      out += fmt::format(", segment {}, offset {}", damage.segment, damage.offset);
    }
    out += damage.log.empty() ? "" : ": ";
    out += what;
    out += damage.path.empty() ? "\n" : fmt::format(" ({})\n", query::terminal_safe(damage.path));
  }
  out += fmt::format("{} logs, {} segments, {} events, {}: ", found.logs, found.segments,
                     api::readable_count(found.events), api::readable_bytes(found.bytes));
  out += found.damage.empty() ? "no damage found\n"
                              : fmt::format("{} places are damaged\n", found.damage.size());
  return out;
}

}  // namespace

int run_verify(Context& context) {
  const std::string& directory = context.arguments.data;
  std::vector<Damage> layout = verify::check_layout(
      posix_disk(), directory, {server::system_log_name, server::preloaded_logs});
  StoreOptions options;
  options.read_only = true;
  const auto store = Store::open(posix_disk(), directory, options);
  const auto snapshot = store ? (*store)->snapshot() : fail(store.error());
  if (!snapshot && (layout.empty() || snapshot.error().code == ErrorCode::newer_format)) {
    return complain(snapshot.error());
  }
  index::CatalogOptions catalog_options;
  catalog_options.read_only = true;
  index::Catalog catalog(posix_disk(), catalog_options);
  verify::Verifier verifier(
      posix_disk(), [&](const SegmentInfo& info) { return verify::is_retired(**store, info); },
      context.arguments.deep ? &catalog : nullptr);
  verifier.findings().add(std::move(layout));
  if (snapshot) {
    check(verifier, directory, *snapshot);
  }
  const Findings& found = verifier.findings();
  if (context.arguments.format == Format::json) {
    write_json(context, report_json(found));
  } else {
    context.out.write(report_text(found));
  }
  return found.damage.empty() ? exit_done : exit_damaged;
}

}  // namespace docket::cli
