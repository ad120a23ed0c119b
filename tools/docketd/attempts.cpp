#include "tools/docketd/attempts.hpp"

#include <algorithm>

#include "engine/event.hpp"
#include "tools/docketd/address.hpp"

namespace docket::server {

std::string network_of(const std::string& peer) {
  const auto address = parse_address(peer);
  const std::string host = address ? address->host : peer;
  auto ip = parse_ip(host);
  if (!ip || ip->is_v4()) {
    return host;
  }
  std::fill(ip->bytes.begin() + 8, ip->bytes.end(), decltype(ip->bytes)::value_type{});
  return format_ip(*ip) + "/64";
}

bool Attempts::failed(const std::string& peer, Nanos now) {
  std::string key = network_of(peer);
  const std::lock_guard lock(mutex_);
  const auto is_over = [now](const Counted& counted) {
    return now - counted.began >= window || now < counted.began;
  };
  if (!counted_.contains(key) && counted_.size() >= addresses_max) {
    std::erase_if(counted_, [&](const auto& item) { return is_over(item.second); });
    if (counted_.size() >= addresses_max) {
      key.clear();
    }
  }
  Counted& counted = counted_[key];
  if (is_over(counted)) {
    counted = {now, 0};
  }
  return ++counted.failures > failures_max;
}

}  // namespace docket::server
