#include "query/tally.hpp"

#include <algorithm>

#include "engine/assert.hpp"

namespace docket::query {

void Tally::add(std::uint32_t number, std::uint32_t count) {
  DOCKET_ASSERT(number >= expected_ && count > 0);
  const std::uint32_t passed = number - expected_;
  const std::uint32_t more = count - 1;
  bytes_.push_back(
      static_cast<std::uint8_t>(std::min(passed, passed_max) | std::min(more, more_max) << 2));
  if (passed >= passed_max) {
    put_long(passed - passed_max);
  }
  if (more >= more_max) {
    put_long(more - more_max);
  }
  expected_ = number + 1;
  ++entries_;
}

void Tally::put_long(std::uint32_t value) {
  for (; value >= 128; value >>= 7) {
    bytes_.push_back(static_cast<std::uint8_t>(value | 128));
  }
  bytes_.push_back(static_cast<std::uint8_t>(value));
}

void Tally::keep(std::uint32_t begin, std::uint32_t end) {
  Tally kept;
  Entry entry;
  for (Reader reader(*this); reader.next(entry);) {
    if (entry.number >= begin && entry.number < end) {
      kept.add(entry.number, entry.count);
    }
  }
  kept.shrink();
  *this = std::move(kept);
}

bool Tally::Reader::next(Entry& into) {
  if (at_ == tally_->bytes_.size()) {
    return false;
  }
  const std::uint32_t code = tally_->bytes_[at_++];
  std::uint32_t passed = code & passed_max;
  passed += passed == passed_max ? long_number() : 0;
  std::uint32_t more = code >> 2;
  more += more == more_max ? long_number() : 0;
  into = Entry{expected_ + passed, more + 1};
  expected_ = into.number + 1;
  return true;
}

std::uint32_t Tally::Reader::long_number() {
  std::uint32_t value = 0;
  for (std::uint32_t shift = 0;; shift += 7) {
    const std::uint32_t byte = tally_->bytes_[at_++];
    value |= (byte & 127) << shift;
    if (byte < 128) {
      return value;
    }
  }
}

}  // namespace docket::query
