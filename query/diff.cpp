#include "query/diff.hpp"

#include <algorithm>

#include "engine/assert.hpp"
#include "query/render.hpp"

namespace docket::query {

namespace {

bool matches_text(const Match& match, std::string_view text) {
  return match.prefix ? text.starts_with(match.text) : text == match.text;
}

}  // namespace

bool diff_matches(Field field, const Match& match, const std::vector<DiffEntry>& diff) {
  DOCKET_ASSERT(field == Field::changed || field == Field::old_value || field == Field::new_value);
  return std::any_of(diff.begin(), diff.end(), [&](const DiffEntry& entry) {
    if (field == Field::changed) {
      return index::any_changed_name(entry.field, entry.is_path, [&](std::string_view name) {
        return matches_text(match, name);
      });
    }
    const std::optional<std::string>& value =
        field == Field::old_value ? entry.old_value : entry.new_value;
    return value.has_value() && matches_text(match, *value);
  });
}

std::vector<FieldChange> payload_changes(std::string_view payload) {
  std::vector<FieldChange> changes;
  index::PayloadTree tree;
  if (!tree.read(payload)) {
    return changes;
  }
  visit_diff(tree, [&changes](std::string_view field, bool, const index::PayloadNode* before,
                              const index::PayloadNode* after) {
    changes.push_back({std::string(field),
                       before != nullptr ? std::string(before->raw) : std::string(),
                       after != nullptr ? std::string(after->raw) : std::string()});
  });
  return changes;
}

}  // namespace docket::query
