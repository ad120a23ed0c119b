#include "tests/support/temporary_directory.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "engine/assert.hpp"

namespace docket::testing {

TemporaryDirectory::TemporaryDirectory()
    : path_(std::filesystem::temp_directory_path() / "docket-test-XXXXXX") {
  DOCKET_ASSERT(::mkdtemp(path_.data()) != nullptr);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace docket::testing
