#include "index/payload_tree.hpp"

#include <simdjson.h>

#include <cstring>

namespace docket::index {

namespace ondemand = simdjson::ondemand;

namespace {

// Deeper than any payload that is let in, and well short of the depth that simdjson only asserts.
constexpr std::size_t depth_max = 512;
static_assert(depth_max + 2 < simdjson::DEFAULT_MAX_DEPTH);

bool is_json_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty() && is_json_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// Builds the nodes in document order. Every function returns false at the first syntax error.
class Builder {
 public:
  Builder(std::vector<PayloadNode>& nodes, const char* end) : nodes_(nodes), end_(end) {}

  // Nodes of the payload before are used again, and so is the memory of their lists.
  std::uint32_t add_node() {
    if (used_ == nodes_.size()) {
      nodes_.emplace_back();
    } else {
      PayloadNode& node = nodes_[used_];
      node.kind = PayloadNode::Kind::other;
      node.key = node.raw = node.text = {};
      node.children.clear();
    }
    return static_cast<std::uint32_t>(used_++);
  }

  bool add(ondemand::value value, std::string_view key, std::size_t depth, std::uint32_t& index) {
    if (depth > depth_max) {
      return false;
    }
    index = add_node();
    nodes_[index].key = key;
    const std::string_view token = without_trailing_space(value.raw_json_token());
    ondemand::json_type type{};
    if (token.empty() || value.type().get(type) != simdjson::SUCCESS) {
      return false;
    }
    switch (type) {
      case ondemand::json_type::object: {
        ondemand::object object;
        return value.get_object().get(object) == simdjson::SUCCESS &&
               add_members(object, token, depth, index);
      }
      case ondemand::json_type::array: {
        ondemand::array array;
        return value.get_array().get(array) == simdjson::SUCCESS &&
               add_elements(array, token, depth, index);
      }
      case ondemand::json_type::string: {
        nodes_[index].kind = PayloadNode::Kind::string;
        nodes_[index].raw = token;
        return value.get_string().get(nodes_[index].text) == simdjson::SUCCESS;
      }
      default:
        nodes_[index].raw = token;
        nodes_[index].text = token;
        return true;
    }
  }

  bool add_members(ondemand::object& object, std::string_view start, std::size_t depth,
                   std::uint32_t index) {
    nodes_[index].kind = PayloadNode::Kind::object;
    for (auto member : object) {
      std::string_view key;
      ondemand::value value;
      std::uint32_t child = 0;
      if (member.unescaped_key().get(key) != simdjson::SUCCESS ||
          member.value().get(value) != simdjson::SUCCESS || !add(value, key, depth + 1, child)) {
        return false;
      }
      nodes_[index].children.push_back(child);
    }
    return set_raw(index, start, '}');
  }

 private:
  bool add_elements(ondemand::array& array, std::string_view start, std::size_t depth,
                    std::uint32_t index) {
    nodes_[index].kind = PayloadNode::Kind::array;
    for (auto element : array) {
      ondemand::value value;
      std::uint32_t child = 0;
      if (element.get(value) != simdjson::SUCCESS || !add(value, {}, depth + 1, child)) {
        return false;
      }
      nodes_[index].children.push_back(child);
    }
    return set_raw(index, start, ']');
  }

  // `start` begins with the opening bracket.
  // A container ends at the first bracket behind its last child: only white space lies between.
  bool set_raw(std::uint32_t index, std::string_view start, char bracket) {
    PayloadNode& node = nodes_[index];
    const char* const begin = start.data();
    const char* p = begin + 1;
    if (!node.children.empty()) {
      const std::string_view last = nodes_[node.children.back()].raw;
      p = last.data() + last.size();
    }
    while (p < end_ && is_json_space(*p)) {
      ++p;
    }
    if (p >= end_ || *p != bracket) {
      return false;
    }
    node.raw = std::string_view(begin, static_cast<std::size_t>(p + 1 - begin));
    node.text = node.raw;
    return true;
  }

  std::vector<PayloadNode>& nodes_;
  std::size_t used_ = 0;
  const char* end_;
};

}  // namespace

struct PayloadTree::Parser {
  ondemand::parser parser;
  std::vector<char> padded;
};

PayloadTree::PayloadTree() : parser_(std::make_unique<Parser>()) {}
PayloadTree::~PayloadTree() = default;
PayloadTree::PayloadTree(PayloadTree&&) noexcept = default;
PayloadTree& PayloadTree::operator=(PayloadTree&&) noexcept = default;

bool PayloadTree::read(std::string_view payload) {
  if (payload.empty()) {
    return false;
  }
  std::vector<char>& padded = parser_->padded;
  padded.resize(payload.size() + simdjson::SIMDJSON_PADDING);
  std::memcpy(padded.data(), payload.data(), payload.size());
  std::memset(padded.data() + payload.size(), 0, simdjson::SIMDJSON_PADDING);

  ondemand::document document;
  ondemand::object object;
  if (parser_->parser.iterate(padded.data(), payload.size(), padded.size()).get(document) !=
          simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return false;
  }
  std::string_view text(padded.data(), payload.size());
  while (is_json_space(text.front())) {
    text.remove_prefix(1);
  }
  const char* const end = padded.data() + payload.size();
  Builder builder(nodes_, end);
  if (!builder.add_members(object, text, 0, builder.add_node())) {
    return false;
  }
  const std::string_view whole = nodes_.front().raw;
  const char* behind = whole.data() + whole.size();
  return without_trailing_space(std::string_view(behind, static_cast<std::size_t>(end - behind)))
      .empty();
}

const PayloadNode* PayloadTree::member(const PayloadNode& object, std::string_view key) const {
  if (object.kind != PayloadNode::Kind::object) {
    return nullptr;
  }
  for (const std::uint32_t child : object.children) {
    if (nodes_[child].key == key) {
      return &nodes_[child];
    }
  }
  return nullptr;
}

}  // namespace docket::index
