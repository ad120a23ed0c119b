// Where --out writes to.
#pragma once

#include <string>

#include "engine/result.hpp"

namespace docket::cli {

// A file that appears under its name when it is complete and on the disk; until then, and where
// that never happens, there is only FILE.part. A symbolic link is followed. What exists and is no
// regular file, such as a device or a pipe, is written straight through, and so is what is named by
// an open descriptor, such as /dev/stdout. Not thread-safe. Errors name the path as given.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)) {}
  ~NewFile();  // closes, and removes what is not complete
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // The descriptor to write to; belongs to this object.
  [[nodiscard]] Result<int> open();
  // To be called once, when everything is written.
  [[nodiscard]] Result<void> complete();

 private:
  const std::string path_;
  std::string target_;  // behind the links
  std::string part_;    // empty: written straight through
  int descriptor_ = -1;
};

}  // namespace docket::cli
