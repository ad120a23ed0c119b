// Reads the whole store, slowly, to find damage before somebody asks for what is damaged.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/log.hpp"
#include "tools/docketd/scrub_state.hpp"
#include "tools/verify/file_check.hpp"

namespace docket::server {

// How fast to read so that so many bytes take just so long.
class ScrubPace {
 public:
  ScrubPace(Nanos begin, Nanos end, std::uint64_t bytes) : begin_(begin), end_(end), all_(bytes) {}
  // When the byte behind the first `bytes` may be read; never behind the end.
  [[nodiscard]] Nanos due(std::uint64_t bytes) const;

 private:
  Nanos begin_, end_;
  std::uint64_t all_;
};

struct ScrubHooks {
  std::function<Nanos()> now;
  // Returns at that time, at once where it has passed. False: break off.
  std::function<bool(Nanos when)> wait_until;
  // A damaged place, once however many rounds meet it; or one that could not be read now, once in
  // each round that meets it.
  std::function<void(const verify::Damage&)> found;
};

struct ScrubStats {
  std::uint64_t bytes = 0;   // read since start
  std::uint64_t places = 0;  // damaged, as far as is known now
  Nanos last_end = 0;        // of the last whole round; 0: there has been none
};

// Used by one thread, but for stats(). Holds no lock and no snapshot while it reads, opens every
// file anew and keeps nothing of it: what the server has cached stays cached.
class Scrubber {
 public:
  // Both must outlive it. Remembers in the store's directory how far it is.
  Scrubber(Disk& disk, Store& store, ScrubHooks hooks);

  // When the next round is due: at once where one is under way.
  [[nodiscard]] Nanos next_round(Nanos period) const;
  // Does what is left of the round under way, else a new one, so that it ends a period after it
  // began; what is late is given a tenth of a period at least. What could not be read then is tried
  // again behind the rest, within another tenth. False: it was broken off, and goes
  // on behind the last segment that was looked at.
  bool run(Nanos period);
  // Thread-safe.
  [[nodiscard]] ScrubStats stats() const;

  // Places of one file that are told one by one; of the others it tells how many there are.
  static constexpr std::size_t places_of_file_max = 16;
  // Files that could not be read now that are told one by one in a round.
  static constexpr std::size_t unread_max = 16;
  // Places that are remembered; more are told again in each round.
  static constexpr std::size_t places_max = 4096;

 private:
  // A sealed segment with its index, or the other files of a log (segment 0).
  struct Item {
    SegmentInfo info;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] std::vector<Item> plan() const;
  [[nodiscard]] std::vector<verify::Damage> look(const Item& item, const ScrubPace& pace,
                                                 std::uint64_t done);
  [[nodiscard]] std::vector<verify::Damage> look_at_segment(Disk& disk, const SegmentInfo& info);
  // False: it was broken off. `again` is what could not be read.
  bool go_through(const std::vector<Item>& items, const ScrubPace& pace, bool is_first,
                  std::vector<Item>& again);
  void tell(const std::vector<verify::Damage>& damage);
  void tell_unread(const verify::Damage& damage);
  // What was known of files that could not be read stays known.
  void keep_unread(const std::vector<verify::Damage>& damage);
  void save();

  Disk& disk_;
  Store& store_;
  const ScrubHooks hooks_;
  ScrubState state_;
  std::set<ScrubPlace> seen_;     // in the round at hand
  std::set<std::string> unread_;  // files, in the round at hand
  bool broken_off_ = false;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> places_{0};
  std::atomic<Nanos> last_end_{0};
};

}  // namespace docket::server
