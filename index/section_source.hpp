// Where the bytes of an index come from: its file, or memory when it could not be written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/result.hpp"

namespace docket::index {

// Thread-safe.
class SectionSource {
 public:
  virtual ~SectionSource() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Precondition: the range lies within size(). Errors: io, not_found, corrupt (file cut
  // meanwhile).
  [[nodiscard]] virtual Result<std::vector<std::byte>> read(std::uint64_t offset,
                                                            std::uint64_t bytes) const = 0;
  // Memory held for good, which the catalog's budget counts.
  [[nodiscard]] virtual std::uint64_t resident_bytes() const = 0;
};

// Opens the file for each read instead of keeping a descriptor for every segment; sections are
// cached, so that reads are rare.
[[nodiscard]] Result<std::unique_ptr<SectionSource>> file_source(Disk& disk, std::string path);
[[nodiscard]] std::unique_ptr<SectionSource> memory_source(std::vector<std::byte> bytes);

}  // namespace docket::index
