// Who and what exists in the generated world: actors, addresses, and every object but the contacts.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "tools/load/vocabulary.hpp"

namespace docket::load {

struct GeneratedActor {
  ActorView before;  // names live as long as the population
  ActorView after;   // the same identity in the second half of the time: one actor in 40 has a new
                     // role by then, one in 80 a new name
  ActorKind kind = ActorKind::user;
};

// Tables made once from the seed. Immutable afterwards; thread-safe.
class Population {
 public:
  static constexpr std::uint32_t actor_count = 5000;
  static constexpr std::uint32_t address_count = 20000;

  explicit Population(std::uint64_t seed);
  Population(const Population&) = delete;
  Population& operator=(const Population&) = delete;

  // Actors by rank: the first is the busiest. Some share a name with their neighbour.
  [[nodiscard]] const GeneratedActor& actor(std::uint32_t rank) const { return actors_[rank]; }
  [[nodiscard]] const IpAddress& address(std::uint32_t index) const { return addresses_[index]; }
  // An actor works from one to eight addresses; `pick` in 0..7 chooses among them.
  [[nodiscard]] const IpAddress& address_of(std::uint32_t actor, std::uint64_t pick) const;
  // Id and name of object `index` of a type other than Contact.
  [[nodiscard]] const TargetView& object(std::uint8_t type, std::uint32_t index) const {
    return objects_[type][index];
  }

 private:
  [[nodiscard]] std::string_view keep(std::string text);

  std::uint64_t seed_;
  std::deque<std::string> texts_;
  std::vector<GeneratedActor> actors_;
  std::vector<IpAddress> addresses_;
  std::vector<std::vector<TargetView>> objects_;  // by type; none for Contact
};

}  // namespace docket::load
