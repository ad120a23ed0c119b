// How many failed authentications each address has had lately.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "engine/counts.hpp"

namespace docket::server {

// Thread-safe; bounded memory.
class Attempts {
 public:
  // Counts a failure of `peer` (ADDRESS:PORT, or an address). True: it has had more than
  // `failures_max` in a minute, and is to be turned away without more ado.
  [[nodiscard]] bool failed(const std::string& peer, Nanos now);

  static constexpr Nanos window = 60LL * 1'000'000'000;
  // More than a person mistypes, and less than costs the server or its log anything. No bound keeps
  // a token of 256 bits from being guessed: its length does.
  static constexpr std::uint32_t failures_max = 100;
  // Those beyond share one count.
  static constexpr std::size_t addresses_max = 4096;

 private:
  struct Counted {
    Nanos began = 0;
    std::uint32_t failures = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Counted> counted_;
};

// The address of a peer without its port; of IPv6 the first 64 bits, which one sender has whole.
[[nodiscard]] std::string network_of(const std::string& peer);

}  // namespace docket::server
