#include "engine/quarantine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/timestamp.hpp"

namespace docket {

namespace {

// checksum time file offset bytes first_seq last_seq kept reason
constexpr std::size_t checksum_digits = 16;
constexpr std::size_t fields = 7;  // between the checksum and the reason
constexpr std::string_view nothing = "-";

std::string checksum_of(std::string_view text) {
  return fmt::format("{:016x}", checksum64(as_byte_span(text)));
}

std::string line_of(const QuarantineRecord& record) {
  std::string reason = record.reason;
  std::ranges::replace_if(
      reason, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  const std::string text =
      fmt::format("{} {} {} {} {} {} {} {}", format_rfc3339(record.time), record.file,
                  record.offset, record.bytes, record.first_seq.value, record.last_seq.value,
                  record.kept.empty() ? nothing : std::string_view(record.kept), reason);
  return checksum_of(text) + ' ' + text;
}

bool read_number(std::string_view text, std::uint64_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<QuarantineRecord> parse_line(std::string_view line) {
  if (line.size() <= checksum_digits || line[checksum_digits] != ' ' ||
      checksum_of(line.substr(checksum_digits + 1)) != line.substr(0, checksum_digits)) {
    return std::nullopt;
  }
  line.remove_prefix(checksum_digits + 1);
  std::array<std::string_view, fields> parts;
  for (std::string_view& part : parts) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) {
      return std::nullopt;
    }
    part = line.substr(0, space);
    line.remove_prefix(space + 1);
  }
  QuarantineRecord record;
  const auto time = parse_rfc3339(parts[0]);
  if (!time || !read_number(parts[2], record.offset) || !read_number(parts[3], record.bytes) ||
      !read_number(parts[4], record.first_seq.value) ||
      !read_number(parts[5], record.last_seq.value)) {
    return std::nullopt;
  }
  record.time = *time;
  record.file = parts[1];
  record.kept = parts[6] == nothing ? "" : parts[6];
  record.reason = line;
  return record;
}

// But for the time, and what a line cannot hold.
bool is_same(const QuarantineRecord& a, const QuarantineRecord& b) {
  return a.file == b.file && a.kept == b.kept && a.offset == b.offset && a.bytes == b.bytes &&
         a.first_seq == b.first_seq && a.last_seq == b.last_seq;
}

Result<std::vector<std::byte>> read_lines(Disk& disk, const std::string& path) {
  DOCKET_ASSIGN(const bool exists, disk.exists(path));
  return exists ? read_file(disk, path, quarantine_bytes_max) : std::vector<std::byte>();
}

Quarantine parse_lines(std::string_view text) {
  Quarantine all;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    auto record = parse_line(text.substr(at, end == std::string_view::npos ? end : end - at));
    if (record && end != std::string_view::npos) {
      all.records.push_back(*std::move(record));
    } else {
      all.damaged_at.push_back(at);
    }
    at = end == std::string_view::npos ? text.size() : end + 1;
  }
  return all;
}

}  // namespace

std::string quarantine_path(const std::string& directory) {
  return directory + "/quarantine.txt";
}

Result<Quarantine> read_quarantine(Disk& disk, const std::string& directory) {
  DOCKET_ASSIGN(const auto bytes, read_lines(disk, quarantine_path(directory)));
  return parse_lines(as_text(bytes));
}

Result<void> record_quarantine(Disk& disk, const std::string& directory,
                               const QuarantineRecord& record) {
  const std::string path = quarantine_path(directory);
  auto bytes = read_lines(disk, path);
  if (!bytes) {
    if (bytes.error().code != ErrorCode::corrupt) {
      return fail(bytes.error());
    }
    // A bad sector, or no file of ours: it is evidence like any other.
    DOCKET_TRY(disk.rename(path, path + ".damaged"));
    bytes = std::vector<std::byte>();
  }
  const Quarantine known = parse_lines(as_text(*bytes));
  if (std::ranges::any_of(known.records,
                          [&](const QuarantineRecord& each) { return is_same(each, record); })) {
    return {};
  }
  if (!bytes->empty() && bytes->back() != std::byte{'\n'}) {
    bytes->push_back(std::byte{'\n'});
  }
  const std::string line = line_of(record) + '\n';
  if (bytes->size() + line.size() > quarantine_bytes_max) {
    return fail(ErrorCode::overloaded, path + " is full");
  }
  append_bytes(*bytes, as_byte_span(line));
  return replace_file(disk, path, *bytes);
}

}  // namespace docket
