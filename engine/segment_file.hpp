// What every segment file starts with, and how the files of a log are named.
// engine/FORMAT.md, "Files".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/result.hpp"

namespace docket {

inline constexpr std::uint32_t format_version = 1;

//   0 magic "DKTSEG1\n" · 8 version u32 · 12 compatible flags u32 · 16 incompatible flags u32 ·
//  20 kind u32 (1 active, 2 sealed) · 24 segment u64 · 32 first seq u64 · 40 log name length u8 ·
//  41 log name, 32 bytes, zero-padded · 73 zeros · 76 salt u32 · 80 zeros ·
// 120 checksum u64 (of 0..120)
inline constexpr std::size_t segment_header_bytes = 128;

enum class SegmentKind : std::uint32_t { active = 1, sealed = 2 };

struct SegmentFileHeader {
  SegmentKind kind = SegmentKind::active;
  std::string log;
  SegmentId id;
  Seq first_seq;
  // Of a hot segment: a random number that its blocks carry, so that no sender can know how to make
  // bytes that recovery would take for a block. 0 in a sealed one.
  std::uint32_t salt = 0;
};

[[nodiscard]] std::vector<std::byte> encode_segment_header(const SegmentFileHeader& header);
// Errors: corrupt; newer_format for a later version or an unknown incompatible flag.
[[nodiscard]] Result<SegmentFileHeader> decode_segment_header(std::span<const std::byte> bytes);

// Checks version and flags alone; shared by all files of the store.
[[nodiscard]] Result<void> check_format(std::uint32_t version, std::uint32_t incompatible_flags);

// File names: "<20 digits>.next", ".hot", ".seg", ".idx"; a file being made has ".tmp" behind it.
inline constexpr std::string_view prepared_extension = "next";
[[nodiscard]] std::string segment_file_name(SegmentId id, std::string_view extension);
struct SegmentFileName {
  SegmentId id;
  std::string extension;  // what follows the digits and the dot
};
[[nodiscard]] std::optional<SegmentFileName> parse_segment_file_name(std::string_view name);

}  // namespace docket
