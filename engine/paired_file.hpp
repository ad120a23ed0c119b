// A small file that must not be lost: kept in two copies, which are replaced one after the other,
// each atomically. Manifests and the list of logs are such files. engine/FORMAT.md, "Files in two
// copies".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/disk.hpp"
#include "engine/result.hpp"

namespace docket {

struct PairedFile {
  std::string_view magic;  // 8 bytes
  std::string_view what;   // as messages call it
  std::uint64_t bytes_max = 0;
};

using CopyPaths = std::array<std::string, 2>;

// 0 magic · 8 version u32 · 12 compatible flags u32 · 16 incompatible flags u32 · 20 zeros ·
// 24 content bytes u64 · 32 checksum u64 (of 0..32 and the content) · 40 content
[[nodiscard]] std::vector<std::byte> encode_paired(const PairedFile& kind,
                                                   std::span<const std::byte> content);
// The content, a part of `bytes`. Errors: corrupt, newer_format.
[[nodiscard]] Result<std::span<const std::byte>> decode_paired(const PairedFile& kind,
                                                               std::span<const std::byte> bytes);

// Writes both copies durably.
[[nodiscard]] Result<void> replace_copies(Disk& disk, const CopyPaths& paths,
                                          std::span<const std::byte> bytes);
// What stands in a copy; nullopt where there is none, corrupt where it cannot be read.
[[nodiscard]] Result<std::optional<std::vector<std::byte>>> read_copy(Disk& disk,
                                                                      const PairedFile& kind,
                                                                      const std::string& path);

template <typename T>
struct NewestCopy {
  T value;
  bool is_in_both_copies = false;  // byte for byte; else the loss of one would lose it
};

// The valid copy with the highest generation. `decode` makes a T of bytes; its error corrupt means
// a copy that does not count. `damaged` names those. Errors: not_found when there is no copy at
// all, corrupt when there are only damaged ones, newer_format, io.
template <typename T, typename Decode>
[[nodiscard]] Result<NewestCopy<T>> load_newest(Disk& disk, const PairedFile& kind,
                                                const CopyPaths& paths, const Decode& decode,
                                                std::vector<std::string>& damaged) {
  std::optional<T> newest;
  std::vector<std::byte> of_newest;
  bool is_in_both = false;
  for (const std::string& path : paths) {
    auto bytes = read_copy(disk, kind, path);
    if (!bytes && bytes.error().code != ErrorCode::corrupt) {
      return fail(bytes.error());
    }
    if (bytes && !*bytes) {
      continue;
    }
    if (!bytes) {
      damaged.push_back(path);
      continue;
    }
    Result<T> value = decode(std::span<const std::byte>(**bytes));
    if (!value && value.error().code == ErrorCode::newer_format) {
      return fail(value.error());
    }
    if (!value) {
      damaged.push_back(path);
    } else if (!newest || value->generation > newest->generation) {
      newest = std::move(*value);
      of_newest = **std::move(bytes);
    } else {
      is_in_both = **bytes == of_newest;
    }
  }
  if (newest) {
    return NewestCopy<T>{std::move(*newest), is_in_both};
  }
  const std::string directory = parent_of(paths[0]);
  return damaged.empty()
             ? fail(ErrorCode::not_found, directory + ": no " + std::string(kind.what))
             : fail(ErrorCode::corrupt, directory + ": no readable " + std::string(kind.what));
}

}  // namespace docket
