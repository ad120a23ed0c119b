#include "tools/api/given_file.hpp"

#include <vector>

#include "engine/disk.hpp"

namespace docket::api {

Result<std::string> read_given_file(const std::string& path, std::uint64_t bytes_max) {
  const Result<std::vector<std::byte>> bytes = read_file(posix_disk(), path, bytes_max);
  if (bytes) {
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }
  Error error = bytes.error();
  if (error.code == ErrorCode::corrupt) {
    error.code = ErrorCode::invalid_argument;
  }
  return fail(std::move(error));
}

}  // namespace docket::api
