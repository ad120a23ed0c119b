#include "tests/support/random_events.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace docket::testing {
namespace {

constexpr const char* actor_kinds[] = {"admin", "user", "api_token", "system"};
constexpr const char* roles[] = {"", "", "owner", "editor", "support"};
constexpr const char* actor_names[] = {
    "",          "Ann Ash",        "Ann Ash",          "Bob \"the\" Builder", "Zoë Müller",
    "山田 太郎", "=cmd|' /C calc", "O'Neill, Siobhán", "nightly, job",        "😀 Emoji",
};
constexpr const char* verbs[] = {
    "CREATE", "EDIT",    "EDIT",    "UPDATE",  "UPDATE", "DELETE", "SUPPRESS",
    "SEND",   "SIGN_IN", "SIGN_IN", "BOUNCED", "OPENED", "EXPORT", "ÜBERNEHMEN",
};
constexpr const char* target_types[] = {
    "Contact", "Contact", "Contact", "List", "Broadcast", "SendingDomain", "User", "contact",
};
constexpr const char* id_stems[] = {"", "c-", "c-1", "list:", "ünï-"};
constexpr const char* target_names[] = {
    "",
    "Newsletter list",
    "Welcome series",
    "Überraschung – Mai",
    "ニュース",
    "+1 to \"quotes\", commas",
    "two\nlines\tand a tab",
    "\u202Ereversed\u202C",
    "newsletter LIST",
};
constexpr const char* reasons[] = {"mfa_mismatch", "rate_limited", "bad password",
                                   "größer als 5 %"};
constexpr const char* fields[] = {"hourly_limit", "name", "status", "größe", "a.b", "tags"};
constexpr const char* values[] = {
    "null",
    "true",
    "0",
    "-12.5e3",
    "500",
    "1000",
    R"("active")",
    R"("paused")",
    R"("newsletter@example.com")",
    R"("a \"quote\" and \\ and \u00e9")",
    R"("é")",
    "[]",
    "[1, 2]",
    R"({"deep": {"er": [null, {}]}})",
    R"("")",
};

std::string object_member(const std::string& key, const std::string& json_value) {
  return "\"" + key + "\":" + json_value;
}

}  // namespace

RandomEvents::RandomEvents(std::uint64_t seed, const RandomEventsOptions& options)
    : random_(seed), options_(options), now_(options.start) {
  // Ids 1 to 7 in three kinds, so that most ids occur more than once: person, token, administrator.
  for (std::size_t i = 0; i < 20; ++i) {
    Actor actor;
    actor.kind = actor_kinds[i % 4];
    actor.id = i % 4 == 3 ? "job-" + std::to_string(i) : std::to_string(1 + i / 4 * 16 % 7);
    actor.name = one_of(actor_names);
    actor.role = one_of(roles);
    actors_.push_back(std::move(actor));
  }
}

Event RandomEvents::next() {
  Event event;
  event.ts = time();
  event.actor = actor();
  event.verb = one_of(verbs);
  event.target = target();
  event.related = related(event.target);
  event.affected = once_in(8) ? below(1000) : 1;
  event.ip = address();
  if (once_in(4)) {
    event.outcome = once_in(2) ? Outcome::failure : Outcome::denied;
  }
  if (event.outcome != Outcome::success ? !once_in(3) : once_in(20)) {
    event.reason = one_of(reasons);
  }
  if (!once_in(3)) {
    event.session = "s-" + event.actor.id + "-" + std::to_string(below(3));
  }
  if (once_in(2)) {
    event.request = "req-" + std::to_string(random_());
  }
  event.payload = payload();
  if (once_in(100)) {
    stretch(event);
  }
  return event;
}

std::vector<Event> RandomEvents::take(std::size_t count) {
  std::vector<Event> events;
  events.reserve(count);
  while (events.size() < count) {
    events.push_back(next());
  }
  return events;
}

Nanos RandomEvents::time() {
  const auto within = [&](Nanos bound) {
    return static_cast<Nanos>(below(static_cast<std::uint64_t>(bound) + 1));
  };
  switch (below(8)) {
    case 0:
      break;  // the same instant again
    case 1:
      now_ += within(options_.step_max) / 1'000'000'000 * 1'000'000'000;  // whole seconds
      break;
    case 2:
      now_ += within(options_.step_max);
      break;
    default:
      now_ += within(options_.step_max) / 1'000'000 * 1'000'000;
  }
  if (once_in(50)) {
    return now_ - within(options_.stray_max);
  }
  return once_in(4) ? now_ - within(3 * options_.step_max) : now_;
}

Actor RandomEvents::actor() {
  // The lower of two: a few actors are busy, the others rare.
  Actor& chosen = actors_[std::min(below(actors_.size()), below(actors_.size()))];
  if (once_in(40)) {
    chosen.name = one_of(actor_names);
  }
  if (once_in(40)) {
    chosen.role = one_of(roles);
  }
  return chosen;
}

Target RandomEvents::target() {
  Target target;
  target.type = one_of(target_types);
  if (!once_in(12)) {
    target.id = one_of(id_stems);
    target.id += std::to_string(once_in(3) ? below(1000) : below(12));
  }
  // A name belongs to its id most of the time.
  target.name = once_in(6) ? one_of(target_names)
                           : target_names[target.id.size() * 5 % std::size(target_names)];
  return target;
}

std::vector<Target> RandomEvents::related(const Target& main) {
  std::vector<Target> targets;
  if (!once_in(4)) {
    return targets;
  }
  for (std::uint64_t n = 1 + below(5); n > 0; --n) {
    targets.push_back(once_in(10) ? main : target());
  }
  return targets;
}

std::optional<IpAddress> RandomEvents::address() {
  if (once_in(5)) {
    return std::nullopt;
  }
  IpAddress ip;
  const std::uint64_t host = below(24);
  if (once_in(3)) {
    ip.bytes = {0x20, 0x01, 0x0d, 0xb8};
    ip.bytes[7] = static_cast<std::uint8_t>(host / 8);
    ip.bytes[15] = static_cast<std::uint8_t>(host);
    return ip;
  }
  ip.bytes[10] = ip.bytes[11] = 0xff;
  ip.bytes[12] = host % 3 == 0 ? 192 : 10;
  ip.bytes[14] = static_cast<std::uint8_t>(host / 6);
  ip.bytes[15] = static_cast<std::uint8_t>(host);
  return ip;
}

std::string RandomEvents::value() {
  return one_of(values);
}

std::string RandomEvents::payload() {
  const auto object = [&] {
    std::string text = "{";
    for (std::size_t i = below(4); i < std::size(fields); i += 1 + below(4)) {
      text += (text.size() > 1 ? ", " : "") + object_member(fields[i], value());
    }
    return text + "}";
  };
  switch (below(6)) {
    case 0:
    case 1:
      return {};
    case 2:
    case 3: {
      std::string text = R"({"changes":[)";
      for (std::uint64_t n = below(4); n > 0; --n) {
        text += "{" + object_member("field", "\"" + std::string(one_of(fields)) + "\"");
        // Both values, or one alone: something was set for the first time, or removed.
        const std::uint64_t sides = 1 + below(4);
        text += sides != 1 ? "," + object_member("old", value()) : "";
        text += sides != 2 ? "," + object_member("new", value()) : "";
        text += n > 1 ? "}, " : "}";
      }
      return text + "]" + (once_in(4) ? ",\"note\":\"by hand\"}" : "}");
    }
    case 4:
      return R"({"before": )" + object() + R"(, "after": )" + object() + "}";
    default:
      return object();
  }
}

void RandomEvents::stretch(Event& event) {
  switch (below(6)) {
    case 0:
      event.target.id.assign(limits::id_bytes_max, 'x');
      event.target.name.assign(limits::name_bytes_max, 'n');
      break;
    case 1:
      event.verb.assign(limits::verb_bytes_max, 'V');
      event.reason.assign(limits::reason_bytes_max, 'r');
      break;
    case 2:
      event.affected = once_in(2) ? 0 : std::numeric_limits<std::uint64_t>::max();
      break;
    case 3:
      event.session.assign(limits::correlation_bytes_max, 's');
      event.request.assign(limits::correlation_bytes_max, 'q');
      break;
    case 4:
      event.related.assign(19, target());
      break;
    default:
      event.payload = "{\"blob\":\"" + std::string(30'000 + below(35'000), 'b') + "\"}";
  }
}

}  // namespace docket::testing
