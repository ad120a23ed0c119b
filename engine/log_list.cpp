#include "engine/log_list.hpp"

#include <algorithm>

#include "engine/byte_reader.hpp"
#include "engine/bytes.hpp"
#include "engine/event.hpp"

namespace docket {

namespace {

// A log takes at most 57 bytes, and there are few.
constexpr PairedFile list_file{"DKTLOGS1", "list of logs", std::uint64_t{1} << 20};

}  // namespace

const ListedLog* LogList::find(std::string_view log) const {
  const auto found = std::ranges::find(logs, log, &ListedLog::log);
  return found == logs.end() ? nullptr : &*found;
}

void LogList::put(const ListedLog& listed) {
  const auto place = std::ranges::lower_bound(logs, listed.log, {}, &ListedLog::log);
  if (place != logs.end() && place->log == listed.log) {
    *place = listed;
  } else {
    logs.insert(place, listed);
  }
}

CopyPaths log_list_paths(const std::string& directory) {
  return {directory + "/loglist.a", directory + "/loglist.b"};
}

std::vector<std::byte> encode_log_list(const LogList& list) {
  std::vector<std::byte> content;
  append_le(content, list.generation);
  append_le(content, static_cast<std::uint32_t>(list.logs.size()));
  for (const ListedLog& listed : list.logs) {
    append_le(content, static_cast<std::uint8_t>(listed.log.size()));
    append_bytes(content, as_byte_span(listed.log));
    append_le(content, listed.begun.value);
    append_le(content, listed.oldest.value);
    append_le(content, listed.reserved.value);
  }
  return encode_paired(list_file, content);
}

Result<LogList> decode_log_list(std::span<const std::byte> bytes) {
  DOCKET_ASSIGN(const auto content, decode_paired(list_file, bytes));
  ByteReader reader(content);
  LogList list;
  list.generation = reader.get<std::uint64_t>();
  const auto logs = reader.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < logs && reader.ok(); ++i) {
    ListedLog listed;
    listed.log = reader.text(reader.get<std::uint8_t>());
    listed.begun = SegmentId(reader.get<std::uint64_t>());
    listed.oldest = Seq(reader.get<std::uint64_t>());
    listed.reserved = Seq(reader.get<std::uint64_t>());
    const bool in_order = i == 0 || list.logs.back().log < listed.log;
    if (reader.ok() &&
        (!in_order || !is_log_name(listed.log) || listed.oldest.value == 0 ||
         listed.reserved < listed.oldest || listed.reserved.value > UINT64_MAX / 2)) {
      return fail(ErrorCode::corrupt, "list of logs contradicts itself");
    }
    list.logs.push_back(std::move(listed));
  }
  if (!reader.ok() || !reader.rest().empty()) {
    return fail(ErrorCode::corrupt, "list of logs does not end where it should");
  }
  return list;
}

Result<NewestCopy<LogList>> load_log_list(Disk& disk, const std::string& directory,
                                          std::vector<std::string>& damaged) {
  return load_newest<LogList>(disk, list_file, log_list_paths(directory), decode_log_list, damaged);
}

Result<LogList> readable_log_list(Disk& disk, const std::string& directory) {
  std::vector<std::string> damaged;
  auto loaded = load_log_list(disk, directory, damaged);
  if (loaded) {
    return std::move(loaded->value);
  }
  const ErrorCode code = loaded.error().code;
  return code == ErrorCode::not_found || code == ErrorCode::corrupt ? Result<LogList>(LogList{})
                                                                    : fail(loaded.error());
}

Result<void> save_log_list(Disk& disk, const std::string& directory, LogList& list) {
  ++list.generation;
  return replace_copies(disk, log_list_paths(directory), encode_log_list(list));
}

}  // namespace docket
