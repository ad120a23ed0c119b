#include "tools/docketd/scrubber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "engine/bytes.hpp"
#include "engine/sealed_segment.hpp"
#include "engine/section_cache.hpp"
#include "engine/segment_file.hpp"
#include "engine/store_layout.hpp"
#include "tools/verify/paced_disk.hpp"
#include "tools/verify/verifier.hpp"

namespace docket::server {

namespace {

constexpr std::uint64_t state_bytes_max = std::uint64_t{16} << 20;
constexpr std::uint64_t cache_bytes = std::uint64_t{8} << 20;
// A log's files beside its sealed segments are looked at together, as they only make sense
// together: at this pace, 128 MiB of a hot file take eight seconds.
constexpr std::uint64_t together_bytes_per_second = std::uint64_t{16} << 20;
constexpr Nanos second = 1'000'000'000;

std::string state_path(const Store& store) {
  return store.directory() + "/scrub.txt";
}

}  // namespace

Nanos ScrubPace::due(std::uint64_t bytes) const {
  if (bytes >= all_) {
    return end_;
  }
  const double part = static_cast<double>(bytes) / static_cast<double>(all_);
  return begin_ + static_cast<Nanos>(static_cast<double>(end_ - begin_) * part);
}

Scrubber::Scrubber(Disk& disk, Store& store, ScrubHooks hooks)
    : disk_(disk), store_(store), hooks_(std::move(hooks)) {
  // Whatever is wrong with it, beginning anew is right.
  if (const auto bytes = read_file(disk_, state_path(store_), state_bytes_max)) {
    state_ = decode_scrub_state(as_text(*bytes));
  }
  // What a round under way has seen before is not known: a place stays told until the next one.
  seen_ = state_.told;
  places_ = state_.told.size();
  last_end_ = state_.ended;
}

ScrubStats Scrubber::stats() const {
  return {bytes_, places_, last_end_};
}

Nanos Scrubber::next_round(Nanos period) const {
  const Nanos now = hooks_.now();
  // A clock that was put back must not put the scrub off for longer than a period.
  return state_.begun == 0 || state_.is_under_way() ? now
                                                    : std::min(state_.begun + period, now + period);
}

bool Scrubber::run(Nanos period) {
  broken_off_ = false;
  const Nanos now = hooks_.now();
  if (!state_.is_under_way()) {
    state_.begun = std::max(now, state_.ended + 1);
    state_.log.clear();
    state_.segment = 0;
    seen_.clear();
    unread_.clear();
    save();
    const auto layout = verify::check_layout(disk_, store_.directory(), {});
    tell(layout);
    keep_unread(layout);
  }
  std::vector<Item> items = plan();
  std::erase_if(items, [this](const Item& item) {
    return std::tie(item.info.log, item.info.id.value) <= std::tie(state_.log, state_.segment);
  });
  std::uint64_t all = 0;
  for (const Item& item : items) {
    all += item.bytes;
  }
  const ScrubPace pace(now, std::max(state_.begun + period, now + period / 10), all);
  std::vector<Item> again;
  if (!go_through(items, pace, true, again)) {
    return false;
  }
  all = 0;
  for (const Item& item : again) {
    all += item.bytes;
  }
  const Nanos later = hooks_.now();
  std::vector<Item> still;
  if (!again.empty() &&
      !go_through(again, ScrubPace(later, later + period / 10, all), false, still)) {
    return false;
  }
  if (unread_.size() > unread_max) {
    hooks_.found({"", 0, store_.directory(), 0,
                  fmt::format("{} more files could not be read now", unread_.size() - unread_max),
                  true});
  }
  state_.ended = std::max(hooks_.now(), state_.begun);
  state_.log.clear();
  state_.segment = 0;
  state_.told = seen_;
  places_ = seen_.size();
  last_end_ = state_.ended;
  save();
  return true;
}

bool Scrubber::go_through(const std::vector<Item>& items, const ScrubPace& pace, bool is_first,
                          std::vector<Item>& again) {
  std::uint64_t done = 0;
  for (const Item& item : items) {
    const std::vector<verify::Damage> damage = look(item, pace, done);
    if (broken_off_) {
      return false;
    }
    tell(damage);
    if (std::ranges::any_of(damage, &verify::Damage::is_unread)) {
      again.push_back(item);
    }
    if (!is_first) {
      keep_unread(damage);
    } else {
      state_.log = item.info.log;
      state_.segment = item.info.id.value;
      save();
    }
    done += item.bytes;
    if (!hooks_.wait_until(pace.due(done))) {
      return false;
    }
  }
  return true;
}

std::vector<Scrubber::Item> Scrubber::plan() const {
  std::vector<Item> items;
  const auto snapshot = store_.snapshot();
  if (!snapshot) {
    return items;
  }
  for (const LogSnapshot& log : snapshot->logs) {
    std::map<std::string, std::uint64_t> sizes;
    if (const auto entries = disk_.list(log_directory(store_.directory(), log.log))) {
      for (const DirectoryEntry& entry : *entries) {
        sizes[entry.name] = entry.bytes;
      }
    }
    Item rest;
    rest.info.log = log.log;
    for (const auto& [name, bytes] : sizes) {
      rest.bytes += name.ends_with(".seg") || name.ends_with(".idx") ? 0 : bytes;
    }
    items.push_back(std::move(rest));
    for (const auto& segment : log.segments) {
      const SegmentInfo& info = segment->info();
      if (info.sealed) {
        items.push_back({info, info.bytes + sizes[segment_file_name(info.id, "idx")]});
      }
    }
  }
  return items;
}

std::vector<verify::Damage> Scrubber::look(const Item& item, const ScrubPace& pace,
                                           std::uint64_t done) {
  const Nanos begun = hooks_.now();
  std::uint64_t read = 0;
  const bool is_segment = item.info.sealed;
  verify::PacedDisk paced(disk_, [&](std::uint64_t bytes) {
    bytes_ += bytes;
    read += bytes;
    const Nanos due =
        is_segment ? pace.due(done + std::min(read, item.bytes))
                   : begun + static_cast<Nanos>(static_cast<double>(read) /
                                                static_cast<double>(together_bytes_per_second) *
                                                static_cast<double>(second));
    broken_off_ = broken_off_ || !hooks_.wait_until(due);
    return !broken_off_;
  });
  if (is_segment) {
    return look_at_segment(paced, item.info);
  }
  std::vector<Gap> lost;
  return verify::check_unsealed_files(paced, store_.directory(), item.info.log, lost);
}

std::vector<verify::Damage> Scrubber::look_at_segment(Disk& disk, const SegmentInfo& info) {
  SectionCache cache(cache_bytes);
  verify::Verifier verifier(
      disk, [this](const SegmentInfo& gone) { return verify::is_retired(store_, gone); }, nullptr);
  verifier.findings().add(verify::check_sealed_file(disk, info));
  verifier.check_segment(std::make_shared<const SealedSegment>(disk, cache, info));
  return std::move(verifier.findings().damage);
}

void Scrubber::tell(const std::vector<verify::Damage>& damage) {
  std::map<std::string, std::uint64_t> told;  // by file
  for (const verify::Damage& each : damage) {
    if (each.is_remark) {
      continue;  // the server makes it anew by itself
    }
    if (each.is_unread) {
      tell_unread(each);
      continue;
    }
    const ScrubPlace place{each.path, each.offset};
    seen_.insert(place);
    const bool is_known = state_.told.contains(place);
    if (!is_known && state_.told.size() < places_max) {
      state_.told.insert(place);
    }
    if (!is_known && ++told[each.path] <= places_of_file_max) {
      hooks_.found(each);
    }
  }
  for (const auto& [path, places] : told) {
    if (places > places_of_file_max) {
      const auto first = std::ranges::find(damage, path, &verify::Damage::path);
      hooks_.found({first->log, first->segment, path, 0,
                    fmt::format("and {} more places", places - places_of_file_max)});
    }
  }
  places_ = std::max<std::uint64_t>(state_.told.size(), seen_.size());
}

void Scrubber::tell_unread(const verify::Damage& damage) {
  if (unread_.insert(damage.path).second && unread_.size() <= unread_max) {
    hooks_.found(damage);
  }
}

void Scrubber::keep_unread(const std::vector<verify::Damage>& damage) {
  for (const verify::Damage& each : damage) {
    for (const ScrubPlace& place : state_.told) {
      if (each.is_unread && place.first.starts_with(each.path)) {
        seen_.insert(place);
      }
    }
  }
}

void Scrubber::save() {
  // Without it a restart begins further back, and nothing worse.
  static_cast<void>(
      replace_file(disk_, state_path(store_), as_byte_span(encode_scrub_state(state_))));
}

}  // namespace docket::server
