#include "engine/disk.hpp"

#include <utility>

#include "engine/file_writer.hpp"

namespace docket {
namespace {

Result<void> write_synced(Disk& disk, const std::string& path, std::span<const std::byte> bytes) {
  // An earlier crash may have left the temporary file behind; it has no meaning of its own.
  DOCKET_ASSIGN(const auto file, disk.open(path, OpenMode::create_empty));
  SteppedWriter writer(*file);
  DOCKET_TRY(writer.write(bytes));
  return file->sync_data();
}

}  // namespace

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> replace_file(Disk& disk, const std::string& path, std::span<const std::byte> bytes) {
  const std::string temporary = path + ".tmp";
  if (auto written = write_synced(disk, temporary, bytes); !written) {
    // Best effort: the space is wanted back on a full disk, but the first error is the one to tell.
    static_cast<void>(disk.unlink(temporary));
    return written;
  }
  DOCKET_TRY(disk.rename(temporary, path));
  return disk.sync_directory(parent_of(path));
}

Result<std::vector<std::byte>> read_file(Disk& disk, const std::string& path,
                                         std::uint64_t bytes_max) {
  DOCKET_ASSIGN(const auto file, disk.open(path, OpenMode::read));
  DOCKET_ASSIGN(const std::uint64_t size, file->size());
  if (size > bytes_max) {
    return fail(ErrorCode::corrupt, path + ": is " + std::to_string(size) +
                                        " bytes long, at most " + std::to_string(bytes_max) +
                                        " were expected");
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  DOCKET_TRY(file->read_at(FileOffset(0), bytes));
  return bytes;
}

}  // namespace docket
