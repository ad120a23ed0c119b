// The words the generated events are made of: a mail platform's actors, objects and actions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/event.hpp"

namespace docket::load {

enum class Surface : std::uint8_t { activity, campaign, api, authentication };
inline constexpr std::size_t surface_count = 4;
inline constexpr std::array<std::string_view, surface_count> surface_names{"activity", "campaign",
                                                                           "api", "authentication"};

enum class ActorKind : std::uint8_t { user, admin, api_token, system };
inline constexpr std::size_t actor_kind_count = 4;
inline constexpr std::array<std::string_view, actor_kind_count> actor_kind_names{
    "user", "admin", "api_token", "system"};

// A type of object that events are about. Contacts are made up on the fly, the others are a table.
struct ObjectType {
  std::string_view name;
  std::uint32_t objects = 0;
  std::string_view title;  // names read "<adjective> <title> <number>"
};
inline constexpr std::uint8_t contact_type = 0;
inline constexpr std::array<ObjectType, 19> object_types{{
    {"Contact", std::uint32_t{1} << 21, ""},
    {"List", 3000, "list"},
    {"CustomField", 800, "field"},
    {"Segment", 6000, "segment"},
    {"Broadcast", 24000, "broadcast"},
    {"Drip", 2500, "series"},
    {"Trigger", 3500, "trigger"},
    {"SendingNode", 40, "node"},
    {"SendingDomain", 700, "domain"},
    {"BounceAddress", 300, "mailbox"},
    {"BounceRule", 160, "rule"},
    {"WebForm", 1800, "form"},
    {"Suppression", 9000, "suppression"},
    {"ApiToken", 1000, "token"},
    {"ApiRole", 60, "API role"},
    {"AdminRole", 24, "admin role"},
    {"Administrator", 400, "administrator"},
    {"User", 3600, "user"},
    {"Domain", 500, "domain"},
}};

// What happens on a surface: a verb on a type, how often, and how.
struct Action {
  Surface surface = Surface::activity;
  std::string_view verb;
  std::string_view type;
  double weight = 0;          // within its surface
  std::uint8_t diff = 0;      // per cent of these events that carry a diff
  std::uint8_t failed = 0;    // per cent that fail,
  std::uint8_t denied = 0;    // and that are denied
  std::uint8_t bulk = 0;      // per cent that touch many objects at once
  std::uint8_t related = 0;   // per cent that name further targets
  std::string_view reason{};  // of a failure; empty: one of general_reasons
};
[[nodiscard]] std::span<const Action> actions();

inline constexpr std::array<std::string_view, 6> general_reasons{
    "rate_limited",  "validation_failed", "quota_exceeded",
    "not_permitted", "conflict",          "token_expired"};

// A field of an object's settings, and what its values look like in a diff.
struct DiffField {
  enum class Form : std::uint8_t { number, choice, flag, words, address };
  std::string_view name;
  Form form = Form::number;
  std::uint32_t low = 0;                      // number: from `low`,
  std::uint32_t steps = 1;                    // this many steps,
  std::uint32_t step = 1;                     // of this width
  std::span<const std::string_view> choices;  // choice: JSON texts
};
// The fields of objects of this type.
[[nodiscard]] std::span<const DiffField> diff_fields(std::uint8_t type);

// 128 words and names each; some are not ASCII, as in life.
[[nodiscard]] std::span<const std::string_view> words();
[[nodiscard]] std::span<const std::string_view> first_names();
[[nodiscard]] std::span<const std::string_view> last_names();
[[nodiscard]] std::span<const std::string_view> mail_domains();
[[nodiscard]] std::span<const std::string_view> roles(ActorKind kind);

}  // namespace docket::load
