#include "ingest/redactor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "ingest/json_cursor.hpp"
#include "ingest/json_index.hpp"

namespace docket::ingest {
namespace {

constexpr std::string_view redacted_value = "\"[redacted]\"";
constexpr std::string_view redacted_payload = R"({"payload":"[redacted]"})";

// A name without what does not count in it.
void fold(std::string_view name, std::string& out) {
  out.clear();
  for (const char c : name) {
    if (c != '_' && c != '-' && c != '.' && c != ' ') {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
}

// A part of a payload, and what is to stand there.
struct Edit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string instead;
};

}  // namespace

Result<void> check_redaction(const RedactionRules& rules) {
  if (rules.keys.size() > redaction_keys_max) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("keys: there are more than {}", redaction_keys_max));
  }
  std::string folded;
  for (const std::string& key : rules.keys) {
    fold(key, folded);
    if (folded.find_first_not_of('*') == std::string::npos ||
        key.size() > redaction_key_bytes_max ||
        std::string_view(folded).substr(1, folded.size() - 2).find('*') != std::string_view::npos) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("keys: '{}' is none; a name of at most {} bytes is, with a * at the "
                              "begin or the end where anything may stand",
                              key, redaction_key_bytes_max));
    }
  }
  for (const std::string& pattern : rules.patterns) {
    if (std::ranges::find(secret_pattern_names, pattern) == secret_pattern_names.end()) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("patterns: '{}' is none; known: {}", pattern,
                              fmt::join(secret_pattern_names, ", ")));
    }
  }
  return {};
}

Redactor::Redactor(const RedactionRules& rules) {
  for (const std::string& text : rules.keys) {
    Key key;
    fold(text, key.text);
    key.any_before = key.text.starts_with('*');
    key.any_behind = key.text.ends_with('*');
    key.text.erase(0, key.any_before ? 1 : 0);
    key.text.erase(key.text.size() - (key.any_behind ? 1 : 0));
    if (key.any_before || key.any_behind) {
      keys_.push_back(std::move(key));
    } else {
      names_.insert(std::move(key.text));
    }
  }
  for (const std::string& pattern : rules.patterns) {
    const auto* const found = std::ranges::find(secret_pattern_names, pattern);
    patterns_ = static_cast<SecretPatterns>(
        patterns_ | bit_of(static_cast<SecretPattern>(found - secret_pattern_names.begin())));
  }
}

bool Redactor::is_key(std::string_view name, std::string& scratch) const {
  fold(name, scratch);
  const std::string_view folded = scratch;
  return names_.contains(folded) || std::ranges::any_of(keys_, [folded](const Key& key) {
           if (key.any_before && key.any_behind) {
             return folded.find(key.text) != std::string_view::npos;
           }
           return key.any_before ? folded.ends_with(key.text) : folded.starts_with(key.text);
         });
}

// One walk over a payload. Depth is bounded by the check that came before.
struct Redactor::Walk {
  const Redactor& redactor;
  std::string_view json;
  JsonCursor at;
  std::vector<Edit> edits{};  // ascending; none within another
  std::string scratch{}, folded{}, unescaped{};

  // Where a member's value stands.
  struct Place {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  // The end of the value that has just been stepped over.
  [[nodiscard]] std::size_t end_of_value() const {
    std::size_t end = at.fault_at();
    while (JsonCursor::is_space(json[end - 1])) {
      --end;
    }
    return end;
  }

  // What the string says; where its escapes say nothing that UTF-8 can hold, as it stands.
  std::string_view said(std::string_view raw) {
    if (raw.find('\\') == std::string_view::npos) {
      return raw;
    }
    unescaped.clear();
    return append_unescaped(unescaped, raw) ? std::string_view(unescaped) : raw;
  }

  // Of a path as diffs have it, `settings.api_key` or `/settings/api_key`: the last part, too.
  bool names_key(std::string_view field) {
    const std::size_t last = field.find_last_of("./");
    return redactor.is_key(field, folded) ||
           (last != std::string_view::npos && redactor.is_key(field.substr(last + 1), folded));
  }

  // What stands behind all that has been replaced so far.
  void replace(std::size_t begin, std::size_t end, std::string_view instead) {
    edits.push_back({begin, end, std::string(instead)});
  }
  // The value of a member that has been walked over: what was replaced in it goes with it. Its
  // object has just ended, so it is near the end of the edits.
  void replace_again(const Place& place) {
    const auto first = std::ranges::lower_bound(edits, place.begin, {}, &Edit::begin);
    const auto last = std::ranges::lower_bound(edits, place.end, {}, &Edit::begin);
    edits.insert(edits.erase(first, last),
                 Edit{place.begin, place.end, std::string(redacted_value)});
  }

  bool string(std::string_view& raw) {
    const std::size_t begin = at.fault_at();
    if (!at.take_string(raw)) {
      return false;
    }
    if (redactor.patterns_ == 0) {
      return true;
    }
    if (raw.find('\\') == std::string_view::npos) {
      if (redactor.text(raw, scratch)) {
        replace(begin + 1, begin + 1 + raw.size(), scratch);
      }
      return true;
    }
    // Half of a surrogate pair says nothing; what it stands with cannot be judged.
    unescaped.clear();
    if (!append_unescaped(unescaped, raw) || redactor.text(unescaped, scratch)) {
      replace(begin, begin + raw.size() + 2, redacted_value);
    }
    return true;
  }

  bool scalar() {
    const std::size_t begin = at.fault_at();
    std::string_view token;
    if (!at.take_scalar(token)) {
      return false;
    }
    if (redactor.text(token, scratch)) {
      replace(begin, begin + token.size(), redacted_value);
    }
    return true;
  }

  bool array() {
    if (!at.take('[')) {
      return false;
    }
    if (at.take(']')) {
      return true;
    }
    do {
      if (!value()) {
        return false;
      }
    } while (at.take(','));
    return at.take(']');
  }

  bool object() {
    if (!at.take('{')) {
      return false;
    }
    if (at.take('}')) {
      return true;
    }
    bool field_is_key = false;
    std::vector<Place> sides;  // the values of `old` and `new`
    do {
      std::string_view raw;
      if (!string(raw) || !at.take(':')) {
        return false;
      }
      const std::string name(said(raw));
      const std::size_t begin = at.fault_at();
      const bool is_field = name == "field" && at.peek() == '"';
      if (redactor.is_key(name, folded)) {
        std::string_view ignored;
        if (!at.take_value(ignored)) {
          return false;
        }
        replace(begin, end_of_value(), redacted_value);
        continue;
      }
      if (!value()) {
        return false;
      }
      const std::size_t end = end_of_value();
      if (is_field) {
        field_is_key = field_is_key || names_key(said(json.substr(begin + 1, end - begin - 2)));
      } else if (name == "old" || name == "new") {
        sides.push_back({begin, end});
      }
    } while (at.take(','));
    if (field_is_key) {
      for (const Place& side : sides) {
        replace_again(side);
      }
    }
    return at.take('}');
  }

  bool value() {
    switch (at.peek()) {
      case '{':
        return object();
      case '[':
        return array();
      case '"': {
        std::string_view ignored;
        return string(ignored);
      }
      default:
        return scalar();
    }
  }
};

bool Redactor::payload(std::string_view json, std::size_t bytes_max, std::string& out) const {
  thread_local JsonIndex index;
  if (index.build(json) != nullptr) {
    out = redacted_payload;  // no payload, against the precondition: better nothing than a secret
    return true;
  }
  Walk walk{*this, json, JsonCursor(json, index.positions())};
  if (!walk.value()) {
    out = redacted_payload;
    return true;
  }
  if (walk.edits.empty()) {
    return false;
  }
  out.clear();
  std::size_t copied = 0;
  for (const Edit& edit : walk.edits) {
    out += json.substr(copied, edit.begin - copied);
    out += edit.instead;
    copied = edit.end;
  }
  out += json.substr(copied);
  if (out.size() > bytes_max) {
    out = redacted_payload;
  }
  return true;
}

void Redactor::apply(EventView& event, std::size_t payload_bytes_max, Scratch& scratch) const {
  // Related targets may be many: room first, so that no text moves while views are upon it.
  constexpr std::size_t fields = 8;
  scratch.texts.resize(std::max(scratch.texts.size(), fields + event.related.size()));
  std::size_t used = 0;
  const auto clean = [&](std::string_view& field) {
    if (!field.empty() && text(field, scratch.texts[used])) {
      field = scratch.texts[used++];
      return true;
    }
    return false;
  };
  for (std::string_view* field : {&event.actor.name, &event.actor.role, &event.target.name,
                                  &event.reason, &event.session, &event.request}) {
    static_cast<void>(clean(*field));
  }
  scratch.related.assign(event.related.begin(), event.related.end());
  bool is_changed = false;
  for (TargetView& target : scratch.related) {
    is_changed = clean(target.name) || is_changed;
  }
  if (is_changed) {
    event.related = scratch.related;
  }
  if (!event.payload.empty() && payload(event.payload, payload_bytes_max, scratch.texts[used])) {
    event.payload = scratch.texts[used];
  }
}

}  // namespace docket::ingest
