// A server's rule of who may send, for tests: the token `good`, to some logs and as some nodes.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "ingest/sender_rights.hpp"

namespace docket::testing {

struct TokenGuard {
  std::vector<std::string> logs, nodes;
  std::shared_ptr<ingest::Quota> quota;
  std::shared_ptr<std::atomic<bool>> holds = std::make_shared<std::atomic<bool>>(true);

  [[nodiscard]] ingest::Authenticate authenticate() const {
    return [*this](std::string_view token, const std::string&) -> Result<ingest::SenderRights> {
      if (token != "good") {
        return fail(ErrorCode::invalid_argument, "this is none");
      }
      return ingest::SenderRights{logs, nodes, [is_held = holds] { return is_held->load(); },
                                  quota};
    };
  }
};

}  // namespace docket::testing
