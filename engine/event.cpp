#include "engine/event.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace docket {
namespace {

constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

constexpr char to_upper(char c) {
  return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view upper) {
  return std::equal(a.begin(), a.end(), upper.begin(), upper.end(),
                    [](char x, char y) { return to_upper(x) == y; });
}

// The length of the well-formed non-ASCII sequence at `p`, 0 when there is none. Only the second
// byte's range depends on the first (Unicode, table 3-7): it excludes overlong forms, surrogates
// and what lies above U+10FFFF.
std::size_t sequence_bytes(const unsigned char* p, const unsigned char* end) {
  const unsigned lead = *p;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  std::size_t size = 0;
  if (lead >= 0xc2 && lead <= 0xdf) {
    size = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    size = 3;
    low = lead == 0xe0 ? 0xa0 : low;
    high = lead == 0xed ? 0x9f : high;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    size = 4;
    low = lead == 0xf0 ? 0x90 : low;
    high = lead == 0xf4 ? 0x8f : high;
  } else {
    return 0;
  }
  if (static_cast<std::size_t>(end - p) < size || p[1] < low || p[1] > high) {
    return 0;
  }
  for (std::size_t i = 2; i < size; ++i) {
    if ((p[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  return size;
}

enum class Presence : std::uint8_t { required, optional };

// A string of the event and its rule.
struct StringField {
  const char* name;
  std::string_view text;
  Presence presence;
  std::size_t bytes_max;

  [[nodiscard]] bool holds(bool is_known_utf8) const {
    return text.size() <= bytes_max && (presence == Presence::optional || !text.empty()) &&
           (is_known_utf8 || is_utf8(text));
  }

  // "field: rule" for the first rule broken; only here is anything allocated.
  // Precondition: !holds().
  [[nodiscard]] tl::unexpected<Error> refusal(std::string field_prefix = {}) const {
    std::string message = std::move(field_prefix);
    message += name;
    if (presence == Presence::required && text.empty()) {
      message += ": is required";
    } else if (text.size() > bytes_max) {
      message += presence == Presence::required ? ": must be 1 to " : ": must be at most ";
      message += std::to_string(bytes_max) + " bytes";
    } else {
      message += ": is not valid UTF-8";
    }
    return fail(ErrorCode::invalid_argument, std::move(message));
  }
};

using TargetFields = std::array<StringField, 3>;

TargetFields fields_of(const TargetView& target) {
  return {{{"type", target.type, Presence::required, limits::name_bytes_max},
           {"id", target.id, Presence::optional, limits::id_bytes_max},
           {"name", target.name, Presence::optional, limits::name_bytes_max}}};
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::success:
      return "success";
    case Outcome::failure:
      return "failure";
    case Outcome::denied:
      return "denied";
  }
  return "unknown";
}

std::optional<Outcome> parse_outcome(std::string_view text) {
  if (equals_ignoring_case(text, "SUCCESS")) {
    return Outcome::success;
  }
  if (equals_ignoring_case(text, "FAILURE")) {
    return Outcome::failure;
  }
  if (equals_ignoring_case(text, "DENIED")) {
    return Outcome::denied;
  }
  return std::nullopt;
}

void assign(Event& event, const EventView& view) {
  const auto assign_target = [](Target& target, const TargetView& from) {
    target.type = from.type;
    target.id = from.id;
    target.name = from.name;
  };
  event.ts = view.ts;
  event.actor.kind = view.actor.kind;
  event.actor.id = view.actor.id;
  event.actor.name = view.actor.name;
  event.actor.role = view.actor.role;
  event.verb = view.verb;
  assign_target(event.target, view.target);
  event.related.resize(view.related.size());
  for (std::size_t i = 0; i < view.related.size(); ++i) {
    assign_target(event.related[i], view.related[i]);
  }
  event.affected = view.affected;
  event.ip = view.ip;
  event.outcome = view.outcome;
  event.reason = view.reason;
  event.session = view.session;
  event.request = view.request;
  event.payload = view.payload;
}

EventView view_of(const Event& e, std::vector<TargetView>& related_scratch) {
  related_scratch.clear();
  for (const Target& target : e.related) {
    related_scratch.push_back({target.type, target.id, target.name});
  }
  EventView view;
  view.ts = e.ts;
  view.actor = {e.actor.kind, e.actor.id, e.actor.name, e.actor.role};
  view.verb = e.verb;
  view.target = {e.target.type, e.target.id, e.target.name};
  view.related = related_scratch;
  view.affected = e.affected;
  view.ip = e.ip;
  view.outcome = e.outcome;
  view.reason = e.reason;
  view.session = e.session;
  view.request = e.request;
  view.payload = e.payload;
  return view;
}

bool is_log_name(std::string_view name) {
  if (name.empty() || name.size() > limits::log_name_bytes_max || !is_lower(name[0])) {
    return false;
  }
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

bool is_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = p + text.size();
  for (;;) {
    // Nearly all strings of an event are ASCII throughout.
    while (end - p >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, p, 8);
      if ((word & 0x8080'8080'8080'8080U) != 0) {
        break;
      }
      p += 8;
    }
    while (p != end && *p < 0x80) {
      ++p;
    }
    if (p == end) {
      return true;
    }
    // A run of other letters is followed to its end before ASCII is tried again.
    do {
      const std::size_t size = sequence_bytes(p, end);
      if (size == 0) {
        return false;
      }
      p += size;
    } while (p != end && *p >= 0x80);
  }
}

Result<void> check_event(const EventView& event, const EventRules& rules, Nanos received,
                         bool strings_are_utf8) {
  // Written so that a time of receipt near the end of the range cannot overflow.
  if (event.ts > received &&
      static_cast<std::uint64_t>(event.ts) - static_cast<std::uint64_t>(received) >
          static_cast<std::uint64_t>(limits::future_ns_max)) {
    return fail(ErrorCode::invalid_argument, "ts: is more than 24 h in the future");
  }

  const StringField before_target[] = {
      {"actor.kind", event.actor.kind, Presence::required, limits::name_bytes_max},
      {"actor.id", event.actor.id, Presence::required, limits::id_bytes_max},
      {"actor.name", event.actor.name, Presence::optional, limits::name_bytes_max},
      {"actor.role", event.actor.role, Presence::optional, limits::name_bytes_max},
      {"verb", event.verb, Presence::required, limits::verb_bytes_max},
  };
  for (const StringField& field : before_target) {
    if (!field.holds(strings_are_utf8)) {
      return field.refusal();
    }
  }
  if (std::any_of(event.verb.begin(), event.verb.end(), is_lower)) {
    return fail(ErrorCode::invalid_argument, "verb: must be upper-case");
  }

  for (const StringField& field : fields_of(event.target)) {
    if (!field.holds(strings_are_utf8)) {
      return field.refusal("target.");
    }
  }
  if (event.related.size() > limits::related_max) {
    return fail(ErrorCode::invalid_argument,
                "related: has more than " + std::to_string(limits::related_max) + " entries");
  }
  for (std::size_t i = 0; i < event.related.size(); ++i) {
    for (const StringField& field : fields_of(event.related[i])) {
      if (!field.holds(strings_are_utf8)) {
        return field.refusal("related[" + std::to_string(i) + "].");
      }
    }
  }

  const StringField after_target[] = {
      {"reason", event.reason, Presence::optional, limits::reason_bytes_max},
      {"session", event.session, Presence::optional, limits::correlation_bytes_max},
      {"request", event.request, Presence::optional, limits::correlation_bytes_max},
  };
  for (const StringField& field : after_target) {
    if (!field.holds(strings_are_utf8)) {
      return field.refusal();
    }
  }
  if (event.payload.size() > rules.payload_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                "payload: is larger than " + std::to_string(rules.payload_bytes_max) + " bytes");
  }
  if (!strings_are_utf8 && !is_utf8(event.payload)) {
    return fail(ErrorCode::invalid_argument, "payload: is not valid UTF-8");
  }
  return {};
}

std::string_view upper_verb(std::string_view verb, std::string& scratch) {
  const auto first = std::find_if(verb.begin(), verb.end(), is_lower);
  if (first == verb.end()) {
    return verb;
  }
  scratch.assign(verb);
  std::transform(scratch.begin(), scratch.end(), scratch.begin(), to_upper);
  return scratch;
}

}  // namespace docket
