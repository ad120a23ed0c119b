// Takes secrets out of events before anything of them is written.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/result.hpp"
#include "ingest/secret_patterns.hpp"

namespace docket::ingest {

struct RedactionRules {
  // Names of members of a payload, in whatever depth; a `*` at the begin or the end stands for
  // anything. Case and the characters `_`, `-`, `.` and blank do not count.
  std::vector<std::string> keys;
  std::vector<std::string> patterns;  // of secret_pattern_names
  [[nodiscard]] bool is_empty() const { return keys.empty() && patterns.empty(); }
  friend bool operator==(const RedactionRules&, const RedactionRules&) = default;
};

inline constexpr std::size_t redaction_keys_max = 256;
inline constexpr std::size_t redaction_key_bytes_max = 128;
// Error: invalid_argument saying what is wrong with a key, or a pattern's name.
[[nodiscard]] Result<void> check_redaction(const RedactionRules& rules);

// Immutable; thread-safe. In a payload the value of a member whose name is one of the keys, and
// `old` and `new` beside a `field` that names one, become "[redacted]" as a whole, null and empty
// ones too; within all other strings, and for numbers, what looks like a pattern does. What was
// escaped in such a string makes it "[redacted]" as a whole. The payload stays one JSON object; its
// other bytes stay as they are. One that would be longer than is allowed becomes
// {"payload":"[redacted]"}. Names of members are looked at as other strings are.
class Redactor {
 public:
  // Precondition: check_redaction().
  explicit Redactor(const RedactionRules& rules);

  // Whether there is anything to be taken out of a payload, one valid JSON object; then `out` is
  // what is left.
  [[nodiscard]] bool payload(std::string_view json, std::size_t bytes_max, std::string& out) const;
  // The same for any other text, by the patterns alone. Never longer than the text.
  [[nodiscard]] bool text(std::string_view text, std::string& out) const {
    return patterns_ != 0 && replace_secrets(text, patterns_, out);
  }

  // What an event's views point to once it is redacted. Reuse it.
  struct Scratch {
    std::vector<std::string> texts;
    std::vector<TargetView> related;
  };
  // Takes all out of an event that keeps its rules: from the payload, names, the role, reason,
  // session and request. Ids, types and verbs are what an event is found by and stay. The views are
  // valid until the next call.
  void apply(EventView& event, std::size_t payload_bytes_max, Scratch& scratch) const;

 private:
  struct Key {
    std::string text;  // folded
    bool any_before = false;
    bool any_behind = false;
  };
  struct Walk;
  [[nodiscard]] bool is_key(std::string_view name, std::string& scratch) const;

  std::set<std::string, std::less<>> names_;  // folded
  std::vector<Key> keys_;                     // those with a star
  SecretPatterns patterns_ = 0;
};

// The redactor in effect; null: there are no rules. Thread-safe.
using CurrentRedactor = std::function<std::shared_ptr<const Redactor>()>;

}  // namespace docket::ingest
