// The bytes of a spool's files: heads and records; SPOOL.md is their normative text. No file and no
// state. Internal to the client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/result.hpp"

namespace docket::client {

inline constexpr std::string_view spool_magic = "DKTSPOOL";
inline constexpr std::uint16_t spool_version = 1;
//   head: magic 8, version 2, node size 2, features 4, file 8, epoch 8, valid 8, boot 8, node 128,
//   check 8
inline constexpr std::size_t spool_head_bytes = 8 + 2 + 2 + 4 + 8 + 8 + 8 + 8 + 128 + 8;
static_assert(spool_head_bytes == 184);
//   record: mark 2, type 1, log 1, body bytes 4, value 8, check 8; then the body
inline constexpr std::size_t spool_record_bytes = 2 + 1 + 1 + 4 + 8 + 8;
static_assert(spool_record_bytes == 24);
// An index is one byte, and a store has 64 logs.
inline constexpr std::size_t spool_logs_max = 255;
inline constexpr std::size_t spool_mark_bytes_max = 255;
// The largest event: a mark, all its strings at their longest, and the largest payload.
inline constexpr std::size_t spool_body_bytes_max = 64 + spool_mark_bytes_max + 16 * 256 +
                                                    limits::related_max * 3 * 256 +
                                                    limits::payload_bytes_max;

struct SpoolHead {
  std::uint64_t file = 0;   // this file's number, as in its name
  std::uint64_t epoch = 0;  // of the batches, when the file was begun
  std::uint64_t valid = 0;  // bytes of the file before that count; what is behind them failed
  std::uint64_t boot = 0;   // of the machine, while it wrote without syncing; else 0
  std::string node;
};

enum class SpoolRecordType : std::uint8_t {
  log = 1,      // value: number of the next batch; body: see SpoolLogBody
  event = 2,    // value: ordinal; body: the event
  batch = 3,    // value: number; body: first and end ordinal
  settled = 4,  // value: number; body: end ordinal
  epoch = 5,    // value: epoch; no body
  mark = 6,     // value: 0; body: the last mark of the files before
};

struct SpoolRecord {
  SpoolRecordType type{};
  std::uint8_t log = 0;  // index
  std::uint64_t value = 0;
  std::span<const std::byte> body;
};

// What a file says of a log at its beginning.
struct SpoolLogBody {
  std::uint64_t settled_number = 0;
  std::uint64_t appended = 0;
  std::uint64_t batched = 0;
  std::uint64_t settled = 0;
  std::string_view name;
};

void append_spool_head(std::vector<std::byte>& out, const SpoolHead& head);
// Errors: corrupt; newer_format.
[[nodiscard]] Result<SpoolHead> parse_spool_head(std::span<const std::byte> bytes);

// Appends a record of file `file`; its body is what stands in `out` from `body_at` on, where
// begin_spool_record() left off. Together: begin, append the body, finish.
[[nodiscard]] std::size_t begin_spool_record(std::vector<std::byte>& out);
void finish_spool_record(std::vector<std::byte>& out, std::size_t begun, std::uint64_t file,
                         SpoolRecordType type, std::uint8_t log, std::uint64_t value);

// How many bytes the record takes that begins like this; 0: no record begins like this.
// Precondition: spool_record_bytes bytes.
[[nodiscard]] std::size_t spool_record_size(std::span<const std::byte> head);
// The record, if it is intact. `bytes` are exactly a record's; they are changed and changed back.
[[nodiscard]] std::optional<SpoolRecord> parse_spool_record(std::span<std::byte> bytes,
                                                            std::uint64_t file);

void append_spool_log(std::vector<std::byte>& out, const SpoolLogBody& log);
[[nodiscard]] std::optional<SpoolLogBody> parse_spool_log(std::span<const std::byte> body);

// Precondition: check_event() accepted it; a mark has at most spool_mark_bytes_max bytes.
void append_spool_event(std::vector<std::byte>& out, const EventView& event,
                        std::string_view mark = {});
// What was emitted with the event; empty: nothing.
[[nodiscard]] std::string_view parse_spool_mark(std::span<const std::byte> body);
// Views into `body` and `related`. nullopt: not the bytes of an event.
[[nodiscard]] std::optional<EventView> parse_spool_event(std::span<const std::byte> body,
                                                         std::vector<TargetView>& related);

}  // namespace docket::client
