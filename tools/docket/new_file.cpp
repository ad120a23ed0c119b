#include "tools/docket/new_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <optional>

#include "engine/disk.hpp"

namespace docket::cli {

namespace {

constexpr int links_max = 40;
// What a link in here points at may have no name, or another file's by now.
bool is_descriptor(const std::string& path) {
  return path.starts_with("/proc/") || path.starts_with("/dev/fd/");
}

// The path behind symbolic links, the last of which may point at nothing; nullopt with errno set.
std::optional<std::string> behind_links(std::string path) {
  for (int i = 0; i < links_max; ++i) {
    std::array<char, PATH_MAX> link{};
    const ssize_t size =
        is_descriptor(path) ? -1 : ::readlink(path.c_str(), link.data(), link.size());
    if (size < 0) {
      return path;
    }
    const std::string_view to(link.data(), static_cast<std::size_t>(size));
    path = to.starts_with('/') ? std::string(to) : parent_of(path) + "/" + std::string(to);
  }
  errno = ELOOP;
  return std::nullopt;
}

}  // namespace

NewFile::~NewFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    if (!part_.empty()) {
      ::unlink(part_.c_str());
    }
  }
}

Result<int> NewFile::open() {
  const auto target = behind_links(path_);
  if (!target) {
    return fail_errno(path_, errno);
  }
  target_ = *target;
  struct stat there{};
  const bool exists = ::stat(path_.c_str(), &there) == 0;
  if ((exists && !S_ISREG(there.st_mode)) || is_descriptor(target_)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
  } else {
    part_ = target_ + ".part";
    descriptor_ =
        ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  }
  return descriptor_ < 0 ? fail_errno(path_, errno) : Result<int>(descriptor_);
}

Result<void> NewFile::complete() {
  // A device or a pipe has nothing to sync.
  int error = !part_.empty() && ::fsync(descriptor_) != 0 ? errno : 0;
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  error = error == 0 && closed != 0 ? errno : error;
  if (error == 0 && !part_.empty() && ::rename(part_.c_str(), target_.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) {
    if (!part_.empty()) {
      ::unlink(part_.c_str());
    }
    return fail_errno(path_, error);
  }
  return {};
}

}  // namespace docket::cli
