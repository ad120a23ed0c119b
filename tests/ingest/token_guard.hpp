// A server's rule of who may send, for tests: the token `good`, or a certificate, to some logs and
// as some nodes.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>

#include "ingest/sender_rights.hpp"

namespace docket::testing {

struct TokenGuard {
  std::vector<std::string> logs, nodes;
  std::string certified;  // whose certificate stands for the token; empty: nobody's
  std::shared_ptr<ingest::Quota> quota;
  std::shared_ptr<std::atomic<bool>> holds = std::make_shared<std::atomic<bool>>(true);

  [[nodiscard]] ingest::Authenticate authenticate() const {
    return [*this](const ingest::Credentials& shown,
                   const std::string&) -> Result<ingest::SenderRights> {
      const bool is_certified =
          shown.token.empty() && shown.certificate &&
          std::ranges::find(shown.certificate->names, certified) != shown.certificate->names.end();
      if (shown.token != "good" && !is_certified) {
        return fail(ErrorCode::invalid_argument, "this is none");
      }
      return ingest::SenderRights{logs, nodes, [is_held = holds] { return is_held->load(); },
                                  quota};
    };
  }
};

}  // namespace docket::testing
