// verify: reads everything there is and says where it does not match its checksums.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "engine/log.hpp"
#include "engine/store_layout.hpp"
#include "engine/timestamp.hpp"
#include "index/catalog.hpp"
#include "query/render.hpp"
#include "tools/api/quarantine_json.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docketd/server.hpp"
#include "tools/docketd/system_events.hpp"
#include "tools/verify/file_check.hpp"
#include "tools/verify/repair.hpp"
#include "tools/verify/verifier.hpp"

namespace docket::cli {

namespace {

using verify::Damage;
using verify::Findings;
using verify::Repair;
using verify::Repaired;

// Repairs what it can on the way where `repair` is given.
Result<void> check(verify::Verifier& verifier, const std::string& directory,
                   const StoreSnapshot& snapshot, Repair* repair) {
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
      if (repair != nullptr) {
        DOCKET_TRY(repair->repair_index(segment, verifier.findings()));
      }
      progress.show(verifier.findings().events, "events");
    }
  }
  return {};
}

std::string places_json(const std::vector<Damage>& places) {
  std::string out = "[";
  for (const Damage& damage : places) {
    out += out.size() == 1 ? "{\"log\":" : ",{\"log\":";
    query::append_json_string(out, damage.log);
    fmt::format_to(std::back_inserter(out), ",\"segment\":{},\"file\":", damage.segment);
    query::append_json_string(out, damage.path);
    fmt::format_to(std::back_inserter(out), ",\"offset\":{},\"what\":", damage.offset);
    query::append_json_string(out, damage.what);
    out += '}';
  }
  return out + ']';
}

std::string report_json(const Findings& found, const std::vector<Damage>& unread,
                        const std::vector<Repaired>* repaired) {
  std::string out = fmt::format(
      "{{\"logs\":{},\"segments\":{},\"events\":{},\"bytes\":{},\"damage\":", found.logs,
      found.segments, found.events, found.bytes);
  out += places_json(found.damage) + ",\"unread\":" + places_json(unread) +
         ",\"remarks\":" + places_json(found.remarks) + ",\"quarantine\":[";
  const char* separator = "";
  for (const auto& [log, record] : found.set_aside) {
    out += separator;
    api::append_json_quarantine(out, log, record);
    separator = ",";
  }
  out += ']';
  if (repaired != nullptr) {
    out += ",\"repaired\":[";
    separator = "";
    for (const Repaired& each : *repaired) {
      out += separator;
      out += "{\"file\":";
      query::append_json_string(out, each.path);
      out += ",\"why\":";
      query::append_json_string(out, each.why);
      out += '}';
      separator = ",";
    }
    out += ']';
  }
  return out + '}';
}

std::string place_text(const Damage& damage) {
  std::string out = damage.log;
  if (damage.segment != 0) {
    out += fmt::format(", segment {}, offset {}", damage.segment, damage.offset);
  }
  out += damage.log.empty() ? "" : ": ";
  out += query::terminal_safe(damage.what);
  out += damage.path.empty() ? "\n" : fmt::format(" ({})\n", query::terminal_safe(damage.path));
  return out;
}

std::string report_text(const Findings& found, const std::vector<Damage>& unread,
                        const std::vector<Repaired>* repaired) {
  std::string out;
  for (const Repaired& each : repaired != nullptr ? *repaired : std::vector<Repaired>()) {
    out += fmt::format("built anew: {} ({})\n", query::terminal_safe(each.path),
                       query::terminal_safe(each.why));
  }
  for (const std::vector<Damage>& places : {found.damage, unread}) {
    for (const Damage& damage : places) {
      out += place_text(damage);
    }
  }
  for (const Damage& remark : found.remarks) {
    out += "no damage: " + place_text(remark);
  }
  for (const auto& [log, record] : found.set_aside) {
    out += fmt::format("set aside at {}: {}\n", format_rfc3339(record.time),
                       set_aside_text(log, record));
  }
  out += fmt::format("{} logs, {} segments, {} events, {}: ", found.logs, found.segments,
                     api::readable_count(found.events), api::readable_bytes(found.bytes));
  out += repaired != nullptr ? fmt::format("{} files built anew, ", repaired->size()) : "";
  out += found.damage.empty() ? "no damage found"
                              : fmt::format("{} places are damaged", found.damage.size());
  out += unread.empty() ? "\n" : fmt::format("; {} places could not be read now\n", unread.size());
  return out;
}

// Takes the directory for this process alone and repairs what stands before its logs.
Result<void> begin_repair(Disk& disk, const std::string& directory, Repair& repair,
                          std::unique_ptr<DirectoryLock>& lock) {
  const auto marked = check_store_marker(disk, directory);
  const bool has_logs = disk.exists(logs_directory(directory)).value_or(false);
  if (!marked && (marked.error().code != ErrorCode::not_found || !has_logs)) {
    return fail(marked.error());
  }
  auto locked = disk.lock(lock_path(directory));
  if (!locked) {
    return locked.error().code == ErrorCode::busy
               ? fail(ErrorCode::busy, directory +
                                           ": a server is running on it; --repair needs the "
                                           "directory for itself, so stop the server first")
               : fail(locked.error());
  }
  lock = *std::move(locked);
  return repair.repair_layout(directory);
}

}  // namespace

int run_verify(Context& context) {
  return run_verify(context, context.arguments.data);
}

int run_verify(Context& context, const std::string& directory) {
  const Arguments& arguments = context.arguments;
  Disk& disk = posix_disk();
  index::CatalogOptions catalog_options;
  catalog_options.read_only = !arguments.repair;
  index::Catalog catalog(disk, catalog_options);
  Repair repair(disk, catalog);
  std::unique_ptr<DirectoryLock> lock;
  if (arguments.repair) {
    if (const auto begun = begin_repair(disk, directory, repair, lock); !begun) {
      return complain(begun.error());
    }
  }
  std::vector<Damage> layout =
      verify::check_layout(disk, directory, {server::system_log_name, server::preloaded_logs});
  StoreOptions options;
  options.read_only = true;
  const auto store = Store::open(disk, directory, options);
  const auto snapshot = store ? (*store)->snapshot() : fail(store.error());
  if (!snapshot && (layout.empty() || snapshot.error().code == ErrorCode::newer_format)) {
    return complain(snapshot.error());
  }
  verify::Verifier verifier(
      disk, [&](const SegmentInfo& info) { return verify::is_retired(**store, info); },
      arguments.deep ? &catalog : nullptr);
  verifier.findings().add(std::move(layout));
  if (snapshot) {
    const auto checked =
        check(verifier, directory, *snapshot, arguments.repair ? &repair : nullptr);
    if (!checked) {
      return complain(checked.error());
    }
  }
  Findings& found = verifier.findings();
  std::vector<Damage> unread;
  std::ranges::copy_if(found.damage, std::back_inserter(unread), &Damage::is_unread);
  std::erase_if(found.damage, [](const Damage& damage) { return damage.is_unread; });
  const std::vector<Repaired>* const repaired = arguments.repair ? &repair.repaired() : nullptr;
  if (arguments.format == Format::json) {
    write_json(context, report_json(found, unread, repaired));
  } else {
    context.out.write(report_text(found, unread, repaired));
  }
  if (found.damage.empty() && !unread.empty()) {
    return complain(
        {ErrorCode::io,
         fmt::format("{} places could not be read now; nothing is known of them", unread.size()), 0,
         0, 0});
  }
  return found.damage.empty() ? exit_done : exit_damaged;
}

}  // namespace docket::cli
