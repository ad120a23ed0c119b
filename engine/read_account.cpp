#include "engine/read_account.hpp"

namespace docket {

namespace {
thread_local ReadAccount* innermost = nullptr;
}  // namespace

ReadAccount::ReadAccount() noexcept : outer_(innermost) {
  innermost = this;
}

ReadAccount::~ReadAccount() {
  innermost = outer_;
}

void ReadAccount::add(std::uint64_t bytes) noexcept {
  for (ReadAccount* account = innermost; account != nullptr; account = account->outer_) {
    account->bytes_ += bytes;
  }
}

}  // namespace docket
