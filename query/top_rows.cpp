#include "query/top_rows.hpp"

#include <algorithm>
#include <utility>

namespace docket::query {

void TopRows::prune() {
  // Choosing among many takes its time: not for a few more.
  constexpr std::size_t many = 4096;
  const std::size_t slack = limit_ < many ? 0 : limit_ / 4;
  if (rows_.size() >= limit_ + slack) {
    choose();
  }
}

void TopRows::choose() {
  const auto before = [this](const FoundRow& a, const FoundRow& b) {
    return comes_before(a.at, b.at, order_);
  };
  const auto last = rows_.begin() + static_cast<std::ptrdiff_t>(limit_) - 1;
  std::nth_element(rows_.begin(), last, rows_.end(), before);
  last_ = last->at;
  rows_.resize(limit_);
}

std::vector<FoundRow> TopRows::take() {
  if (rows_.size() > limit_) {
    choose();
  }
  std::sort(rows_.begin(), rows_.end(), [this](const FoundRow& a, const FoundRow& b) {
    return comes_before(a.at, b.at, order_);
  });
  return std::move(rows_);
}

}  // namespace docket::query
