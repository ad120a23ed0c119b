// The event: who did what, to which target, from where, when. The contract with users.
//
// EventView is the currency of hot paths (decoders, builders, generators): it owns nothing and is
// valid as long as the bytes behind it. Event owns its strings and is meant to be reused from row
// to row, so that its strings keep their capacity.
//
// An empty string means "absent" for every optional string.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/limits.hpp"
#include "engine/result.hpp"

namespace docket {

enum class Outcome : std::uint8_t { success = 0, failure = 1, denied = 2 };

[[nodiscard]] std::string_view to_string(Outcome outcome);
// Ignores ASCII case; nullopt for anything else.
[[nodiscard]] std::optional<Outcome> parse_outcome(std::string_view text);

// 16 bytes; IPv4 is stored as IPv4-mapped IPv6 (::ffff:a.b.c.d).
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] bool is_v4() const;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

// IPv4 dotted quad or IPv6 text without zone or brackets. nullopt when it is neither.
[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text);
// RFC 5952; IPv4(-mapped) as a dotted quad.
[[nodiscard]] std::string format_ip(const IpAddress& ip);
// Writes the same to where there is room for ip_chars_max; returns its end.
inline constexpr std::size_t ip_chars_max = 39;
char* write_ip(char* to, const IpAddress& ip);

struct ActorView {
  std::string_view kind, id, name, role;
};

struct TargetView {
  std::string_view type, id, name;
  friend bool operator==(const TargetView&, const TargetView&) = default;
};

struct EventView {
  Nanos ts = 0;
  ActorView actor;
  std::string_view verb;
  TargetView target;
  std::span<const TargetView> related;
  std::uint64_t affected = 1;
  std::optional<IpAddress> ip;
  Outcome outcome = Outcome::success;
  std::string_view reason, session, request;
  std::string_view payload;  // a JSON object's exact bytes, or empty
};

struct Actor {
  std::string kind, id, name, role;
  friend bool operator==(const Actor&, const Actor&) = default;
};

struct Target {
  std::string type, id, name;
  friend bool operator==(const Target&, const Target&) = default;
};

struct Event {
  // Given by the server.
  std::string log;
  Seq seq;
  Nanos received = 0;
  std::string node;
  // As sent.
  Nanos ts = 0;
  Actor actor;
  std::string verb;
  Target target;
  std::vector<Target> related;
  std::uint64_t affected = 1;
  std::optional<IpAddress> ip;
  Outcome outcome = Outcome::success;
  std::string reason, session, request;
  std::string payload;

  friend bool operator==(const Event&, const Event&) = default;
};

// `related_scratch` holds the views of e.related; both must outlive the result.
[[nodiscard]] EventView view_of(const Event& e, std::vector<TargetView>& related_scratch);
// Sets what a sender gives of `event` to what is seen, and leaves what the server gives.
void assign(Event& event, const EventView& view);

// --- the rules -----------------------------------------------------------------------------------

struct EventRules {
  std::size_t payload_bytes_max = limits::payload_bytes_default;
};

// `[a-z][a-z0-9_-]{0,31}`.
[[nodiscard]] bool is_log_name(std::string_view name);
// Valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text);

// Checks every rule of the event but two: that the payload is a JSON object (the decoders do that,
// they hold the parser), and that strings are valid UTF-8 where `strings_are_utf8` says that a JSON
// parser has already proven it. `verb` must be upper-case already (see upper_verb).
// Error: invalid_argument, "field: rule".
[[nodiscard]] Result<void> check_event(const EventView& event, const EventRules& rules,
                                       Nanos received, bool strings_are_utf8);

// ASCII upper-case; other bytes are kept. Returns the input itself where nothing changes, else
// writes to `scratch` and returns a view of it.
[[nodiscard]] std::string_view upper_verb(std::string_view verb, std::string& scratch);

}  // namespace docket
