#include "query/field_names.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

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

constexpr std::size_t compared_bytes_max = 24;  // nothing longer is near any name

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return result;
}

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// A name's near ones: few edits away, or it is one's last part (`type` for target.type).
bool is_near(std::string_view word, std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot != std::string_view::npos && name.substr(dot + 1) == word) {
    return true;
  }
  const std::size_t edits_max = std::min(word.size(), name.size()) <= 4 ? 1 : 2;
  return edit_distance(word, name) <= edits_max;
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
    if (meant || (word.size() <= compared_bytes_max && is_near(word, named.name))) {
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
