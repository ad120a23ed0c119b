#include "tools/load/generator.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/assert.hpp"

namespace docket::load {
namespace {

constexpr Nanos second_ns = 1'000'000'000;
constexpr Nanos session_ns = 4LL * 3600 * second_ns;

std::uint8_t type_index(std::string_view name) {
  for (std::size_t i = 0; i < object_types.size(); ++i) {
    if (object_types[i].name == name) {
      return static_cast<std::uint8_t>(i);
    }
  }
  DOCKET_ASSERT(false);
  return 0;
}

// Who acts on a surface, and how much of it each kind does.
double actor_weight(Surface surface, ActorKind kind) {
  switch (surface) {
    case Surface::activity:
      return kind == ActorKind::system ? 0.2 : 1;
    case Surface::campaign:
      return kind == ActorKind::system ? 1 : 0;
    case Surface::api:
      return kind == ActorKind::api_token ? 1 : 0;
    case Surface::authentication:
      return kind == ActorKind::user || kind == ActorKind::admin ? 1 : 0;
  }
  return 0;
}

// A contact's id: a permutation of its rank, so that busy contacts do not stand side by side.
std::uint64_t contact_number(std::uint64_t rank) {
  constexpr std::uint64_t mask = object_types[contact_type].objects - 1;
  static_assert(std::has_single_bit(std::uint64_t{object_types[contact_type].objects}));
  const std::uint64_t spread = (rank * 0x9E3779B1U) & mask;
  return 1'000'000 + (spread ^ (spread >> 11));
}

}  // namespace

Generator::Generator(const GeneratorOptions& options)
    : options_(options),
      population_(options.seed),
      calendar_(options.events, options.end, options.days),
      surfaces_(options.mix),
      contacts_(object_types[contact_type].objects, 0.86) {
  DOCKET_ASSERT(options.note_bytes <= note_bytes_max);
  for (std::size_t surface = 0; surface < surface_count; ++surface) {
    draws_.push_back(draws_of(static_cast<Surface>(surface)));
  }
  for (const Action& action : actions()) {
    action_types_.push_back(type_index(action.type));
  }
  for (const ObjectType& type : object_types) {
    objects_.emplace_back(type.objects, 0.8);
  }
}

Generator::Draws Generator::draws_of(Surface surface) const {
  std::vector<double> weights;
  std::vector<std::uint16_t> list;
  for (std::size_t i = 0; i < actions().size(); ++i) {
    if (actions()[i].surface == surface) {
      weights.push_back(actions()[i].weight);
      list.push_back(static_cast<std::uint16_t>(i));
    }
  }
  std::vector<double> actors;
  for (std::uint32_t rank = 0; rank < Population::actor_count; ++rank) {
    actors.push_back(actor_weight(surface, population_.actor(rank).kind) *
                     std::pow(rank + 3, -1.3));
  }
  return {WeightedChoice(weights), std::move(list), WeightedChoice(actors)};
}

TargetView Generator::target(std::uint8_t type, Random& random, TextCursor& text) const {
  if (type != contact_type) {
    return population_.object(type, static_cast<std::uint32_t>(objects_[type].pick(random)));
  }
  // The name follows from the id alone: the same contact has the same name everywhere.
  const std::uint64_t number = contact_number(contacts_.pick(random));
  const std::uint64_t bits = mix(number ^ options_.seed);
  const std::size_t id = text.position();
  text.number(number);
  const std::string_view id_text = text.since(id);
  const std::size_t name = text.position();
  text.text(first_names()[bits % 64]);
  const bool by_mail = (bits & 0x3000) == 0;  // the others are known by name
  text.text(by_mail ? "." : " ");
  text.text(last_names()[(bits >> 6) % 64]);
  if (by_mail) {
    text.number((bits >> 18) % 90 + 10);
    text.text("@");
    text.text(mail_domains()[(bits >> 32) % 16]);
  }
  return {object_types[contact_type].name, id_text, text.since(name)};
}

void Generator::add_related(std::uint8_t type, bool bulk, Random& random, TextCursor& text,
                            GeneratedEvent& into) const {
  // A bulk action names some of what it touched; another names where the target belongs.
  static const std::uint8_t list_type = type_index("List");
  static const std::uint8_t broadcast_type = type_index("Broadcast");
  const auto few = [](Random& r) { return r.below(GeneratedEvent::related_max - 1); };
  const std::uint64_t count = bulk ? 2 + std::min(few(random), few(random)) : 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint8_t other =
        bulk ? type : (into.surface == Surface::campaign ? broadcast_type : list_type);
    into.related[i] = target(other, random, text);
  }
  into.event.related = std::span<const TargetView>(into.related.data(), count);
}

// A member "note" of words behind what the payload has, or as its only one.
void Generator::add_note(Random& random, GeneratedEvent& into) const {
  const std::string_view payload = into.event.payload;
  into.noted.assign(payload.empty() ? "{" : payload.substr(0, payload.size() - 1));
  into.noted += payload.empty() ? R"("note":")" : R"(,"note":")";
  const std::size_t end =
      into.noted.size() + random.below(2 * std::uint64_t{options_.note_bytes} + 1);
  while (into.noted.size() < end) {
    into.noted += words()[random.below(words().size())];
    into.noted += ' ';
  }
  into.noted += R"("})";
  into.event.payload = into.noted;
}

void Generator::make(std::uint64_t index, GeneratedEvent& into) const {
  Random random(options_.seed, index);
  TextCursor text(into.texts);
  EventView& event = into.event;
  event = EventView{};
  into.surface = static_cast<Surface>(surfaces_.pick(random));
  const Draws& draws = draws_[static_cast<std::size_t>(into.surface)];
  const std::size_t action_index = draws.list[draws.actions.pick(random)];
  const Action& action = actions()[action_index];
  const std::uint8_t type = action_types_[action_index];

  event.ts = calendar_.at(index, random.unit());
  const std::uint32_t rank = draws.actors.pick(random);
  const GeneratedActor& actor = population_.actor(rank);
  event.actor = index < options_.events / 2 ? actor.before : actor.after;
  event.verb = action.verb;

  // One draw decides the rare things: each field takes its own digits of it.
  const std::uint64_t dice = random.next();
  const auto percent = [dice](unsigned shift) { return ((dice >> shift) & 0xFFF) * 100 >> 12; };
  const bool bulk = percent(0) < action.bulk;
  if (bulk) {
    event.affected = 2 + random.below(random.one_in(10) ? 50'000 : 400);
  }
  if (bulk && type == contact_type && (dice & 0x1000) != 0) {
    event.target.type = object_types[type].name;  // the type stands alone
  } else {
    event.target = target(type, random, text);
  }
  if (percent(13) < action.related) {
    add_related(type, bulk && type == contact_type, random, text, into);
  }
  const std::uint64_t verdict = percent(25);
  if (verdict < action.failed) {
    event.outcome = Outcome::failure;
  } else if (verdict < std::uint64_t{action.failed} + action.denied) {
    event.outcome = Outcome::denied;
  }
  if (event.outcome != Outcome::success) {
    event.reason = action.reason.empty() ? general_reasons[random.below(general_reasons.size())]
                                         : action.reason;
    if (into.surface == Surface::api) {
      const std::size_t from = text.position();
      text.text("req-");
      text.hex(random.next());
      event.request = text.since(from);
    }
  }
  if (actor.kind == ActorKind::system) {
    // Only what a recipient did has an address; the platform's own work has none.
    if (into.surface == Surface::campaign &&
        (action.verb == "OPENED" || action.verb == "CLICKED")) {
      event.ip =
          population_.address(static_cast<std::uint32_t>(random.below(Population::address_count)));
    }
  } else {
    event.ip = population_.address_of(rank, std::min(random.below(8), random.below(8)));
  }
  if (into.surface == Surface::authentication ||
      (into.surface == Surface::activity && actor.kind == ActorKind::admin)) {
    const std::size_t from = text.position();
    text.hex(mix(options_.seed ^ (rank * 0x10001ULL)) ^
             mix(static_cast<std::uint64_t>(event.ts / session_ns)));
    event.session = text.since(from);
  }
  if (percent(37) < action.diff) {
    const std::size_t from = text.position();
    write_diff(type, random, text);
    event.payload = text.since(from);
  }
  // One event in a hundred arrives late: up to five seconds before its neighbours.
  if (((dice >> 49) & 127) == 0) {
    event.ts -= static_cast<Nanos>(random.below(5'000'000)) * 1000;
  }
  if (options_.note_bytes > 0) {
    add_note(random, into);
  }
}

}  // namespace docket::load
