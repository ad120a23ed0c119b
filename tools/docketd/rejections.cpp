#include "tools/docketd/rejections.hpp"

namespace docket::server {

void Rejections::observe(const std::string& who, const std::string& peer, const std::string& reason,
                         Nanos now) {
  const std::lock_guard lock(mutex_);
  if (now - window_began_ >= window) {
    flush_locked();
    window_began_ = now;
  }
  std::pair key(who, reason);
  if (!counted_.contains(key) && counted_.size() >= pairs_max) {
    key = {"many", "refused as well"};
  }
  const auto [place, is_new] = counted_.try_emplace(key);
  if (is_new) {
    place->second.peer = peer;
    record_(make_event_(place->first.first, peer, place->first.second, 1));
  } else {
    ++place->second.untold;
  }
}

void Rejections::flush() {
  const std::lock_guard lock(mutex_);
  flush_locked();
}

void Rejections::flush_locked() {
  for (const auto& [key, counted] : counted_) {
    if (counted.untold > 0) {
      record_(make_event_(key.first, counted.peer, key.second, counted.untold));
    }
  }
  counted_.clear();
}

}  // namespace docket::server
