// Every bound of the engine in one place, each with its reason. Bounds are checked before memory
// is given to what they bound.
#pragma once

#include <cstddef>
#include <cstdint>

namespace docket::limits {

// The event (the contract with users).
inline constexpr std::size_t log_name_bytes_max = 32;
inline constexpr std::size_t id_bytes_max = 255;
inline constexpr std::size_t name_bytes_max = 255;  // names, kinds, types and roles
inline constexpr std::size_t verb_bytes_max = 64;
inline constexpr std::size_t reason_bytes_max = 255;
inline constexpr std::size_t correlation_bytes_max = 128;  // session and request
inline constexpr std::size_t string_bytes_max = 255;       // no string of an event is longer
inline constexpr std::size_t related_max = 256;
inline constexpr std::size_t payload_bytes_default = std::size_t{64} << 10;
inline constexpr std::size_t payload_bytes_max = std::size_t{1} << 20;
inline constexpr std::int64_t future_ns_max = 24LL * 3600 * 1'000'000'000;
inline constexpr std::size_t logs_max = 64;  // one committer thread and two files each

// Blocks. 8,192 rows keep a block's dictionaries in the second-level cache and divide 65,536, the
// unit of evaluation, evenly.
inline constexpr std::uint32_t block_rows_max = 8192;
// A full block of the largest rows would be 8 GiB; the builder closes a block at this many bytes
// of strings and payloads instead, and a reader refuses more before allocating.
inline constexpr std::uint32_t block_raw_bytes_target = std::uint32_t{4} << 20;
inline constexpr std::uint32_t block_bytes_max = std::uint32_t{16} << 20;
// A batch from outside, encoded as well as its payloads decompressed. What a builder makes stays
// below it, and what the server adds to it or sealing puts beside it still fits a block.
inline constexpr std::uint32_t batch_bytes_max = std::uint32_t{12} << 20;
inline constexpr std::uint32_t block_sections_max = 64;
inline constexpr std::uint32_t block_related_max = std::uint32_t{1} << 20;
// A payload chunk is decompressed whole to read one row of it.
inline constexpr std::uint32_t payload_chunk_bytes = std::uint32_t{64} << 10;

// Evaluation works on this many rows at a time; also the span of one posting container.
inline constexpr std::uint32_t chunk_rows = 65536;

// Segments. The rows of a segment are numbered by 32 bits with room to spare.
inline constexpr std::uint64_t segment_rows_max = std::uint64_t{4} << 20;
// A segment may become longer by its last commit group; a file that says more is damaged.
inline constexpr std::uint64_t commit_group_rows_max = std::uint64_t{1} << 20;
inline constexpr std::uint64_t segment_rows_limit =
    segment_rows_max + commit_group_rows_max + block_rows_max;
inline constexpr std::uint64_t segment_bytes_default = std::uint64_t{128} << 20;
inline constexpr std::uint32_t dictionary_page_entries = 256;
// Tokens of a segment's text: their codes have at most 14 bits, and a table that is at hand while
// text is read should not fill a second-level cache.
inline constexpr std::size_t tokens_max = 4096;
inline constexpr std::size_t token_bytes_max = 64;
// What they are learnt from: enough to meet what is frequent, learnt in a tenth of a second.
inline constexpr std::size_t token_sample_bytes_max = std::size_t{1} << 20;
// Sealing holds a segment's distinct strings in memory. They compress well, so the bytes of the
// file say little about them.
inline constexpr std::uint64_t segment_strings_bytes_max = std::uint64_t{256} << 20;

// Producers (names of senders). The table outlives retention, so it is bounded by count.
inline constexpr std::size_t node_bytes_max = 128;
inline constexpr std::size_t producers_max = 65536;
// How many of a producer's newest batches keep their receipts, so that a resend gets the original
// acknowledgement. Also the largest credit window a session may be given.
inline constexpr std::size_t producer_receipts_max = 64;

// Commit queue of one log: what may wait for the disk. More than a server takes in by default (its
// senders are held back by not being read, which costs nobody anything; a refusal makes them send
// everything again).
inline constexpr std::size_t commit_queue_bytes_max = std::size_t{128} << 20;
// One group is written and synced at once; larger queues make more groups.
inline constexpr std::size_t commit_group_bytes_max = std::size_t{8} << 20;

}  // namespace docket::limits
