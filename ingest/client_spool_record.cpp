#include "ingest/client_spool_record.hpp"

#include <algorithm>
#include <array>

#include "engine/assert.hpp"
#include "engine/byte_reader.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"

namespace docket::client {
namespace {

constexpr std::size_t node_field_bytes = limits::node_bytes_max;
constexpr std::uint16_t record_mark = 0x4453;  // "SD"
constexpr std::size_t body_bytes_at = 4;
constexpr std::size_t value_at = 8;
constexpr std::size_t check_at = 16;
constexpr std::uint8_t flag_ip = 1;
constexpr std::uint8_t flag_mark = 2;
constexpr std::size_t fixed_bytes = 20;  // of an event, before what its flags say
constexpr std::size_t ip_bytes = 16;

void append_string(std::vector<std::byte>& out, std::string_view text) {
  DOCKET_ASSERT(text.size() <= limits::string_bytes_max);
  append_le(out, static_cast<std::uint8_t>(text.size()));
  append_bytes(out, as_byte_span(text));
}

std::string_view get_string(ByteReader& reader) {
  const auto size = reader.get<std::uint8_t>();
  return reader.text(size);
}

// The check is made with the file's number in its own place: a record that another file has left
// on the disk does not pass.
std::uint64_t check_of(std::span<std::byte> record, std::uint64_t file) {
  store_le(record.data() + check_at, file);
  return checksum64(record);
}

}  // namespace

void append_spool_head(std::vector<std::byte>& out, const SpoolHead& head) {
  DOCKET_ASSERT(head.node.size() <= node_field_bytes);
  const std::size_t begin = out.size();
  append_bytes(out, as_byte_span(spool_magic));
  append_le(out, spool_version);
  append_le(out, static_cast<std::uint16_t>(head.node.size()));
  append_le(out, std::uint32_t{0});
  append_le(out, head.file);
  append_le(out, head.epoch);
  append_le(out, head.valid);
  append_le(out, head.boot);
  append_bytes(out, as_byte_span(head.node));
  out.resize(begin + spool_head_bytes - sizeof(std::uint64_t));
  append_le(out, checksum64(std::span(out).subspan(begin)));
}

Result<SpoolHead> parse_spool_head(std::span<const std::byte> bytes) {
  if (bytes.size() < spool_head_bytes || as_text(bytes.first(spool_magic.size())) != spool_magic) {
    return fail(ErrorCode::corrupt, "not a file of a spool");
  }
  ByteReader reader(bytes.subspan(spool_magic.size(), spool_head_bytes - spool_magic.size()));
  const auto version = reader.get<std::uint16_t>();
  const auto node_bytes = reader.get<std::uint16_t>();
  const auto features = reader.get<std::uint32_t>();
  SpoolHead head;
  head.file = reader.get<std::uint64_t>();
  head.epoch = reader.get<std::uint64_t>();
  head.valid = reader.get<std::uint64_t>();
  head.boot = reader.get<std::uint64_t>();
  const std::string_view node = reader.text(node_field_bytes);
  const auto check = reader.get<std::uint64_t>();
  if (check != checksum64(bytes.first(spool_head_bytes - sizeof(check))) ||
      node_bytes > node_field_bytes) {
    return fail(ErrorCode::corrupt, "the head's checksum does not match");
  }
  if (version != spool_version || features != 0) {
    return fail(ErrorCode::newer_format, "written by a newer version of the client");
  }
  head.node = node.substr(0, node_bytes);
  return head;
}

std::size_t begin_spool_record(std::vector<std::byte>& out) {
  const std::size_t begun = out.size();
  out.resize(begun + spool_record_bytes);
  return begun;
}

void finish_spool_record(std::vector<std::byte>& out, std::size_t begun, std::uint64_t file,
                         SpoolRecordType type, std::uint8_t log, std::uint64_t value) {
  const auto record = std::span(out).subspan(begun);
  const std::size_t body_bytes = record.size() - spool_record_bytes;
  DOCKET_ASSERT(body_bytes <= spool_body_bytes_max);
  store_le(record.data(), record_mark);
  store_le(record.data() + 2, static_cast<std::uint8_t>(type));
  store_le(record.data() + 3, log);
  store_le(record.data() + body_bytes_at, static_cast<std::uint32_t>(body_bytes));
  store_le(record.data() + value_at, value);
  store_le(record.data() + check_at, check_of(record, file));
}

std::size_t spool_record_size(std::span<const std::byte> head) {
  const auto type = load_le<std::uint8_t>(head.data() + 2);
  const auto body_bytes = load_le<std::uint32_t>(head.data() + body_bytes_at);
  const bool begins = load_le<std::uint16_t>(head.data()) == record_mark &&
                      type >= static_cast<std::uint8_t>(SpoolRecordType::log) &&
                      type <= static_cast<std::uint8_t>(SpoolRecordType::mark) &&
                      body_bytes <= spool_body_bytes_max;
  return begins ? spool_record_bytes + body_bytes : 0;
}

std::optional<SpoolRecord> parse_spool_record(std::span<std::byte> bytes, std::uint64_t file) {
  const auto check = load_le<std::uint64_t>(bytes.data() + check_at);
  const bool is_intact = check_of(bytes, file) == check;
  store_le(bytes.data() + check_at, check);
  if (!is_intact) {
    return std::nullopt;
  }
  SpoolRecord record;
  record.type = static_cast<SpoolRecordType>(load_le<std::uint8_t>(bytes.data() + 2));
  record.log = load_le<std::uint8_t>(bytes.data() + 3);
  record.value = load_le<std::uint64_t>(bytes.data() + value_at);
  record.body = bytes.subspan(spool_record_bytes);
  return record;
}

void append_spool_log(std::vector<std::byte>& out, const SpoolLogBody& log) {
  append_le(out, log.settled_number);
  append_le(out, log.appended);
  append_le(out, log.batched);
  append_le(out, log.settled);
  append_bytes(out, as_byte_span(log.name));
}

std::optional<SpoolLogBody> parse_spool_log(std::span<const std::byte> body) {
  ByteReader reader(body);
  SpoolLogBody log;
  log.settled_number = reader.get<std::uint64_t>();
  log.appended = reader.get<std::uint64_t>();
  log.batched = reader.get<std::uint64_t>();
  log.settled = reader.get<std::uint64_t>();
  log.name = as_text(reader.rest());
  if (!reader.ok() || !is_log_name(log.name) || log.settled > log.batched ||
      log.batched > log.appended) {
    return std::nullopt;
  }
  return log;
}

void append_spool_event(std::vector<std::byte>& out, const EventView& event,
                        std::string_view mark) {
  append_le(out, event.ts);
  append_le(out, event.affected);
  append_le(out, static_cast<std::uint8_t>(event.outcome));
  const std::uint8_t ip_flag = event.ip ? flag_ip : std::uint8_t{0};
  const std::uint8_t mark_flag = mark.empty() ? std::uint8_t{0} : flag_mark;
  append_le(out, static_cast<std::uint8_t>(ip_flag | mark_flag));
  append_le(out, static_cast<std::uint16_t>(event.related.size()));
  if (event.ip) {
    append_bytes(out, std::as_bytes(std::span(event.ip->bytes)));
  }
  if (!mark.empty()) {
    append_string(out, mark);
  }
  for (const std::string_view text :
       {event.actor.kind, event.actor.id, event.actor.name, event.actor.role, event.verb,
        event.target.type, event.target.id, event.target.name, event.reason, event.session,
        event.request}) {
    append_string(out, text);
  }
  for (const TargetView& target : event.related) {
    append_string(out, target.type);
    append_string(out, target.id);
    append_string(out, target.name);
  }
  append_bytes(out, as_byte_span(event.payload));
}

std::string_view parse_spool_mark(std::span<const std::byte> body) {
  ByteReader reader(body);
  const auto fixed = reader.bytes(fixed_bytes);
  if (!reader.ok()) {
    return {};
  }
  const auto flags = std::to_integer<std::uint8_t>(fixed[fixed_bytes - 3]);
  if ((flags & flag_mark) == 0) {
    return {};
  }
  static_cast<void>(reader.bytes((flags & flag_ip) != 0 ? ip_bytes : 0));
  return get_string(reader);
}

std::optional<EventView> parse_spool_event(std::span<const std::byte> body,
                                           std::vector<TargetView>& related) {
  ByteReader reader(body);
  EventView event;
  event.ts = reader.get<Nanos>();
  event.affected = reader.get<std::uint64_t>();
  const auto outcome = reader.get<std::uint8_t>();
  const auto flags = reader.get<std::uint8_t>();
  const auto related_count = reader.get<std::uint16_t>();
  if (outcome > static_cast<std::uint8_t>(Outcome::denied) || flags > (flag_ip | flag_mark) ||
      related_count > limits::related_max) {
    return std::nullopt;
  }
  event.outcome = static_cast<Outcome>(outcome);
  if ((flags & flag_ip) != 0) {
    const auto bytes = reader.bytes(ip_bytes);
    event.ip.emplace();
    std::transform(bytes.begin(), bytes.end(), event.ip->bytes.begin(),
                   [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  }
  if ((flags & flag_mark) != 0) {
    static_cast<void>(get_string(reader));
  }
  for (std::string_view* text :
       {&event.actor.kind, &event.actor.id, &event.actor.name, &event.actor.role, &event.verb,
        &event.target.type, &event.target.id, &event.target.name, &event.reason, &event.session,
        &event.request}) {
    *text = get_string(reader);
  }
  related.clear();
  for (std::uint16_t i = 0; i < related_count; ++i) {
    TargetView& target = related.emplace_back();
    target.type = get_string(reader);
    target.id = get_string(reader);
    target.name = get_string(reader);
  }
  if (!reader.ok()) {
    return std::nullopt;
  }
  event.related = related;
  event.payload = as_text(reader.rest());
  return event;
}

}  // namespace docket::client
