#include "tools/verify/verifier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>

#include "engine/store_layout.hpp"

namespace docket::verify {

void Findings::add(std::vector<Damage> found) {
  for (Damage& each : found) {
    (each.is_remark ? remarks : damage).push_back(std::move(each));
  }
}

bool is_retired(Store& store, const SegmentInfo& info) {
  const auto now = store.snapshot();
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

Verifier::Verifier(Disk& disk, IsRetired is_retired, index::Catalog* catalog)
    : disk_(disk), is_retired_(std::move(is_retired)), catalog_(catalog) {}

void Verifier::check_log(const std::string& directory, const LogSnapshot& log) {
  ++found_.logs;
  std::vector<Gap> told;
  found_.add(check_log_files(disk_, directory, log.log, told));
  for (const Gap& gap : log.gaps) {
    if (std::ranges::find(told, gap) == told.end()) {
      found_.damage.push_back(
          {log.log, 0, "", 0,
           fmt::format("{}:{} to {}:{} are missing: {}", log.log, gap.first_seq.value, log.log,
                       gap.last_seq.value, gap.reason)});
    }
  }
  check_order(log);
  take_quarantine(directory, log.log);
}

// Damage to the records is told by check_log_files().
void Verifier::take_quarantine(const std::string& directory, const std::string& log) {
  if (auto quarantine = read_quarantine(disk_, log_directory(directory, log))) {
    for (QuarantineRecord& record : quarantine->records) {
      found_.set_aside.emplace_back(log, std::move(record));
    }
  }
}

void Verifier::check_segment(const std::shared_ptr<const SegmentReader>& segment) {
  const std::size_t known = found_.damage.size();
  check_blocks(*segment);
  // An index can only be compared with a segment that can be read.
  if (segment->info().sealed && found_.damage.size() == known) {
    check_index(segment);
  }
  ++found_.segments;
  found_.events += segment->info().rows;
  found_.bytes += segment->info().bytes;
}

void Verifier::note(const SegmentInfo& info, const Error& error, std::string_view part) {
  if (error.code == ErrorCode::not_found && is_retired_(info)) {
    return;
  }
  const bool is_unread = is_of_the_moment(error);
  found_.damage.push_back(
      {info.log, info.id.value, info.path, error.offset,
       fmt::format("{}{}: {}", is_unread ? "it could not be read now: " : "", part, error.message),
       is_unread});
}

// Between one segment and the next nothing may be missing but what a gap names.
void Verifier::check_order(const LogSnapshot& log) {
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

void Verifier::check_blocks(const SegmentReader& segment) {
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

void Verifier::check_strings(const SegmentInfo& info, const Result<const StringTable*>& table,
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

void Verifier::check_dictionaries(const SegmentInfo& info, const Dictionaries& dictionaries) {
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
void Verifier::check_rows(const SegmentReader& segment, const BlockInfo& block,
                          const std::string& name) {
  EventReader reader(segment);
  Event event;
  for (std::uint32_t row = 0; row < block.rows; ++row) {
    if (const auto read = reader.read_without_payload(block.first_row + row, event); !read) {
      note(segment.info(), read.error(), fmt::format("{}, row {}", name, row));
      return;
    }
    if (event.ts < block.ts_min || event.ts > block.ts_max || event.seq != block.first_seq + row) {
      found_.damage.push_back({segment.info().log, segment.info().id.value, segment.info().path, 0,
                               fmt::format("{}, row {}: outside its block's range", name, row)});
      return;
    }
  }
}

void Verifier::check_index(const std::shared_ptr<const SegmentReader>& segment) {
  std::vector<Damage> found = check_index_file(disk_, segment->info());
  if (!found.empty() || catalog_ == nullptr) {
    found_.add(std::move(found));
    return;
  }
  const auto verified = catalog_->verify(segment);
  // A missing index is no damage: it is built when it is needed.
  if (!verified && verified.error().code != ErrorCode::not_found) {
    const bool is_unread = is_of_the_moment(verified.error());
    found_.damage.push_back(
        {segment->info().log, segment->info().id.value, index_path(segment->info()),
         verified.error().offset,
         (is_unread ? "it could not be compared now: " : "") + verified.error().message,
         is_unread});
  }
}

}  // namespace docket::verify
