// Arbitrary bytes as a payload whose diff is read.
//
// Invariants:
//   D1  Reading neither crashes nor reads outside of the payload, and a reader that has seen one
//       payload reads the next as a fresh one would.
//   D2  payload_changes() and DiffReader see the same fields in the same order, and a side is
//       missing in one where it is missing in the other.
//   D3  `changed:` finds each name of changed_fields(), `old:` and `new:` each entry's values.
//   D4  {"before":X,"after":X} of any JSON object X has no change.
//   D5  What PayloadTree takes simdjson takes, too, but for halves of surrogate pairs, and has the
//       same values with the same texts in the same order; and what is let in as a payload and
//       simdjson takes, PayloadTree takes.
//   D6  The diff is that of a plain comparison of simdjson's values.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/assert.hpp"
#include "index/escaped_strings.hpp"
#include "index/payload_diff.hpp"
#include "index/payload_tree.hpp"
#include "ingest/event_json.hpp"
#include "query/diff.hpp"
#include "query/render.hpp"
#include "tests/fuzz/simdjson_payload.hpp"

namespace {

using docket::query::DiffEntry;
using docket::query::Field;
using docket::query::Match;

bool finds(Field field, const std::string& text, const std::vector<DiffEntry>& diff) {
  Match match;
  match.text = text;
  return diff_matches(field, match, diff);
}

void check_same(const std::vector<DiffEntry>& diff, std::string_view payload) {
  const auto changes = docket::query::payload_changes(payload);
  DOCKET_ASSERT(changes.size() == diff.size());
  for (std::size_t i = 0; i < diff.size(); ++i) {
    DOCKET_ASSERT(changes[i].path == diff[i].field);
    DOCKET_ASSERT(changes[i].before.empty() == !diff[i].old_value.has_value());
    DOCKET_ASSERT(changes[i].after.empty() == !diff[i].new_value.has_value());
  }
}

void check_same(const docket::index::PayloadTree& tree, const docket::index::PayloadNode& node,
                const docket::testing::SimdjsonValue& value) {
  DOCKET_ASSERT(static_cast<int>(node.kind) == static_cast<int>(value.kind));
  DOCKET_ASSERT(node.key == value.key);
  DOCKET_ASSERT(node.raw == value.raw);
  DOCKET_ASSERT(node.text == value.text);
  DOCKET_ASSERT(node.children == value.children.size());
  std::size_t i = 0;
  tree.each_child(node, [&](const docket::index::PayloadNode& child) {
    DOCKET_ASSERT(i < value.children.size());
    check_same(tree, child, value.children[i++]);
    return true;
  });
  DOCKET_ASSERT(i == value.children.size());
}

using docket::testing::SimdjsonValue;

const SimdjsonValue* member(const SimdjsonValue& object, std::string_view key) {
  for (const SimdjsonValue& child : object.children) {
    if (object.kind == SimdjsonValue::Kind::object && child.key == key) {
      return &child;
    }
  }
  return nullptr;
}

std::optional<std::string> text_of(const SimdjsonValue* value) {
  return value == nullptr ? std::nullopt : std::optional(value->text);
}

// As index/payload_diff.hpp says it, without any care for speed.
class PlainDiff {
 public:
  explicit PlainDiff(const SimdjsonValue& payload) {
    const SimdjsonValue* changes = member(payload, "changes");
    if (changes != nullptr && changes->kind == SimdjsonValue::Kind::array) {
      for (const SimdjsonValue& change : changes->children) {
        const SimdjsonValue* field = member(change, "field");
        if (field != nullptr && field->kind == SimdjsonValue::Kind::string) {
          entries.push_back(
              {field->text, text_of(member(change, "old")), text_of(member(change, "new")), false});
        }
      }
      return;
    }
    const SimdjsonValue* before = member(payload, "before");
    const SimdjsonValue* after = member(payload, "after");
    if (is_side(before) && is_side(after)) {
      before = before->raw == "null" ? nullptr : before;
      after = after->raw == "null" ? nullptr : after;
      if (has_children(before) || has_children(after)) {
        compare("", before, after);
      }
    }
  }

  std::vector<DiffEntry> entries;

 private:
  static bool is_side(const SimdjsonValue* value) {
    return value != nullptr && (value->kind == SimdjsonValue::Kind::object || value->raw == "null");
  }
  static bool has_children(const SimdjsonValue* value) {
    return value != nullptr && !value->children.empty();
  }
  static bool are(SimdjsonValue::Kind kind, const SimdjsonValue* before,
                  const SimdjsonValue* after) {
    if (before != nullptr && after != nullptr) {
      return before->kind == kind && after->kind == kind;
    }
    const SimdjsonValue* one = before != nullptr ? before : after;
    return one != nullptr && one->kind == kind && has_children(one);
  }

  void compare(const std::string& path, const SimdjsonValue* before, const SimdjsonValue* after) {
    const bool may_descend = path.size() <= docket::index::container_path_bytes_max;
    if (may_descend && are(SimdjsonValue::Kind::object, before, after)) {
      for (const SimdjsonValue* side : {before, after}) {
        for (std::size_t i = 0; side != nullptr && i < side->children.size(); ++i) {
          const SimdjsonValue& child = side->children[i];
          const bool is_first = member(*side, child.key) == &child;
          const bool is_told =
              side == after && before != nullptr && member(*before, child.key) != nullptr;
          if (is_first && !is_told) {
            compare(path.empty() ? child.key : path + "." + child.key,
                    before == nullptr ? nullptr : member(*before, child.key),
                    after == nullptr ? nullptr : member(*after, child.key));
          }
        }
      }
    } else if (may_descend && are(SimdjsonValue::Kind::array, before, after)) {
      const auto element = [](const SimdjsonValue* side, std::size_t i) {
        return side != nullptr && i < side->children.size() ? &side->children[i] : nullptr;
      };
      for (std::size_t i = 0; element(before, i) != nullptr || element(after, i) != nullptr; ++i) {
        compare(path + "[" + std::to_string(i) + "]", element(before, i), element(after, i));
      }
    } else if (before == nullptr || after == nullptr || before->kind != after->kind ||
               before->text != after->text) {
      entries.push_back({path, text_of(before), text_of(after), true});
    }
  }
};

// Whether some string holds one, as simdjson refuses them.
bool has_half_of_a_pair(const std::string& payload) {
  std::size_t at = 0;
  for (std::string_view raw = docket::index::next_escaped_string(payload, at); !raw.empty();
       raw = docket::index::next_escaped_string(payload, at)) {
    std::string text;
    docket::index::append_unescaped(text, raw);
    if (text.find("\uFFFD") != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static docket::query::DiffReader reader;
  const std::string payload(reinterpret_cast<const char*>(data), size);
  const std::vector<DiffEntry> diff = reader.read(payload);
  DOCKET_ASSERT(docket::query::DiffReader().read(payload) == diff);
  check_same(diff, payload);
  for (const std::string& name : changed_fields(diff)) {
    DOCKET_ASSERT(finds(Field::changed, name, diff));
  }
  for (const DiffEntry& entry : diff) {
    DOCKET_ASSERT(!entry.old_value || finds(Field::old_value, *entry.old_value, diff));
    DOCKET_ASSERT(!entry.new_value || finds(Field::new_value, *entry.new_value, diff));
  }
  docket::index::PayloadTree tree;
  const auto expected = docket::testing::simdjson_payload(payload);
  if (tree.read(payload)) {
    if (expected) {
      check_same(tree, tree.root(), *expected);
      DOCKET_ASSERT(PlainDiff(*expected).entries == diff);
    } else {
      DOCKET_ASSERT(has_half_of_a_pair(payload));
    }
    DOCKET_ASSERT(reader.read("{\"before\":" + payload + ",\"after\":" + payload + "}").empty());
  } else {
    DOCKET_ASSERT(!expected || !docket::ingest::is_json_object(payload));
  }
  return 0;
}
