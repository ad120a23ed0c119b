// verify: reads everything there is and says where it does not match its checksums.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>

#include "engine/log.hpp"
#include "index/catalog.hpp"
#include "query/render.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/file_check.hpp"

namespace docket::cli {

namespace {

struct Findings {
  std::uint64_t logs = 0, segments = 0, events = 0, bytes = 0;
  std::vector<Damage> damage;

  void add(std::vector<Damage> found) { std::ranges::move(found, std::back_inserter(damage)); }
};

class Verifier {
 public:
  // All three must outlive it.
  Verifier(Store& store, index::Catalog& catalog, Findings& found, bool deep)
      : store_(store), catalog_(catalog), found_(found), deep_(deep) {}

  void check(const StoreSnapshot& snapshot) {
    std::uint64_t total = 0;
    for (const LogSnapshot& log : snapshot.logs) {
      for (const auto& segment : log.segments) {
        total += segment->info().rows;
      }
    }
    Progress progress("verified", total);
    for (const LogSnapshot& log : snapshot.logs) {
      ++found_.logs;
      std::vector<Gap> told;
      found_.add(check_log_files(posix_disk(), store_.directory(), log.log, told));
      for (const Gap& gap : log.gaps) {
        if (std::ranges::find(told, gap) != told.end()) {
          continue;
        }
        found_.damage.push_back(
            {log.log, 0, "", 0,
             fmt::format("{}:{} to {}:{} are missing: {}", log.log, gap.first_seq.value, log.log,
                         gap.last_seq.value, gap.reason)});
      }
      check_order(log);
      for (const auto& segment : log.segments) {
        const std::size_t known = found_.damage.size();
        check_segment(*segment);
        // An index can only be compared with a segment that can be read.
        if (segment->info().sealed && found_.damage.size() == known) {
          check_index(segment);
        }
        ++found_.segments;
        found_.events += segment->info().rows;
        found_.bytes += segment->info().bytes;
        progress.show(found_.events, "events");
      }
    }
  }

 private:
  void note(const SegmentInfo& info, const Error& error, std::string_view part) {
    if (error.code == ErrorCode::not_found && is_retired(info)) {
      return;
    }
    found_.damage.push_back({info.log, info.id.value, info.path, error.offset,
                             fmt::format("{}: {}", part, error.message)});
  }

  // Whether the server has retired the segment since we began.
  [[nodiscard]] bool is_retired(const SegmentInfo& info) {
    const auto now = store_.snapshot();
    if (!now) {
      return false;
    }
    const auto log = std::ranges::find(now->logs, info.log, &LogSnapshot::log);
    return log != now->logs.end() &&
           std::ranges::none_of(log->segments,
                                [&](const auto& each) { return each->info().id == info.id; }) &&
           std::ranges::none_of(log->gaps, [&](const Gap& gap) {
             return gap.first_seq <= info.last_seq && gap.last_seq >= info.first_seq;
           });
  }

  // Between one segment and the next nothing may be missing but what a gap names.
  void check_order(const LogSnapshot& log) {
    for (std::size_t i = 1; i < log.segments.size(); ++i) {
      const std::uint64_t end = log.segments[i - 1]->info().last_seq.value;
      const std::uint64_t next = log.segments[i]->info().first_seq.value;
      const bool explained = std::ranges::any_of(log.gaps, [&](const Gap& gap) {
        return gap.first_seq.value <= end + 1 && gap.last_seq.value + 1 >= next;
      });
      if (next != end + 1 && !explained) {
        found_.damage.push_back(
            {log.log, log.segments[i]->info().id.value, log.segments[i]->info().path, 0,
             fmt::format("starts at seq {} where {} was expected", next, end + 1)});
      }
    }
  }

  void check_segment(const SegmentReader& segment) {
    const SegmentInfo& info = segment.info();
    const auto blocks = segment.blocks();
    if (!blocks) {
      note(info, blocks.error(), "directory");
      return;
    }
    const Dictionaries* checked = nullptr;  // sealed blocks share theirs
    for (std::uint32_t block = 0; block < blocks->size(); ++block) {
      const std::string name = fmt::format("block {}", block);
      const std::size_t known = found_.damage.size();
      for (std::size_t i = 0; i < row_column_count; ++i) {
        if (const auto column = segment.column(block, static_cast<RowColumn>(i)); !column) {
          note(info, column.error(), fmt::format("{}, column {}", name, i));
        }
      }
      if (const auto related = segment.related(block); !related) {
        note(info, related.error(), name + ", related targets");
      }
      std::vector<std::uint32_t> rows((*blocks)[block].rows);
      std::iota(rows.begin(), rows.end(), 0U);
      const auto payloads =
          segment.payloads(block, rows, [](std::uint32_t, std::string_view) { return true; });
      if (!payloads) {
        note(info, payloads.error(), name + ", payloads");
      }
      const auto dictionaries = segment.dictionaries(block);
      if (!dictionaries) {
        note(info, dictionaries.error(), name + ", dictionaries");
      } else if (dictionaries->get() != checked) {
        checked = info.sealed ? dictionaries->get() : nullptr;
        check_dictionaries(info, **dictionaries);
      }
      if (found_.damage.size() == known) {
        check_rows(segment, (*blocks)[block], name);
      }
    }
  }

  void check_strings(const SegmentInfo& info, const Result<const StringTable*>& table,
                     std::string_view name) {
    Result<void> done;
    if (!table) {
      done = fail(table.error());
    } else {
      done =
          (*table)->scan(0, (*table)->size(), [](std::uint32_t, std::string_view) { return true; });
    }
    if (!done) {
      note(info, done.error(), name);
    }
  }

  void check_dictionaries(const SegmentInfo& info, const Dictionaries& dictionaries) {
    for (std::size_t i = 0; i < dictionary_field_count; ++i) {
      check_strings(info, dictionaries.strings(static_cast<DictionaryField>(i)),
                    fmt::format("dictionary {}", i));
    }
    check_strings(info, dictionaries.actor_ids(), "actors' ids");
    check_strings(info, dictionaries.actor_names(), "actors' names");
    check_strings(info, dictionaries.target_ids(), "targets' ids");
    check_strings(info, dictionaries.target_names(), "targets' names");
    const std::array<std::pair<const char*, Result<PackedInts>>, 3> columns{
        std::pair{"actors' kinds", dictionaries.actor_kinds()},
        std::pair{"actors' roles", dictionaries.actor_roles()},
        std::pair{"targets' types", dictionaries.target_types()}};
    for (const auto& [name, column] : columns) {
      if (!column) {
        note(info, column.error(), name);
      }
    }
  }

  // Whole events, so that ids that lead nowhere are found as well.
  void check_rows(const SegmentReader& segment, const BlockInfo& block, const std::string& name) {
    EventReader reader(segment);
    Event event;
    for (std::uint32_t row = 0; row < block.rows; ++row) {
      if (const auto read = reader.read_without_payload(block.first_row + row, event); !read) {
        note(segment.info(), read.error(), fmt::format("{}, row {}", name, row));
        return;
      }
      if (event.ts < block.ts_min || event.ts > block.ts_max ||
          event.seq != block.first_seq + row) {
        found_.damage.push_back({segment.info().log, segment.info().id.value, segment.info().path,
                                 0,
                                 fmt::format("{}, row {}: outside its block's range", name, row)});
        return;
      }
    }
  }

  void check_index(const std::shared_ptr<const SegmentReader>& segment) {
    std::vector<Damage> found = check_index_file(posix_disk(), segment->info());
    if (!found.empty() || !deep_) {
      found_.add(std::move(found));
      return;
    }
    const auto verified = catalog_.verify(segment);
    // A missing index is no damage: it is built when it is needed.
    if (!verified && verified.error().code != ErrorCode::not_found) {
      note(segment->info(), verified.error(), "index");
    }
  }

  Store& store_;
  index::Catalog& catalog_;
  Findings& found_;
  const bool deep_;
};

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
  Findings found;
  found.add(check_layout(posix_disk(), directory));
  StoreOptions options;
  options.read_only = true;
  const auto store = Store::open(posix_disk(), directory, options);
  const auto snapshot = store ? (*store)->snapshot() : fail(store.error());
  if (snapshot) {
    index::CatalogOptions catalog_options;
    catalog_options.read_only = true;
    index::Catalog catalog(posix_disk(), catalog_options);
    Verifier(**store, catalog, found, context.arguments.deep).check(*snapshot);
  } else if (found.damage.empty() || snapshot.error().code == ErrorCode::newer_format) {
    return complain(snapshot.error());
  }
  if (context.arguments.format == Format::json) {
    write_json(context, report_json(found));
  } else {
    context.out.write(report_text(found));
  }
  return found.damage.empty() ? exit_done : exit_damaged;
}

}  // namespace docket::cli
