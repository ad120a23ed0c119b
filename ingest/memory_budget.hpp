// One budget of bytes for all that a server has received and not yet stored, split fairly.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>

namespace docket::ingest {

// Thread-safe. Who cannot have bytes now waits in line; a wait is granted from the thread that
// gives bytes back.
//
// F1  Who stays within its share, the total divided by the accounts that hold or wait, is served
//     before who does not. An account that holds nothing is always within its share, else a frame
//     larger than a share could never come in.
// F2  The first in line (of those whose turn it is by F1) that does not fit yet holds up the
// others,
//     so that a large request is not overtaken for ever by small ones.
// F3  When nothing at all is held, any request fits, even one larger than the total.
// F4  A quarter of the total is for small accounts, those that would hold at most `small` bytes,
// and
//     these do not wait behind others: large frames that come slowly, or never, must not keep those
//     out who have little to send.
class MemoryBudget {
 public:
  // `small` 0: no account is small, and all of the total is for all.
  explicit MemoryBudget(std::size_t total, std::size_t small = 0)
      : total_(total), small_(small), kept_(small == 0 ? 0 : total / 4) {}

  // What one connection holds. Must outlive its waits; settle() it before it goes.
  class Account {
   public:
    Account() = default;
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

   private:
    friend class MemoryBudget;
    std::size_t held_ = 0;
    bool waits_ = false;
  };

  // True: the account holds the bytes now. False: it waits (an account waits for one thing at a
  // time), and `granted` will be called once, when it holds them. `granted` must not call back and
  // not throw. This alone may need memory, and changes nothing when there is none.
  [[nodiscard]] bool take(Account& account, std::size_t bytes, std::function<void()> granted);
  // The same without waiting.
  [[nodiscard]] bool try_take(Account& account, std::size_t bytes);
  // Holds the bytes whatever the total: for what is already in memory and bounded by something
  // else.
  void force(Account& account, std::size_t bytes);
  // Precondition: the account holds them.
  void give_back(Account& account, std::size_t bytes);
  // Ends a wait, if there is one. The account may hold the bytes by now, when it was just served.
  void leave(Account& account);
  // Gives everything back and ends a wait.
  void settle(Account& account);
  // Ends all waits, granting none, and drops their callbacks with what these keep alive: for the
  // end, when nobody is left to be served.
  void abandon_waits();

  [[nodiscard]] std::size_t used() const;
  // How long the longest-waiting has waited.
  [[nodiscard]] std::optional<std::chrono::milliseconds> longest_wait() const;

 private:
  struct Waiter {
    Account* account;
    std::size_t bytes;
    std::function<void()> granted;
    std::chrono::steady_clock::time_point since;
    bool small;
  };
  enum class Turn : std::uint8_t { small, within_share, over_share };

  // All of these with the mutex held.
  [[nodiscard]] bool keeps_share(const Account& account, std::size_t bytes) const;
  [[nodiscard]] bool is_small(const Account& account, std::size_t bytes) const;
  [[nodiscard]] bool fits(std::size_t bytes, bool small) const;
  // Whether nobody waits who is to be served before such a request.
  [[nodiscard]] bool is_next(bool small) const;
  [[nodiscard]] Turn turn_of(const Waiter& waiter) const;
  void hold(Account& account, std::size_t bytes);
  void let_go(Account& account, std::size_t bytes);
  void end_wait(Account& account);
  void step_out_of_line(Account& account);
  // Takes out of the line whoever can be served.
  [[nodiscard]] std::list<Waiter> serve();
  // Serves those whose turn it is. False: F2 stops the line.
  [[nodiscard]] bool serve_some(Turn turn, std::list<Waiter>& served);

  const std::size_t total_;
  const std::size_t small_;
  const std::size_t kept_;  // for small accounts
  mutable std::mutex mutex_;
  std::size_t used_ = 0;
  std::size_t active_ = 0;  // accounts that hold or wait
  std::list<Waiter> line_;
};

}  // namespace docket::ingest
