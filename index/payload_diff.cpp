#include "index/payload_diff.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace docket::index {

namespace {

using Kind = PayloadNode::Kind;

// The members of an object by key. Of a key given twice the first counts.
class Members {
 public:
  Members(const PayloadTree& tree, const PayloadNode* object) : tree_(tree), object_(object) {
    if (object == nullptr || object->children <= searched_max) {
      return;
    }
    // A payload is a stranger's input: wide objects compare in n log n.
    by_key_.reserve(object->children);
    tree.each_child(*object, [this](const PayloadNode& child) {
      by_key_.push_back(&child);
      return true;
    });
    // Nodes stand in document order in one array, so that the first of equal keys comes first.
    std::sort(by_key_.begin(), by_key_.end(), [](const PayloadNode* a, const PayloadNode* b) {
      const int order = a->key.compare(b->key);
      return order != 0 ? order < 0 : a < b;
    });
    by_key_.erase(
        std::unique(by_key_.begin(), by_key_.end(),
                    [](const PayloadNode* a, const PayloadNode* b) { return a->key == b->key; }),
        by_key_.end());
  }

  [[nodiscard]] const PayloadNode* find(std::string_view key) const {
    if (by_key_.empty()) {
      return object_ == nullptr ? nullptr : tree_.member(*object_, key);
    }
    const auto it =
        std::lower_bound(by_key_.begin(), by_key_.end(), key,
                         [](const PayloadNode* node, std::string_view k) { return node->key < k; });
    return it != by_key_.end() && (*it)->key == key ? *it : nullptr;
  }

 private:
  // Looking at that many keys is faster than sorting them.
  static constexpr std::uint32_t searched_max = 16;

  const PayloadTree& tree_;
  const PayloadNode* object_;
  std::vector<const PayloadNode*> by_key_;
};

// Walks `before` and `after` side by side. The path is one buffer that grows and shrinks. Below a
// path of `container_path_bytes_max` bytes it does not descend: every leaf repeats the path.
class Comparer {
 public:
  Comparer(const PayloadTree& tree, const VisitChange& visit) : tree_(tree), visit_(visit) {}

  // Null on one side: everything on the other was added or removed.
  void compare(const PayloadNode* before, const PayloadNode* after) {
    if (path_.size() <= container_path_bytes_max) {
      if (holds(before, after, Kind::object)) {
        return compare_members(before, after);
      }
      if (holds(before, after, Kind::array)) {
        return compare_elements(before, after);
      }
    }
    // Different halves of surrogate pairs have the same text.
    const bool equal = before != nullptr && after != nullptr && before->kind == after->kind &&
                       before->text == after->text &&
                       (before->raw == after->raw || !(before->has_half || after->has_half));
    if (!equal) {
      visit_(path_, true, before, after);
    }
  }

 private:
  // Whether both sides can be walked as containers of one kind. An empty container that was added
  // or removed is a value of its own (`{}`), else nothing would tell of it.
  static bool holds(const PayloadNode* before, const PayloadNode* after, Kind kind) {
    if (before != nullptr && after != nullptr) {
      return before->kind == kind && after->kind == kind;
    }
    const PayloadNode* one = before != nullptr ? before : after;
    return one != nullptr && one->kind == kind && one->children != 0;
  }

  void compare_members(const PayloadNode* before, const PayloadNode* after) {
    const Members old_members(tree_, before);
    const Members new_members(tree_, after);
    if (before != nullptr) {
      tree_.each_child(*before, [&](const PayloadNode& node) {
        if (old_members.find(node.key) == &node) {
          descend_member(node.key, &node, new_members.find(node.key));
        }
        return true;
      });
    }
    if (after != nullptr) {
      tree_.each_child(*after, [&](const PayloadNode& node) {
        if (new_members.find(node.key) == &node && old_members.find(node.key) == nullptr) {
          descend_member(node.key, nullptr, &node);
        }
        return true;
      });
    }
  }

  void descend_member(std::string_view key, const PayloadNode* before, const PayloadNode* after) {
    const std::size_t length = path_.size();
    if (length != 0) {
      path_ += '.';
    }
    path_ += key;
    compare(before, after);
    path_.resize(length);
  }

  void compare_elements(const PayloadNode* before, const PayloadNode* after) {
    const PayloadNode* old_element = first_child(before);
    const PayloadNode* new_element = first_child(after);
    for (std::size_t i = 0; old_element != nullptr || new_element != nullptr; ++i) {
      const std::size_t length = path_.size();
      path_ += '[';
      path_ += std::to_string(i);
      path_ += ']';
      compare(old_element, new_element);
      path_.resize(length);
      old_element = behind(old_element, before);
      new_element = behind(new_element, after);
    }
  }

  [[nodiscard]] const PayloadNode* first_child(const PayloadNode* container) const {
    return container == nullptr || container->children == 0
               ? nullptr
               : &tree_.node(tree_.number_of(*container) + 1);
  }
  // The child behind `child`; null behind the last one.
  [[nodiscard]] const PayloadNode* behind(const PayloadNode* child,
                                          const PayloadNode* container) const {
    return child == nullptr || child->end == container->end ? nullptr : &tree_.node(child->end);
  }

  const PayloadTree& tree_;
  const VisitChange& visit_;
  std::string path_;
};

template <std::size_t bytes>
bool is_key(const PayloadNode& node, const char (&key)[bytes]) {
  return node.key.size() == bytes - 1 && std::memcmp(node.key.data(), key, bytes - 1) == 0;
}

void visit_changes(const PayloadTree& tree, const PayloadNode& changes, const VisitChange& visit) {
  tree.each_child(changes, [&](const PayloadNode& change) {
    if (change.kind != Kind::object) {
      return true;
    }
    // The first member of each name, as PayloadTree::member() would find them one by one.
    const PayloadNode* field = nullptr;
    const PayloadNode* before = nullptr;
    const PayloadNode* after = nullptr;
    tree.each_child(change, [&](const PayloadNode& member) {
      const PayloadNode** const found = is_key(member, "field") ? &field
                                        : is_key(member, "old") ? &before
                                        : is_key(member, "new") ? &after
                                                                : nullptr;
      if (found != nullptr && *found == nullptr) {
        *found = &member;
      }
      return true;
    });
    if (field != nullptr && field->kind == Kind::string) {
      visit(field->text, false, before, after);
    }
    return true;
  });
}

bool is_null(const PayloadNode& node) {
  return node.raw == "null";
}

// An object, or null where the thing did not exist before or does not exist after.
bool is_side(const PayloadNode* node) {
  return node != nullptr && (node->kind == Kind::object || is_null(*node));
}

}  // namespace

void visit_diff(const PayloadTree& tree, const VisitChange& visit) {
  const PayloadNode* changes = tree.member(tree.root(), "changes");
  if (changes != nullptr && changes->kind == Kind::array) {
    visit_changes(tree, *changes, visit);
    return;
  }
  const PayloadNode* before = tree.member(tree.root(), "before");
  const PayloadNode* after = tree.member(tree.root(), "after");
  if (!is_side(before) || !is_side(after)) {
    return;
  }
  const PayloadNode* old_side = is_null(*before) ? nullptr : before;
  const PayloadNode* new_side = is_null(*after) ? nullptr : after;
  // The two sides themselves are no field, so an empty one is nothing to tell of.
  const auto empty = [](const PayloadNode* side) { return side == nullptr || side->children == 0; };
  if (!empty(old_side) || !empty(new_side)) {
    Comparer(tree, visit).compare(old_side, new_side);
  }
}

struct DiffReader::State {
  PayloadTree tree;
  std::vector<DiffEntry> entries;
};

DiffReader::DiffReader() : state_(std::make_unique<State>()) {}
DiffReader::~DiffReader() = default;
DiffReader::DiffReader(DiffReader&&) noexcept = default;
DiffReader& DiffReader::operator=(DiffReader&&) noexcept = default;

const std::vector<DiffEntry>& DiffReader::read(std::string_view payload) {
  state_->entries.clear();
  if (!state_->tree.read(payload)) {
    return state_->entries;
  }
  visit_diff(state_->tree, [this](std::string_view field, bool is_path, const PayloadNode* before,
                                  const PayloadNode* after) {
    DiffEntry& entry = state_->entries.emplace_back();
    entry.field = field;
    entry.is_path = is_path;
    if (before != nullptr) {
      entry.old_value = before->text;
    }
    if (after != nullptr) {
      entry.new_value = after->text;
    }
  });
  return state_->entries;
}

std::vector<std::string> changed_fields(const std::vector<DiffEntry>& diff) {
  std::vector<std::string> names;
  std::unordered_set<std::string_view> seen;  // views of the entries' fields
  for (const DiffEntry& entry : diff) {
    any_changed_name(entry.field, entry.is_path, [&](std::string_view name) {
      if (seen.insert(name).second) {
        names.emplace_back(name);
      }
      return false;
    });
  }
  return names;
}

std::vector<std::string> changed_fields(std::string_view payload) {
  DiffReader reader;
  return changed_fields(reader.read(payload));
}

}  // namespace docket::index
