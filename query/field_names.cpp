#include "query/field_names.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "query/near_names.hpp"
#include "query/parser.hpp"

namespace docket::query {

namespace {

struct NamedField {
  std::string_view name;
  TypedField typed;
};

constexpr std::array named_fields = {
    NamedField{"log", {Field::log}},
    NamedField{"actor", {Field::actor}},
    NamedField{"actor.kind", {Field::actor_kind}},
    NamedField{"actor.id", {Field::actor_id}},
    NamedField{"actor.name", {Field::actor_name}},
    NamedField{"actor.role", {Field::actor_role}},
    NamedField{"verb", {Field::verb}},
    NamedField{"target", {Field::target}},
    NamedField{"target.type", {Field::target_type}},
    NamedField{"target.id", {Field::target_id}},
    NamedField{"target.name", {Field::target_name}},
    NamedField{"ip", {Field::ip}},
    NamedField{"outcome", {Field::outcome}},
    NamedField{"reason", {Field::reason}},
    NamedField{"session", {Field::session}},
    NamedField{"request", {Field::request}},
    NamedField{"node", {Field::node}},
    NamedField{"seq", {Field::seq}},
    NamedField{"payload", {Field::payload}},
    NamedField{"changed", {Field::changed}},
    NamedField{"old", {Field::old_value}},
    NamedField{"new", {Field::new_value}},
    NamedField{"since", {Field::time, TypedTime::since}},
    NamedField{"until", {Field::time, TypedTime::until}},
    NamedField{"on", {Field::time, TypedTime::on}},
};

// What people type who know another log tool, and the field they mean.
struct OtherWord {
  std::string_view word;
  std::string_view name;
};
constexpr std::array other_words = {
    OtherWord{"user", "actor"},     OtherWord{"who", "actor"},
    OtherWord{"by", "actor"},       OtherWord{"role", "actor.role"},
    OtherWord{"action", "verb"},    OtherWord{"event", "verb"},
    OtherWord{"object", "target"},  OtherWord{"resource", "target"},
    OtherWord{"status", "outcome"}, OtherWord{"result", "outcome"},
    OtherWord{"address", "ip"},     OtherWord{"from", "since"},
    OtherWord{"after", "since"},    OtherWord{"start", "since"},
    OtherWord{"to", "until"},       OtherWord{"before", "until"},
    OtherWord{"end", "until"},      OtherWord{"date", "on"},
    OtherWord{"day", "on"},         OtherWord{"time", "since"},
    OtherWord{"host", "node"},
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return result;
}

// A name's near ones: few edits away, or it is one's last part (`type` for target.type).
bool is_near_field(std::string_view word, std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot != std::string_view::npos && name.substr(dot + 1) == word) {
    return true;
  }
  return is_near_name(word, name);
}

}  // namespace

std::optional<TypedField> find_typed_field(std::string_view name) {
  for (const NamedField& named : named_fields) {
    if (named.name == name) {
      return named.typed;
    }
  }
  return std::nullopt;
}

std::vector<std::string_view> field_names() {
  std::vector<std::string_view> names;
  for (const NamedField& named : named_fields) {
    names.push_back(named.name);
  }
  return names;
}

std::string near_field_names(std::string_view name) {
  const std::string word = lower(name);
  std::string near;
  std::string all;
  const auto add = [](std::string& list, std::string_view item) {
    list += list.empty() ? "" : ", ";
    list += item;
  };
  for (const NamedField& named : named_fields) {
    add(all, named.name);
    const bool meant = std::any_of(
        other_words.begin(), other_words.end(),
        [&](const OtherWord& other) { return other.word == word && other.name == named.name; });
    if (meant || is_near_field(word, named.name)) {
      add(near, named.name);
    }
  }
  return near.empty() ? all : near;
}

std::string_view field_name(Field field) {
  for (const NamedField& named : named_fields) {
    if (named.typed.field == field && named.typed.time == TypedTime::none) {
      return named.name;
    }
  }
  return field == Field::time ? "time" : "text";
}

std::optional<Field> find_field(std::string_view name) {
  const std::optional<TypedField> typed = find_typed_field(name);
  return typed.has_value() ? std::optional(typed->field) : std::nullopt;
}

}  // namespace docket::query
