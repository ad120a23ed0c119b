// The generated events: a mail platform's audit log, as large as asked for and the same every time.
//
// Event i is a pure function of (options, i): it can be made again in any order and on any thread,
// which is what lets `docket-load check` compare a store with the events it should hold. The
// generator promises these proportions, which its tests check over a sample:
//   5,000 actors (Zipf) of four kinds, some with one name; 20,000 addresses; 19 types of targets,
//   Contact most; about 1.4 M distinct targets in 10 M events; 35 % of the events with a diff of
//   about 190 bytes; about 289 bytes an event as NDJSON; working hours and weekends.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "tools/load/calendar.hpp"
#include "tools/load/diff_writer.hpp"
#include "tools/load/population.hpp"
#include "tools/load/random.hpp"
#include "tools/load/vocabulary.hpp"
#include "tools/load/weighted_choice.hpp"

namespace docket::load {

struct GeneratorOptions {
  std::uint64_t seed = 1;
  std::uint64_t events = 1'000'000;  // how many share the days
  Nanos end = 0;                     // the last event is at most this late
  std::uint32_t days = 90;
  // Shares of the surfaces, in the order of `surface_names`; any positive sum.
  std::array<double, surface_count> mix{60, 25, 10, 5};
  // Text in the payload of each event, on average, beside what it has anyway: for platforms whose
  // events are longer. At most note_bytes_max.
  std::uint32_t note_bytes = 0;
};
inline constexpr std::uint32_t note_bytes_max = 16'384;

// Room for one event. `event`'s views point into it and into the generator, and hold until the next
// event is made here.
struct GeneratedEvent {
  GeneratedEvent() = default;
  GeneratedEvent(const GeneratedEvent&) = delete;
  GeneratedEvent& operator=(const GeneratedEvent&) = delete;

  static constexpr std::size_t related_max = 19;

  EventView event;
  Surface surface = Surface::activity;
  std::array<TargetView, related_max> related;
  std::array<char, diff_bytes_max + 128 * (related_max + 1)> texts;
  std::string noted;  // the payload, where it has a note

  [[nodiscard]] std::string_view log() const {
    return surface_names[static_cast<std::size_t>(surface)];
  }
};

// Immutable; thread-safe.
class Generator {
 public:
  // Precondition: events > 0, days > 0, a positive mix.
  explicit Generator(const GeneratorOptions& options);

  // Makes event `index`, 0 <= index < events. Allocates nothing
  // (but for notes, when one is longer than any before).
  void make(std::uint64_t index, GeneratedEvent& into) const;

  [[nodiscard]] const GeneratorOptions& options() const { return options_; }

 private:
  struct Draws {
    WeightedChoice actions;  // indexes into the surface's list
    std::vector<std::uint16_t> list;
    WeightedChoice actors;  // ranks
  };

  [[nodiscard]] TargetView target(std::uint8_t type, Random& random, TextCursor& text) const;
  void add_related(std::uint8_t type, bool bulk, Random& random, TextCursor& text,
                   GeneratedEvent& into) const;
  void add_note(Random& random, GeneratedEvent& into) const;
  [[nodiscard]] Draws draws_of(Surface surface) const;

  GeneratorOptions options_;
  Population population_;
  Calendar calendar_;
  WeightedChoice surfaces_;
  std::vector<Draws> draws_;  // by surface
  std::vector<std::uint8_t> action_types_;
  ZipfRank contacts_;
  std::vector<ZipfRank> objects_;  // by type; the first is not used
};

}  // namespace docket::load
