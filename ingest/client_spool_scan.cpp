// What the files of a spool say, read once when it is opened.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

#include "engine/byte_reader.hpp"
#include "ingest/client_spool.hpp"
#include "ingest/client_spool_reader.hpp"

namespace docket::client {
namespace {

constexpr std::string_view suffix = ".spool";
// Batches that are in memory at a time are far fewer; a number behind so many is damage.
constexpr std::uint64_t missing_batches_max = std::uint64_t{1} << 20;

std::optional<std::uint64_t> number_in(std::string_view name) {
  if (!name.ends_with(suffix)) {
    return std::nullopt;
  }
  name.remove_suffix(suffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() && number != 0
             ? std::optional(number)
             : std::nullopt;
}

// Batches that no record tells of, because it is damaged: the first of them has all events up to
// `end`, the others none.
bool fill_batches(SpoolLog& log, std::uint64_t next_number, std::uint64_t end) {
  if (next_number < log.next_number || next_number - log.next_number > missing_batches_max) {
    return false;
  }
  for (; log.next_number < next_number; ++log.next_number) {
    log.ends.push_back(end);
    log.batched = std::max(log.batched, end);
  }
  return true;
}

void settle(SpoolLog& log, std::uint64_t number, std::uint64_t end) {
  if (number < log.settled_number || end < log.settled) {
    return;
  }
  while (!log.ends.empty() && log.settled_number < number) {
    log.ends.pop_front();
    ++log.settled_number;
  }
  log.settled_number = number;
  log.next_number = std::max(log.next_number, number + 1);
  log.settled = end;
  log.batched = std::max(log.batched, end);
  log.appended = std::max(log.appended, end);
}

class Scan {
 public:
  Scan(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  Result<SpoolContent> run() {
    DOCKET_ASSIGN(const auto entries, disk_.list(directory_));
    std::vector<std::uint64_t> numbers;
    for (const DirectoryEntry& entry : entries) {
      if (const auto number = number_in(entry.name)) {
        numbers.push_back(*number);
      }
    }
    std::sort(numbers.begin(), numbers.end());
    std::vector<SpoolFileReader> readers;
    for (const std::uint64_t number : numbers) {
      content_.last_file = number;
      auto reader = SpoolFileReader::open(disk_, spool_file_path(directory_, number));
      if (reader && reader->head().file == number) {
        readers.push_back(std::move(*reader));
      } else if (!reader && reader.error().code == ErrorCode::newer_format) {
        return fail(std::move(reader).error());
      } else if (!reader && reader.error().code != ErrorCode::corrupt) {
        return fail(std::move(reader).error());
      } else {
        // Its head is damaged, or was never whole. It stands in the row, so that it goes in turn.
        content_.files.push_back({number, 0, {}, number != numbers.back()});
      }
    }
    for (std::size_t i = 0; i < readers.size(); ++i) {
      DOCKET_ASSIGN(std::uint64_t end, readers[i].size());
      const std::uint64_t number = readers[i].head().file;
      if (i + 1 < readers.size() && readers[i + 1].head().file == number + 1) {
        end = std::min(end, readers[i + 1].head().valid);
      }
      DOCKET_TRY(read(readers[i], end));
    }
    std::sort(content_.files.begin(), content_.files.end(),
              [](const SpoolFile& a, const SpoolFile& b) { return a.number < b.number; });
    return std::move(content_);
  }

 private:
  Result<void> read(SpoolFileReader& reader, std::uint64_t end) {
    content_.node = reader.head().node;
    content_.boot = reader.head().boot;
    if (content_.epoch != reader.head().epoch) {
      begin_epoch(reader.head().epoch);
    }
    SpoolFile& file = content_.files.emplace_back();
    file.number = reader.head().file;
    for (;;) {
      const std::uint64_t before = reader.offset();
      auto record = reader.next(end);
      if (!record && record.error().code != ErrorCode::corrupt) {
        return fail(std::move(record).error());
      }
      if (!record || !*record) {
        // A last record that is not whole was cut by a kill; nobody was promised it.
        file.is_damaged = file.is_damaged || !record;
        break;
      }
      const std::size_t size = spool_record_bytes + (*record)->body.size();
      file.is_damaged = file.is_damaged || reader.offset() - size != before;
      apply(**record, file);
    }
    file.bytes = reader.offset();
    return {};
  }

  void apply(const SpoolRecord& record, SpoolFile& file) {
    if (record.type == SpoolRecordType::epoch) {
      begin_epoch(record.value);
      return;
    }
    if (record.type == SpoolRecordType::mark) {
      content_.mark = as_text(record.body);
      return;
    }
    if (content_.logs.size() <= record.log) {
      content_.logs.resize(record.log + std::size_t{1});
    }
    SpoolLog& log = content_.logs[record.log];
    ByteReader body(record.body);
    switch (record.type) {
      case SpoolRecordType::log:
        apply_log(log, record);
        break;
      case SpoolRecordType::event:
        log.appended = std::max(log.appended, record.value + 1);
        file.ends.resize(std::max<std::size_t>(file.ends.size(), record.log + std::size_t{1}));
        file.ends[record.log] = log.appended;
        if (const std::string_view mark = parse_spool_mark(record.body); !mark.empty()) {
          content_.mark = mark;
        }
        break;
      case SpoolRecordType::batch: {
        const auto first = body.get<std::uint64_t>();
        const auto end = body.get<std::uint64_t>();
        if (body.ok() && first >= log.batched && first <= end &&
            fill_batches(log, record.value, first)) {
          static_cast<void>(fill_batches(log, record.value + 1, end));
          log.appended = std::max(log.appended, end);
        }
        break;
      }
      case SpoolRecordType::settled:
        if (const auto end = body.get<std::uint64_t>(); body.ok()) {
          settle(log, record.value, end);
        }
        break;
      case SpoolRecordType::epoch:
      case SpoolRecordType::mark:
        break;
    }
  }

  void begin_epoch(std::uint64_t epoch) {
    content_.epoch = epoch;
    for (SpoolLog& log : content_.logs) {
      log.settled_number = 0;
      log.next_number = 1 + log.ends.size();
    }
  }

  // What an earlier file has said stands; this adds what is missing there.
  static void apply_log(SpoolLog& log, const SpoolRecord& record) {
    const auto told = parse_spool_log(record.body);
    if (!told || record.value == 0 || told->settled_number >= record.value) {
      return;
    }
    if (log.name.empty()) {
      log.name = told->name;
    }
    if (log.appended == 0 && log.next_number == 1) {
      log.next_number = told->settled_number + 1;
      log.settled_number = told->settled_number;
      log.batched = told->settled;
    }
    if (told->settled_number >= log.settled_number) {
      settle(log, told->settled_number, told->settled);
    }
    static_cast<void>(fill_batches(log, record.value, told->batched));
    log.appended = std::max(log.appended, told->appended);
  }

  Disk& disk_;
  const std::string directory_;
  SpoolContent content_;
};

}  // namespace

std::string spool_file_path(const std::string& directory, std::uint64_t number) {
  char digits[24];
  static_cast<void>(
      std::snprintf(digits, sizeof(digits), "%08llu", static_cast<unsigned long long>(number)));
  return directory + "/" + digits + std::string(suffix);
}

Result<SpoolContent> scan_spool(Disk& disk, const std::string& directory) {
  return Scan(disk, directory).run();
}

}  // namespace docket::client
