// Reading segments: packed columns and dictionaries, verified on the way in.
//
// A segment's rows are numbered from 0 and stand in blocks of up to 8,192. Row r of block b is
// event b.first_seq + (r - b.first_row): seqs run on within a block, but there may be a gap before
// a block where damage has been found. In a sealed segment blocks are full, but for the last one
// and one before a gap, and all share the segment's sorted dictionaries; in an active one blocks
// are of any size and each has its own, unsorted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/event.hpp"
#include "engine/packed_ints.hpp"
#include "engine/result.hpp"
#include "engine/token_scan.hpp"

namespace docket {

// One value per row. Ids refer to the dictionaries; id 0 means absent.
enum class RowColumn : std::uint8_t {
  ts,        // Nanos, as two's complement
  received,  // Nanos
  actor,     // id in the actor table
  verb,      // id in `verb`
  target,    // id in the target table
  affected,
  ip,       // id in `ip`
  outcome,  // Outcome
  reason,   // id in `reason`
  session,  // id in `session`
  request,  // id in `request`
  node,     // id in `node`
};
inline constexpr std::size_t row_column_count = 12;

// Plain string dictionaries. Entry 0 is always the empty string (absent).
enum class DictionaryField : std::uint8_t {
  verb,
  reason,
  session,
  request,
  ip,
  node,
  kind,
  role,
  type
};
inline constexpr std::size_t dictionary_field_count = 9;

// Strings by id. Thread-safe. Sealed: read by pages through the cache; hot: in memory.
class StringTable {
 public:
  virtual ~StringTable() = default;
  [[nodiscard]] virtual std::uint32_t size() const = 0;
  // Sets `out` to string `id` (< size()).
  [[nodiscard]] virtual Result<void> read(std::uint32_t id, std::string& out) const = 0;
  // Calls `visit` for ids begin..end-1 in order; stops early when it returns false. The view is
  // valid during the call only.
  [[nodiscard]] virtual Result<void> scan(
      std::uint32_t begin, std::uint32_t end,
      const std::function<bool(std::uint32_t id, std::string_view text)>& visit) const = 0;
  // Calls visit(first, texts) with the strings of ids[first], ids[first + 1] … for some of the ids
  // after the other, until all have had their turn. `ids` ascend and are below size(). The views
  // are valid during the call only. For many at once: each page is looked up once.
  using VisitTexts =
      std::function<void(std::size_t first, std::span<const std::string_view> texts)>;
  [[nodiscard]] virtual Result<void> read_ascending(std::span<const std::uint32_t> ids,
                                                    const VisitTexts& visit) const = 0;
};

// Half-open range of ids.
struct IdRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  [[nodiscard]] bool empty() const { return begin >= end; }
  [[nodiscard]] std::uint32_t size() const { return empty() ? 0 : end - begin; }
  friend bool operator==(const IdRange&, const IdRange&) = default;
};

// All dictionaries that a block's ids refer to. Thread-safe.
//
// The actor and target tables hold one entry per distinct tuple as it was at event time:
// (kind, id, name, role) and (type, id, name). Several entries may be the same identity,
// (kind, id) or (type, id), under different names. Entry 0 of each is the empty tuple.
//
// Where sorted() is true: plain dictionaries are sorted bytewise; the tables are sorted by
// (kind, id, name, role) and (type, id, name), so that every identity, every kind or type, and
// every prefix of an id within a kind or type is one range of ids.
class Dictionaries {
 public:
  virtual ~Dictionaries() = default;
  [[nodiscard]] virtual bool sorted() const = 0;
  // Errors of these: io, corrupt.
  [[nodiscard]] virtual Result<const StringTable*> strings(DictionaryField field) const = 0;

  [[nodiscard]] virtual std::uint32_t actor_count() const = 0;
  [[nodiscard]] virtual Result<const StringTable*> actor_ids() const = 0;
  [[nodiscard]] virtual Result<const StringTable*> actor_names() const = 0;
  [[nodiscard]] virtual Result<PackedInts> actor_kinds() const = 0;  // ids in `kind`
  [[nodiscard]] virtual Result<PackedInts> actor_roles() const = 0;  // ids in `role`

  [[nodiscard]] virtual std::uint32_t target_count() const = 0;
  [[nodiscard]] virtual Result<const StringTable*> target_ids() const = 0;
  [[nodiscard]] virtual Result<const StringTable*> target_names() const = 0;
  [[nodiscard]] virtual Result<PackedInts> target_types() const = 0;  // ids in `type`
};

struct BlockInfo {
  Seq first_seq;
  std::uint32_t first_row = 0;  // in the segment
  std::uint32_t rows = 0;
  Nanos ts_min = 0;
  Nanos ts_max = 0;
  bool has_related = false;  // any row has related targets
  bool has_payload = false;
};

// Related targets of a block's rows, ragged: row i's are targets[starts[i] .. starts[i+1]).
struct RelatedColumn {
  std::vector<std::uint32_t> starts;   // rows + 1 entries; empty when no row has any
  std::vector<std::uint32_t> targets;  // ids in the target table
};

struct SegmentInfo {
  std::string log;
  SegmentId id;
  Seq first_seq;
  Seq last_seq;  // first_seq - 1 when there are no rows
  std::uint32_t rows = 0;
  Nanos ts_min = 0;
  Nanos ts_max = 0;
  Nanos received_max = 0;
  std::uint64_t bytes = 0;  // of the segment file in use
  bool sealed = false;
  std::uint64_t digest = 0;  // of a sealed segment's bytes; ties an index to its segment
  std::string path;          // of the segment file
};

// Memory for reading payloads, used again and again.
struct PayloadBuffer {
  std::vector<std::byte> stored;
  std::vector<std::byte> raw;
};

// So many runs of payloads can be read together.
inline constexpr std::size_t runs_at_once = TokenScan::streams_max;
using RunTexts = std::array<std::string_view, runs_at_once>;

// The payloads of a block in runs: those of rows that follow one another, stored together and
// standing one behind the other without anything between them. For passing over many payloads at
// once. Thread-safe; the segment must outlive it.
class PayloadRuns {
 public:
  virtual ~PayloadRuns() = default;
  // Run i has the rows first_rows[i] to first_rows[i + 1] - 1 of the block; the last entry is the
  // number of the block's rows, so that there is one run less than entries. Rows before the first
  // run have no payload.
  [[nodiscard]] virtual std::span<const std::uint32_t> first_rows() const = 0;
  // Row r's payload has starts[r + 1] - starts[r] bytes; 0: there is none. Rows + 1 entries.
  [[nodiscard]] virtual std::span<const std::uint32_t> starts() const = 0;
  // The bytes of up to runs_at_once runs, in the order of `runs`: row r's begin at starts[r] -
  // starts[first_rows[run]]. Several are decoded side by side, in less time than they take one
  // after the other. The views hold until `buffer` is used again. Errors: io, corrupt (with the
  // place).
  [[nodiscard]] virtual Result<RunTexts> read(std::span<const std::size_t> runs,
                                              PayloadBuffer& buffer) const = 0;
  // The same of one.
  [[nodiscard]] Result<std::string_view> read(std::size_t run, PayloadBuffer& buffer) const {
    DOCKET_ASSIGN(const RunTexts texts, read(std::span(&run, 1), buffer));
    return texts.front();
  }
  // Looks through up to runs_at_once runs without decoding them, as far as they are stored so that
  // this is possible: scan.text(i) is of the i-th run. Where it is not complete, the run is to be
  // read, which also tells what is wrong with it. Errors: io.
  [[nodiscard]] virtual Result<void> scan(std::span<const std::size_t> runs,
                                          const std::shared_ptr<const ByteAutomaton>& automaton,
                                          PayloadBuffer& buffer, TokenScan& scan) const;
};

struct TimeStrips;

// A segment as of one moment. Thread-safe; keeps its file open and alive.
class SegmentReader {
 public:
  virtual ~SegmentReader() = default;

  [[nodiscard]] virtual const SegmentInfo& info() const = 0;
  // Ascending by first_row and by first_seq. `first_row` counts only what is there; the log's
  // snapshot names the gaps.
  // A sealed segment's footer is read at the first call (errors: io, corrupt, newer_format); the
  // span is valid as long as the reader.
  [[nodiscard]] virtual Result<std::span<const BlockInfo>> blocks() const = 0;

  // A block's column, its checksum verified. Errors: io, corrupt (with the place). The view keeps
  // its memory alive.
  [[nodiscard]] virtual Result<PackedInts> column(std::uint32_t block, RowColumn column) const = 0;
  [[nodiscard]] virtual Result<std::shared_ptr<const RelatedColumn>> related(
      std::uint32_t block) const = 0;
  // Calls visit(row_in_block, payload) for each row of `rows` (ascending, row-in-block) that has a
  // payload; decompresses only the chunks those rows are in. Stops early when it returns false.
  [[nodiscard]] virtual Result<void> payloads(
      std::uint32_t block, std::span<const std::uint32_t> rows,
      const std::function<bool(std::uint32_t row, std::string_view payload)>& visit) const = 0;
  // Bounds of a block's times, kept where there is a cache. Errors: io, corrupt (with the place).
  [[nodiscard]] virtual Result<std::shared_ptr<const TimeStrips>> time_strips(
      std::uint32_t block) const;
  // Null where no row of the block has a payload. Errors: io, corrupt.
  [[nodiscard]] virtual Result<std::shared_ptr<const PayloadRuns>> payload_runs(
      std::uint32_t block) const = 0;
  // Whole events of the block will be read: where it is not in memory, it is fetched at once and
  // meanwhile, rather than column by column. Waits for nothing, and may do nothing: for one, before
  // blocks() has been asked for.
  virtual void will_read(std::uint32_t block) const { static_cast<void>(block); }
  // The dictionaries of a block; for a sealed segment the same object for every block.
  [[nodiscard]] virtual Result<std::shared_ptr<const Dictionaries>> dictionaries(
      std::uint32_t block) const = 0;
};

// Reads whole events, keeping the columns and dictionaries of the block at hand. Not thread-safe;
// make one per query. `segment` must outlive it.
class EventReader {
 public:
  explicit EventReader(const SegmentReader& segment);
  ~EventReader();
  EventReader(EventReader&&) noexcept;
  // Sets every field of `event` from the row (row number in the segment).
  [[nodiscard]] Result<void> read(std::uint32_t row, Event& event);
  // The same without the payload, which stays empty.
  [[nodiscard]] Result<void> read_without_payload(std::uint32_t row, Event& event);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The block that holds `row`.
[[nodiscard]] std::uint32_t block_of_row(std::span<const BlockInfo> blocks, std::uint32_t row);

}  // namespace docket
