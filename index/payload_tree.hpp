// A payload taken apart into nodes that keep the exact text of every value: an audit log shows
// 1.10 and 12345678901234567890123 as they were sent.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace docket::index {

struct PayloadNode {
  enum class Kind : std::uint8_t { object, array, string, other };  // other: number, bool, null

  Kind kind = Kind::other;
  std::string_view key;   // unescaped; of an object's member
  std::string_view raw;   // the value's JSON text
  std::string_view text;  // string: without quotes and escapes; other: the JSON text
  std::vector<std::uint32_t> children;
};

// Reads payloads one after another and keeps its buffers. Not thread-safe.
class PayloadTree {
 public:
  PayloadTree();
  ~PayloadTree();
  PayloadTree(PayloadTree&&) noexcept;
  PayloadTree& operator=(PayloadTree&&) noexcept;

  // False when `payload` is not a JSON object, or nests deeper than 512. The nodes stay valid until
  // the next call.
  [[nodiscard]] bool read(std::string_view payload);

  [[nodiscard]] const PayloadNode& root() const { return nodes_.front(); }
  [[nodiscard]] const PayloadNode& node(std::uint32_t index) const { return nodes_[index]; }
  // The first member of that name; null when there is none or `object` is none.
  [[nodiscard]] const PayloadNode* member(const PayloadNode& object, std::string_view key) const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::vector<PayloadNode> nodes_;  // of the payload, and behind them unused ones
};

}  // namespace docket::index
