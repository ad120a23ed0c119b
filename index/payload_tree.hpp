// A payload taken apart into nodes that keep the exact text of every value: an audit log shows
// 1.10 and 12345678901234567890123 as they were sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace docket::index {

struct PayloadNode {
  enum class Kind : std::uint8_t { object, array, string, other };  // other: number, bool, null

  Kind kind = Kind::other;
  bool has_half = false;       // a string with half of a surrogate pair: its text is not all of it
  std::uint32_t children = 0;  // how many
  std::uint32_t end = 0;       // the number of the first node behind it and all below it
  std::string_view key;        // unescaped; of an object's member
  std::string_view raw;        // the value's JSON text
  // String: without quotes and escapes, U+FFFD for half of a surrogate pair; other: the JSON text.
  std::string_view text;
};

// Reads payloads one after another and keeps its buffers. Not thread-safe.
//
// Nodes are numbered in document order: a container's first child has the number behind its own,
// and the next one begins where the one before ends.
class PayloadTree {
 public:
  // False when `payload` is not a JSON object of valid UTF-8, or nests deeper than 512. The nodes
  // stay valid until the next call; they do not need `payload`.
  [[nodiscard]] bool read(std::string_view payload);

  [[nodiscard]] const PayloadNode& root() const { return nodes_.front(); }
  [[nodiscard]] const PayloadNode& node(std::uint32_t number) const { return nodes_[number]; }
  [[nodiscard]] std::uint32_t number_of(const PayloadNode& node) const {
    return static_cast<std::uint32_t>(&node - nodes_.data());
  }
  // The first member of that name; null when there is none or `object` is none.
  [[nodiscard]] const PayloadNode* member(const PayloadNode& object, std::string_view key) const;

  // Calls visit(child) for each child of a container in order, until it returns false.
  template <typename Visit>
  void each_child(const PayloadNode& container, const Visit& visit) const {
    for (std::uint32_t child = number_of(container) + 1; child < container.end;
         child = nodes_[child].end) {
      if (!visit(nodes_[child])) {
        return;
      }
    }
  }

 private:
  class Parser;
  std::vector<PayloadNode> nodes_;  // of the payload, and behind them unused ones
  std::vector<char> text_;          // a copy of the payload and padding, then unescaped strings
};

}  // namespace docket::index
