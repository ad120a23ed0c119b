#include "tests/support/sim_inode.hpp"

#include <algorithm>
#include <utility>

#include "engine/assert.hpp"

namespace docket::testing {

SimInode::SimInode() : history_(1) {}

const SimInode::SectorPtr& SimInode::at(const std::vector<SectorPtr>& sectors,
                                        std::uint64_t number) {
  static const SectorPtr zeros;
  return number < sectors.size() ? sectors[number] : zeros;
}

void SimInode::set(std::vector<SectorPtr>& sectors, std::uint64_t number, SectorPtr sector) {
  if (number >= sectors.size()) {
    if (!sector) {
      return;
    }
    sectors.resize(number + 1);
  }
  sectors[number] = std::move(sector);
}

void SimInode::put(std::uint64_t number, SectorPtr sector, bool is_cut) {
  pending_[number].push_back({sector, history_.back().cuts, is_cut});
  spoilt_.erase(number);
  set(current_, number, std::move(sector));
}

void SimInode::set_size(std::uint64_t bytes) {
  if (bytes != size_) {
    size_ = bytes;
    history_.push_back({bytes, history_.back().cuts});
  }
}

void SimInode::read(std::uint64_t offset, std::span<std::byte> into) const {
  DOCKET_ASSERT(offset <= size_ && into.size() <= size_ - offset);
  while (!into.empty()) {
    const std::size_t within = offset % sector_bytes;
    const std::size_t step = std::min(into.size(), sector_bytes - within);
    if (const SectorPtr& sector = at(current_, offset / sector_bytes)) {
      std::copy_n(sector->begin() + static_cast<std::ptrdiff_t>(within), step, into.begin());
    } else {
      std::fill_n(into.begin(), step, std::byte{0});
    }
    into = into.subspan(step);
    offset += step;
  }
}

void SimInode::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t within = offset % sector_bytes;
    const std::size_t step = std::min(bytes.size(), sector_bytes - within);
    const std::uint64_t number = offset / sector_bytes;
    const SectorPtr& old = at(current_, number);
    auto sector = std::make_shared<Sector>(old ? *old : Sector{});
    std::copy_n(bytes.begin(), step, sector->begin() + static_cast<std::ptrdiff_t>(within));
    const bool zeros = *sector == Sector{};
    put(number, zeros ? nullptr : std::move(sector), false);
    bytes = bytes.subspan(step);
    offset += step;
    set_size(std::max(size_, offset));
  }
}

void SimInode::resize(std::uint64_t bytes) {
  if (bytes < size_) {
    history_.push_back({bytes, history_.back().cuts + 1});
    size_ = bytes;
    std::uint64_t number = bytes / sector_bytes;
    const std::size_t kept = bytes % sector_bytes;
    if (kept != 0) {
      const SectorPtr& old = at(current_, number);
      auto sector = std::make_shared<Sector>(old ? *old : Sector{});
      std::fill(sector->begin() + static_cast<std::ptrdiff_t>(kept), sector->end(), std::byte{0});
      put(number, std::move(sector), true);
      ++number;
    }
    for (const std::uint64_t end = std::max(current_.size(), durable_.size()); number < end;
         ++number) {
      put(number, nullptr, true);
    }
    return;
  }
  set_size(bytes);
}

void SimInode::sync() {
  for (const auto& [number, versions] : pending_) {
    set(durable_, number, versions.back().sector);
  }
  pending_.clear();
  history_ = {{size_, 0}};
}

void SimInode::fail_sync(std::mt19937_64& random) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    const auto& [number, versions] = *it;
    // Cuts are in the journal, not in the pages that are lost here.
    const bool cut = std::any_of(versions.begin(), versions.end(),
                                 [](const Version& v) { return v.is_cut || v.cuts != 0; });
    switch (cut ? 0 : random() % 4) {
      case 0:
        ++it;
        continue;
      case 1:
        set(durable_, number, versions.back().sector);
        break;
      case 2:
        break;
      default:
        set(current_, number, at(durable_, number));
    }
    it = pending_.erase(it);
  }
}

void SimInode::flip_bit(std::uint64_t bit) {
  const std::uint64_t number = bit / 8 / sector_bytes;
  const std::size_t within = bit / 8 % sector_bytes;
  const std::byte mask{static_cast<unsigned char>(1U << bit % 8)};
  DOCKET_ASSERT(bit / 8 < size_);
  const auto flipped = [&](const SectorPtr& old) {
    auto sector = std::make_shared<Sector>(old ? *old : Sector{});
    (*sector)[within] ^= mask;
    return sector;
  };
  set(current_, number, flipped(at(current_, number)));
  if (const auto found = pending_.find(number); found != pending_.end()) {
    found->second.back().sector = at(current_, number);
  }
  if (bit / 8 < history_.front().bytes) {
    set(durable_, number, flipped(at(durable_, number)));
  }
}

void SimInode::spoil(std::uint64_t offset, std::uint64_t bytes) {
  for (std::uint64_t number = offset / sector_bytes; number * sector_bytes < offset + bytes;
       ++number) {
    spoilt_.insert(number);
  }
}

bool SimInode::is_spoilt(std::uint64_t offset, std::uint64_t bytes) const {
  const auto first = spoilt_.lower_bound(offset / sector_bytes);
  return first != spoilt_.end() && *first * sector_bytes < offset + bytes;
}

std::shared_ptr<SimInode> SimInode::after_power_loss(std::mt19937_64& random) const {
  auto survivor = std::make_shared<SimInode>();
  const Size size = history_[random() % history_.size()];
  std::vector<SectorPtr> sectors = durable_;
  for (const auto& [number, versions] : pending_) {
    std::vector<const SectorPtr*> possible{&at(durable_, number)};
    for (const Version& version : versions) {
      if (version.cuts > size.cuts) {
        break;
      }
      if (version.is_cut) {
        possible.clear();
      }
      possible.push_back(&version.sector);
    }
    set(sectors, number, *possible[random() % possible.size()]);
  }
  // The chosen size first grows to all there is, then cuts, which clears what lies beyond it.
  survivor->current_ = std::move(sectors);
  survivor->size_ = std::max(size.bytes, survivor->current_.size() * sector_bytes);
  survivor->resize(size.bytes);
  survivor->durable_ = survivor->current_;
  survivor->pending_.clear();
  survivor->spoilt_ = spoilt_;
  survivor->history_ = {{size.bytes, 0}};
  return survivor;
}

}  // namespace docket::testing
