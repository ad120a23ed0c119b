// Where the structure of a JSON text is: the first half of parsing, by simdjson, at the speed of
// the widest vector unit of the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace docket::ingest {

// Finds the structural characters of a text: `{ } [ ] : ,`, every opening quote, and the first byte
// of every other token. Not thread-safe; reuse it, it keeps its memory (4 bytes for each byte of
// the longest text so far). The text needs no padding.
class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();
  JsonIndex(JsonIndex&&) noexcept;
  JsonIndex& operator=(JsonIndex&&) noexcept;

  // nullptr, or what is wrong with the text: not UTF-8, an unclosed string, a control character
  // inside a string, nothing but white space. These four are then proven absent.
  [[nodiscard]] const char* build(std::string_view text);

  // Ascending offsets into the text of the last successful build(); one more entry, the text's
  // size, stands behind the end of the span.
  [[nodiscard]] std::span<const std::uint32_t> positions() const { return positions_; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::span<const std::uint32_t> positions_;
};

}  // namespace docket::ingest
