// Walks over what is intact in a spool's files. Internal to the client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/disk.hpp"
#include "engine/result.hpp"
#include "ingest/client_spool.hpp"
#include "ingest/client_spool_record.hpp"

namespace docket::client {

// One file's records, in order. Bytes that are no intact record are read over. Not thread-safe.
class SpoolFileReader {
 public:
  // Errors: corrupt (no intact head), newer_format, io, not_found.
  [[nodiscard]] static Result<SpoolFileReader> open(Disk& disk, const std::string& path);

  [[nodiscard]] const SpoolHead& head() const { return head_; }
  // The next intact record that ends at or before byte `end`, or nullopt. It is valid until the
  // next call. Errors: what reading the file says.
  [[nodiscard]] Result<std::optional<SpoolRecord>> next(std::uint64_t end);
  // Where the last record has ended, or the head.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  // Goes on at the beginning of a record.
  void seek(std::uint64_t offset) { offset_ = offset; }
  [[nodiscard]] Result<std::uint64_t> size() const { return file_->size(); }

 private:
  SpoolFileReader(std::unique_ptr<File> file, SpoolHead head);
  [[nodiscard]] Result<std::span<std::byte>> bytes_at(std::uint64_t offset, std::size_t count,
                                                      std::uint64_t end);

  std::unique_ptr<File> file_;
  SpoolHead head_;
  std::uint64_t offset_ = spool_head_bytes;
  std::vector<std::byte> buffer_;
  std::uint64_t buffer_at_ = 0;
};

// The events of a spool's files, from some place on. Not thread-safe; the spool may be written
// meanwhile.
class SpoolReader {
 public:
  SpoolReader(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  void seek(SpoolPlace place);
  // The next record of an event, or nullopt: there is none in `files` before their end. It is valid
  // until the next call. `files` as the spool has them now. What cannot be read is read over.
  // Errors: io.
  [[nodiscard]] Result<std::optional<SpoolRecord>> next(const std::vector<SpoolFile>& files);

 private:
  Disk& disk_;
  const std::string directory_;
  SpoolPlace place_;  // where to go on while no file is open
  std::optional<SpoolFileReader> file_;
};

}  // namespace docket::client
