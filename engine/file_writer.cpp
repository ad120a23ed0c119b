#include "engine/file_writer.hpp"

#include <algorithm>

namespace docket {

Result<void> SteppedWriter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.first(
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), step_ - since_sync_)));
    DOCKET_TRY(file_.write_at(end_, std::span(&part, 1)));
    end_ += part.size();
    since_sync_ += part.size();
    bytes = bytes.subspan(part.size());
    if (since_sync_ == step_) {
      DOCKET_TRY(file_.sync_data());
      since_sync_ = 0;
    }
  }
  return {};
}

}  // namespace docket
