#include "ingest/event_json.hpp"

#include <array>
#include <charconv>
#include <optional>

#include "engine/timestamp.hpp"
#include "ingest/json_cursor.hpp"
#include "ingest/json_index.hpp"

namespace docket::ingest {
namespace {

// The members of an event, as bits of the set of those already seen.
enum class Member : std::uint8_t {
  log,
  ts,
  actor,
  verb,
  target,
  related,
  affected,
  ip,
  outcome,
  reason,
  session,
  request,
  payload,
  ignored_seq,
  ignored_received,
  ignored_node,
  unknown
};

struct NamedMember {
  std::string_view name;
  Member member;
};

// In the order in which they are usually sent.
constexpr std::array<NamedMember, 16> event_members = {{{"log", Member::log},
                                                        {"ts", Member::ts},
                                                        {"actor", Member::actor},
                                                        {"verb", Member::verb},
                                                        {"target", Member::target},
                                                        {"related", Member::related},
                                                        {"affected", Member::affected},
                                                        {"ip", Member::ip},
                                                        {"outcome", Member::outcome},
                                                        {"reason", Member::reason},
                                                        {"session", Member::session},
                                                        {"request", Member::request},
                                                        {"payload", Member::payload},
                                                        {"seq", Member::ignored_seq},
                                                        {"received", Member::ignored_received},
                                                        {"node", Member::ignored_node}}};

Member member_of(std::string_view name) {
  for (const NamedMember& each : event_members) {
    if (each.name == name) {
      return each.member;
    }
  }
  return Member::unknown;
}

// A sub-object's string members: actor's four, a target's three.
struct StringMember {
  std::string_view name;
  std::string_view* into;
};

constexpr std::string_view must_be_string = "must be a string";
constexpr std::string_view empty_id = "must be 1 to 255 bytes";
static_assert(limits::id_bytes_max == 255);
constexpr std::string_view too_deep = "is nested more than 128 deep";
static_assert(json_depth_max == 128);

// Whether the bytes are one JSON value that begins so.
bool is_json_value(std::string_view json, char start) {
  thread_local JsonIndex index;
  if (index.build(json) != nullptr) {
    return false;
  }
  JsonCursor at(json, index.positions());
  std::string_view raw;
  return at.peek() == start && at.take_value(raw) && at.at_end();
}

}  // namespace

// One walk per event. A member that breaks a rule is noted (the first one only) and the walk goes
// on, so that a text is told to be malformed wherever in it the fault is; a fault of the grammar
// ends the walk.
struct EventDecoder::State {
  JsonIndex index;
  std::string unescaped;  // values of strings with escapes; reserved before the first view is taken
  std::string upper_scratch;
  std::vector<TargetView> related;
  std::string error;               // of the event at hand; empty: none so far
  const char* expected = nullptr;  // what the grammar wanted where the walk ended
  std::string_view fault_text;     // where, unless it is at the walk's next token
  std::string_view member_name;    // of the event's member at hand

  Result<Decoded> decode(std::string_view json, const EventRules& rules, Nanos received);

 private:
  bool walk_event(JsonCursor& at, Decoded& out, Nanos received);
  bool walk_member(JsonCursor& at, Member member, Decoded& out);
  bool walk_strings(JsonCursor& at, std::string_view path, std::span<StringMember> members);
  bool walk_target(JsonCursor& at, std::string_view path, TargetView& target);
  bool walk_related(JsonCursor& at, Decoded& out);
  bool walk_ts(JsonCursor& at, Decoded& out);
  bool walk_affected(JsonCursor& at, std::uint64_t& affected);

  // The next value as a string's value; `into` stays empty (and the rule is noted) where it is of
  // another kind. False: grammar.
  bool walk_string(JsonCursor& at, std::string_view path, std::string_view name,
                   std::string_view& into);
  bool walk_key(JsonCursor& at, std::string_view& key);
  bool unescape(const JsonCursor& at, std::string_view raw, std::string_view& into);
  bool skip(JsonCursor& at) {
    std::string_view raw;
    return at.take_value(raw) || wanted("a value");
  }

  bool wanted(const char* what) {
    if (expected == nullptr) {
      expected = what;
    }
    return false;
  }
  // The same for a string that the walk has already stepped over.
  bool wanted_in(std::string_view raw, const char* what) {
    fault_text = raw;
    return wanted(what);
  }
  void note(std::string_view path, std::string_view name, std::string_view rule);
};

void EventDecoder::State::note(std::string_view path, std::string_view name,
                               std::string_view rule) {
  if (!error.empty()) {
    return;
  }
  error.append(path);
  if (!path.empty() && !name.empty()) {
    error += '.';
  }
  // A name may be the sender's own, of any length and with any character in it.
  for (const char c : name.substr(0, 64)) {
    const auto byte = static_cast<unsigned char>(c);
    error += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  if (name.size() > 64) {
    while (!is_utf8(error)) {
      error.pop_back();
    }
    error += "...";
  }
  error += ": ";
  error.append(rule);
}

bool EventDecoder::State::unescape(const JsonCursor& at, std::string_view raw,
                                   std::string_view& into) {
  if (!at.has_backslash() || std::memchr(raw.data(), '\\', raw.size()) == nullptr) {
    into = raw;
    return true;
  }
  const std::size_t begin = unescaped.size();
  if (!append_unescaped(unescaped, raw)) {
    return false;
  }
  into = std::string_view(unescaped).substr(begin);
  return true;
}

bool EventDecoder::State::walk_key(JsonCursor& at, std::string_view& key) {
  std::string_view raw;
  if (!at.take_string(raw)) {
    return wanted("a member's name");
  }
  if (!unescape(at, raw, key)) {
    return wanted_in(raw, "valid escapes in a member's name");
  }
  return at.take(':') || wanted("':'");
}

bool EventDecoder::State::walk_string(JsonCursor& at, std::string_view path, std::string_view name,
                                      std::string_view& into) {
  std::string_view raw;
  if (at.take_string(raw)) {
    if (!unescape(at, raw, into)) {
      if (!has_valid_escapes(raw)) {
        return wanted_in(raw, "valid escapes in a string");
      }
      note(path, name, "has half of a surrogate pair");
    }
    return true;
  }
  if (!at.take_value(raw)) {
    return wanted("a value");
  }
  if (raw != "null") {
    note(path, name, must_be_string);
  }
  return true;
}

bool EventDecoder::State::walk_strings(JsonCursor& at, std::string_view path,
                                       std::span<StringMember> members) {
  if (!at.take('{')) {
    note(path, {}, "must be an object");
    return skip(at);
  }
  if (at.take('}')) {
    return true;
  }
  std::uint32_t seen = 0;
  do {
    std::string_view key;
    if (!walk_key(at, key)) {
      return false;
    }
    std::size_t i = 0;
    while (i < members.size() && members[i].name != key) {
      ++i;
    }
    if (i == members.size()) {
      note(path, key, "unknown member");
      if (!skip(at)) {
        return false;
      }
      continue;
    }
    if ((seen >> i & 1U) != 0) {
      note(path, key, "duplicate member");
    }
    seen |= 1U << i;
    if (!walk_string(at, path, key, *members[i].into)) {
      return false;
    }
  } while (at.take(','));
  return at.take('}') || wanted("',' or '}'");
}

bool EventDecoder::State::walk_target(JsonCursor& at, std::string_view path, TargetView& target) {
  std::array<StringMember, 3> members = {
      {{"type", &target.type}, {"id", &target.id}, {"name", &target.name}}};
  if (!walk_strings(at, path, members)) {
    return false;
  }
  // Absent is fine, for a type that stands alone; sent and empty is a mistake.
  if (target.id.data() != nullptr && target.id.empty()) {
    note(path, "id", empty_id);
  }
  return true;
}

bool EventDecoder::State::walk_related(JsonCursor& at, Decoded& out) {
  related.clear();
  if (!at.take('[')) {
    std::string_view raw;
    if (!at.take_value(raw)) {
      return wanted("a value");
    }
    if (raw != "null") {
      note("related", {}, "must be an array");
    }
    return true;
  }
  if (at.take(']')) {
    return true;
  }
  do {
    if (related.size() > limits::related_max) {
      // check_event() will say so; nothing more is kept.
      if (!skip(at)) {
        return false;
      }
      continue;
    }
    TargetView target;
    std::array<char, 16> path{};
    const std::string_view prefix = "related[";
    prefix.copy(path.data(), prefix.size());
    char* end =
        std::to_chars(path.data() + prefix.size(), path.data() + path.size() - 1, related.size())
            .ptr;
    *end++ = ']';
    if (!walk_target(at, {path.data(), static_cast<std::size_t>(end - path.data())}, target)) {
      return false;
    }
    related.push_back(target);
  } while (at.take(','));
  out.event.related = related;
  return at.take(']') || wanted("',' or ']'");
}

bool EventDecoder::State::walk_ts(JsonCursor& at, Decoded& out) {
  constexpr std::string_view rule = "must be an RFC 3339 date-time or integer nanoseconds";
  std::string_view raw;
  if (at.take_string(raw)) {
    std::string_view text;
    if (!unescape(at, raw, text)) {
      return wanted_in(raw, "valid escapes in a string");
    }
    if (auto parsed = parse_rfc3339(text)) {
      out.event.ts = *parsed;
      out.has_ts = true;
    } else {
      note("ts", {}, parsed.error().message);
    }
    return true;
  }
  if (!at.take_value(raw)) {
    return wanted("a value");
  }
  if (raw == "null") {
    return true;
  }
  Nanos value = 0;
  const auto [end, fault] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (fault != std::errc{} || end != raw.data() + raw.size()) {
    note("ts", {}, rule);
    return true;
  }
  out.event.ts = value;
  out.has_ts = true;
  return true;
}

bool EventDecoder::State::walk_affected(JsonCursor& at, std::uint64_t& affected) {
  std::string_view raw;
  if (!at.take_value(raw)) {
    return wanted("a value");
  }
  if (raw == "null") {
    return true;
  }
  const auto [end, fault] = std::from_chars(raw.data(), raw.data() + raw.size(), affected);
  if (fault != std::errc{} || end != raw.data() + raw.size()) {
    affected = 1;
    note("affected", {}, "must be an unsigned integer below 2^64");
  }
  return true;
}

bool EventDecoder::State::walk_member(JsonCursor& at, Member member, Decoded& out) {
  EventView& event = out.event;
  std::string_view text;
  switch (member) {
    case Member::log:
      if (!walk_string(at, "log", {}, text)) {
        return false;
      }
      if (text.data() == nullptr) {
        return true;
      }
      out.log = text;
      if (!is_log_name(text)) {
        note("log", {}, "must match [a-z][a-z0-9_-]{0,31}");
      } else if (text == "docket") {
        note("log", {}, "docket is reserved for the system's own events");
      }
      return true;
    case Member::ts:
      return walk_ts(at, out);
    case Member::actor: {
      std::array<StringMember, 4> members = {{{"kind", &event.actor.kind},
                                              {"id", &event.actor.id},
                                              {"name", &event.actor.name},
                                              {"role", &event.actor.role}}};
      return walk_strings(at, "actor", members);
    }
    case Member::verb:
      if (!walk_string(at, "verb", {}, text)) {
        return false;
      }
      event.verb = upper_verb(text, upper_scratch);
      return true;
    case Member::target:
      return walk_target(at, "target", event.target);
    case Member::related:
      return walk_related(at, out);
    case Member::affected:
      return walk_affected(at, event.affected);
    case Member::ip:
      if (!walk_string(at, "ip", {}, text)) {
        return false;
      }
      if (text.data() != nullptr) {
        event.ip = parse_ip(text);
        if (!event.ip) {
          note("ip", {}, "must be an IPv4 or IPv6 address");
        }
      }
      return true;
    case Member::outcome:
      if (!walk_string(at, "outcome", {}, text)) {
        return false;
      }
      if (text.data() != nullptr) {
        if (const auto outcome = parse_outcome(text)) {
          event.outcome = *outcome;
        } else {
          note("outcome", {}, "must be success, failure or denied");
        }
      }
      return true;
    case Member::reason:
      return walk_string(at, "reason", {}, event.reason);
    case Member::session:
      return walk_string(at, "session", {}, event.session);
    case Member::request:
      return walk_string(at, "request", {}, event.request);
    case Member::payload:
      if (!at.take_value(text)) {
        return wanted("a value");
      }
      if (text.front() == '{') {
        event.payload = text;
      } else if (text != "null") {
        note("payload", {}, "must be a JSON object");
      }
      return true;
    case Member::ignored_seq:
    case Member::ignored_received:
    case Member::ignored_node:
    case Member::unknown:
      break;
  }
  return skip(at);
}

bool EventDecoder::State::walk_event(JsonCursor& at, Decoded& out, Nanos received) {
  out.log = "activity";
  out.event.ts = received;
  if (!at.take('{')) {
    return wanted("'{'");
  }
  if (at.take('}')) {
    return true;
  }
  std::uint32_t seen = 0;
  do {
    std::string_view key;
    if (!walk_key(at, key)) {
      return false;
    }
    member_name = key;
    const Member member = member_of(key);
    const std::uint32_t bit = 1U << static_cast<unsigned>(member);
    if (member == Member::unknown) {
      note({}, key, "unknown member");
    } else if ((seen & bit) != 0) {
      note({}, key, "duplicate member");
    }
    seen |= bit;
    if (!walk_member(at, member, out)) {
      return false;
    }
  } while (at.take(','));
  return at.take('}') || wanted("',' or '}'");
}

Result<EventDecoder::Decoded> EventDecoder::State::decode(std::string_view json,
                                                          const EventRules& rules, Nanos received) {
  if (const char* fault = index.build(json)) {
    return fail(ErrorCode::invalid_argument, "json: " + std::string(fault));
  }
  error.clear();
  expected = nullptr;
  fault_text = {};
  unescaped.clear();
  // A string's value is never longer than its text, so views into this never move.
  unescaped.reserve(json.size());

  Decoded out;
  JsonCursor at(json, index.positions());
  if (!walk_event(at, out, received) || (!at.at_end() && !wanted("the end"))) {
    if (at.too_deep()) {
      note({}, member_name, too_deep);
      return fail(ErrorCode::invalid_argument, error);
    }
    const std::size_t place = fault_text.data() == nullptr
                                  ? at.fault_at()
                                  : static_cast<std::size_t>(fault_text.data() - json.data());
    return fail(ErrorCode::invalid_argument,
                "json: expected " + std::string(expected) + " at byte " + std::to_string(place));
  }
  if (!error.empty()) {
    return fail(ErrorCode::invalid_argument, error);
  }
  if (auto checked = check_event(out.event, rules, received, true); !checked) {
    return fail(std::move(checked).error());
  }
  return out;
}

EventDecoder::EventDecoder() : state_(std::make_unique<State>()) {}
EventDecoder::~EventDecoder() = default;
EventDecoder::EventDecoder(EventDecoder&&) noexcept = default;
EventDecoder& EventDecoder::operator=(EventDecoder&&) noexcept = default;

Result<EventDecoder::Decoded> EventDecoder::decode(std::string_view json, const EventRules& rules,
                                                   Nanos received) {
  return state_->decode(json, rules, received);
}

bool is_json_object(std::string_view json) {
  return is_json_value(json, '{');
}

bool is_json_array(std::string_view json) {
  return is_json_value(json, '[');
}

}  // namespace docket::ingest
