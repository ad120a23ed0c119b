#include "tools/load/population.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <utility>

#include "tools/load/random.hpp"

namespace docket::load {
namespace {

std::string person_name(Random& random) {
  const auto first = first_names()[random.below(first_names().size())];
  const auto last = last_names()[random.below(last_names().size())];
  return fmt::format("{} {}", first, last);
}

std::string actor_name(ActorKind kind, Random& random) {
  switch (kind) {
    case ActorKind::user:
    case ActorKind::admin:
      return person_name(random);
    case ActorKind::api_token:
      return fmt::format("{} sync", words()[random.below(words().size())]);
    case ActorKind::system:
      break;
  }
  return {};  // the id says it all
}

std::string actor_id(ActorKind kind, std::uint32_t rank, Random& random) {
  switch (kind) {
    case ActorKind::user:
    case ActorKind::admin:
      return std::to_string(rank + 1);
    case ActorKind::api_token:
      return fmt::format("tok_{:08x}", random.next() >> 32);
    case ActorKind::system:
      break;
  }
  return fmt::format("mta-{}", rank);
}

ActorKind actor_kind(Random& random) {
  const std::uint64_t draw = random.below(100);
  return draw < 3    ? ActorKind::system
         : draw < 22 ? ActorKind::api_token
         : draw < 30 ? ActorKind::admin
                     : ActorKind::user;
}

IpAddress random_address(Random& random) {
  IpAddress ip;
  const std::uint64_t bits = random.next();
  const auto byte = [bits](unsigned i) { return static_cast<std::uint8_t>(bits >> (8 * i)); };
  const std::uint64_t draw = random.below(100);
  if (draw >= 85) {  // 2001:db8::/32, set aside for documentation
    ip.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, byte(0)};
    for (unsigned i = 0; i < 4; ++i) {
      ip.bytes[12 + i] = byte(1 + i);
    }
    return ip;
  }
  ip.bytes[10] = ip.bytes[11] = 0xFF;
  if (draw < 30) {  // an office network
    ip.bytes[12] = 10;
    ip.bytes[13] = static_cast<std::uint8_t>(byte(0) % 16);
  } else {  // 198.18.0.0/15, set aside for benchmarks
    ip.bytes[12] = 198;
    ip.bytes[13] = static_cast<std::uint8_t>(18 + byte(0) % 2);
  }
  ip.bytes[14] = byte(1);
  ip.bytes[15] = byte(2);
  return ip;
}

}  // namespace

Population::Population(std::uint64_t seed) : seed_(seed) {
  for (std::uint32_t rank = 0; rank < actor_count; ++rank) {
    Random random(seed, 0xAC7000000 + rank);
    GeneratedActor actor;
    actor.kind = actor_kind(random);
    const auto role_choices = roles(actor.kind);
    const std::size_t role = random.below(role_choices.size());
    const bool namesake = rank > 0 && rank % 50 == 0 && actors_.back().kind == actor.kind;
    actor.before = {actor_kind_names[static_cast<std::size_t>(actor.kind)],
                    keep(actor_id(actor.kind, rank, random)),
                    namesake ? actors_.back().before.name : keep(actor_name(actor.kind, random)),
                    role_choices[role]};
    actor.after = actor.before;
    if (rank % 40 == 7) {
      actor.after.role = role_choices[(role + 1) % role_choices.size()];
    }
    if (rank % 80 == 13) {
      actor.after.name = keep(actor_name(actor.kind, random));
    }
    actors_.push_back(actor);
  }

  Random random(seed, 0x1B);
  for (std::uint32_t i = 0; i < address_count; ++i) {
    addresses_.push_back(random_address(random));
  }

  objects_.resize(object_types.size());
  for (std::size_t type = 1; type < object_types.size(); ++type) {
    const ObjectType& about = object_types[type];
    for (std::uint32_t i = 0; i < about.objects; ++i) {
      const auto word = words()[random.below(words().size())];
      objects_[type].push_back({about.name, keep(std::to_string(i + 1)),
                                keep(fmt::format("{} {} {}", word, about.title, i % 89 + 1))});
    }
  }
}

const IpAddress& Population::address_of(std::uint32_t actor, std::uint64_t pick) const {
  const std::uint64_t own = 1 + mix(seed_ ^ actor) % 8;
  return addresses_[scale(mix((seed_ + actor) * 8 + pick % own), address_count)];
}

std::string_view Population::keep(std::string text) {
  return texts_.emplace_back(std::move(text));
}

}  // namespace docket::load
