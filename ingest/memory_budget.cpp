#include "ingest/memory_budget.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/assert.hpp"

namespace docket::ingest {

bool MemoryBudget::keeps_share(const Account& account, std::size_t bytes) const {
  return account.held_ == 0 || account.held_ + bytes <= total_ / std::max<std::size_t>(active_, 1);
}

bool MemoryBudget::is_small(const Account& account, std::size_t bytes) const {
  return account.held_ + bytes <= small_;
}

bool MemoryBudget::fits(std::size_t bytes, bool small) const {
  const std::size_t room = small ? total_ : total_ - kept_;
  return used_ == 0 || (used_ <= room && bytes <= room - used_);
}

bool MemoryBudget::is_next(bool small) const {
  return small ? std::none_of(line_.begin(), line_.end(), [](const Waiter& w) { return w.small; })
               : line_.empty();
}

MemoryBudget::Turn MemoryBudget::turn_of(const Waiter& waiter) const {
  if (waiter.small) {
    return Turn::small;
  }
  return keeps_share(*waiter.account, waiter.bytes) ? Turn::within_share : Turn::over_share;
}

void MemoryBudget::hold(Account& account, std::size_t bytes) {
  if (account.held_ == 0 && !account.waits_ && bytes > 0) {
    ++active_;
  }
  account.held_ += bytes;
  used_ += bytes;
}

void MemoryBudget::let_go(Account& account, std::size_t bytes) {
  DOCKET_ASSERT(account.held_ >= bytes);
  DOCKET_ASSERT(used_ >= bytes);
  account.held_ -= bytes;
  used_ -= bytes;
  if (account.held_ == 0 && !account.waits_ && bytes > 0) {
    --active_;
  }
}

void MemoryBudget::end_wait(Account& account) {
  account.waits_ = false;
  if (account.held_ == 0) {
    --active_;
  }
}

bool MemoryBudget::serve_some(Turn turn, std::list<Waiter>& served) {
  for (auto waiter = line_.begin(); waiter != line_.end();) {
    if (turn_of(*waiter) != turn) {
      ++waiter;  // F1
      continue;
    }
    if (!fits(waiter->bytes, waiter->small)) {
      return false;  // F2
    }
    hold(*waiter->account, waiter->bytes);
    end_wait(*waiter->account);
    const auto next = std::next(waiter);
    served.splice(served.end(), line_, waiter);
    waiter = next;
  }
  return true;
}

std::list<MemoryBudget::Waiter> MemoryBudget::serve() {
  std::list<Waiter> served;
  if (!line_.empty() && serve_some(Turn::small, served) && serve_some(Turn::within_share, served)) {
    static_cast<void>(serve_some(Turn::over_share, served));
  }
  return served;
}

bool MemoryBudget::take(Account& account, std::size_t bytes, std::function<void()> granted) {
  std::list<Waiter> served;
  {
    const std::scoped_lock lock(mutex_);
    DOCKET_ASSERT(!account.waits_);
    const bool small = is_small(account, bytes);
    if (is_next(small) && fits(bytes, small)) {
      hold(account, bytes);
      return true;
    }
    line_.push_back({&account, bytes, std::move(granted), std::chrono::steady_clock::now(), small});
    if (account.held_ == 0) {
      ++active_;
    }
    account.waits_ = true;
    served = serve();
  }
  bool at_once = false;
  for (const Waiter& waiter : served) {
    if (waiter.account == &account) {
      at_once = true;
    } else {
      waiter.granted();
    }
  }
  return at_once;
}

bool MemoryBudget::try_take(Account& account, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  const bool small = is_small(account, bytes);
  if (!is_next(small) || !fits(bytes, small)) {
    return false;
  }
  hold(account, bytes);
  return true;
}

void MemoryBudget::force(Account& account, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  hold(account, bytes);
}

void MemoryBudget::give_back(Account& account, std::size_t bytes) {
  std::list<Waiter> served;
  {
    const std::scoped_lock lock(mutex_);
    let_go(account, bytes);
    served = serve();
  }
  for (const Waiter& waiter : served) {
    waiter.granted();
  }
}

void MemoryBudget::step_out_of_line(Account& account) {
  if (account.waits_) {
    std::erase_if(line_, [&account](const Waiter& waiter) { return waiter.account == &account; });
    end_wait(account);
  }
}

void MemoryBudget::leave(Account& account) {
  std::list<Waiter> served;
  {
    const std::scoped_lock lock(mutex_);
    step_out_of_line(account);
    served = serve();
  }
  for (const Waiter& waiter : served) {
    waiter.granted();
  }
}

void MemoryBudget::settle(Account& account) {
  std::list<Waiter> served;
  {
    const std::scoped_lock lock(mutex_);
    step_out_of_line(account);
    let_go(account, account.held_);
    served = serve();
  }
  for (const Waiter& waiter : served) {
    waiter.granted();
  }
}

void MemoryBudget::abandon_waits() {
  std::list<Waiter> abandoned;
  {
    const std::scoped_lock lock(mutex_);
    abandoned.swap(line_);
    for (const Waiter& waiter : abandoned) {
      end_wait(*waiter.account);
    }
  }
  // Without the mutex: a callback may hold the last reference to what owns an account.
}

std::size_t MemoryBudget::used() const {
  const std::scoped_lock lock(mutex_);
  return used_;
}

std::optional<std::chrono::milliseconds> MemoryBudget::longest_wait() const {
  const std::scoped_lock lock(mutex_);
  if (line_.empty()) {
    return std::nullopt;
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               line_.front().since);
}

}  // namespace docket::ingest
