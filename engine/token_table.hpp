// Text as a stream of tokens: strings that stand often in a segment's text, each with a prefix code
// of its own (engine/FORMAT.md, "Tokens").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/limits.hpp"
#include "engine/prefix_code.hpp"
#include "engine/result.hpp"
#include "engine/section.hpp"

namespace docket {

// Token 0 is empty: it ends a string of a list, and has no code where the text is payloads. The
// others ascend bytewise; every single byte is among them and has a code.
struct Tokens {
  std::vector<std::string> texts;
  std::vector<std::uint8_t> lengths;  // bits of their codes
  // Of lists: bits of the codes of how many bytes a string shares with the one before it, by that
  // number. Empty: none is said to share any.
  std::vector<std::uint8_t> shared_lengths;
};

// A text as it is stored, and room for it: exactly as long as it is. The stored bytes are followed
// by bit_source_padding readable ones.
struct TokenStream {
  std::span<const std::byte> stored;
  std::span<std::byte> raw;
};

// For reading. Immutable, thread-safe.
class TokenTable {
 public:
  // What the file says; whatever that is, a table that is made never leaves its bytes. Error:
  // corrupt, without a place.
  [[nodiscard]] static Result<TokenTable> make(StringList texts,
                                               std::span<const std::uint8_t> lengths,
                                               std::span<const std::uint8_t> shared_lengths);

  // Fills in the texts. Several are decoded side by side, as one waits for each of its codes before
  // it knows where the next one begins. Error: corrupt, without a place.
  [[nodiscard]] Result<void> decode(std::span<const TokenStream> streams) const;
  [[nodiscard]] Result<void> decode(std::span<const std::byte> stored,
                                    std::span<std::byte> raw) const {
    const TokenStream stream{stored, raw};
    return decode(std::span(&stream, 1));
  }
  // `items` strings, none longer than limits::string_bytes_max. Else the same.
  [[nodiscard]] Result<StringList> decode_strings(std::span<const std::byte> stored,
                                                  std::uint32_t items) const;
  [[nodiscard]] std::size_t memory_bytes() const;

  [[nodiscard]] std::uint32_t size() const { return texts_.size(); }
  // Followed by so many readable bytes that limits::token_bytes_max can be copied.
  [[nodiscard]] std::string_view text(std::uint32_t token) const { return texts_[token]; }
  // Which token the next bits of a stream begin with, in so many lower bits, and above them how
  // many bits its code has: 0 where they are no code.
  static constexpr std::uint32_t code_token_bits = 12;
  [[nodiscard]] std::uint32_t code(std::uint64_t bits) const { return codes_[bits & mask_]; }
  // The same by as many bits as are to be looked at: a power of two.
  [[nodiscard]] std::span<const std::uint16_t> codes() const { return codes_; }

 private:
  // What a code stands for.
  class Text {
   public:
    Text() = default;
    Text(std::uint32_t at, std::uint32_t size, std::uint32_t bits)
        : word_(at | size << 18 | bits << 25) {}
    [[nodiscard]] std::uint32_t at() const { return word_ & 0x3FFFF; }
    [[nodiscard]] std::uint32_t size() const { return (word_ >> 18) & 0x7F; }
    [[nodiscard]] std::uint32_t bits() const { return word_ >> 25; }  // 0: no code

   private:
    std::uint32_t word_ = 0;
  };
  static_assert(limits::tokens_max * limits::token_bytes_max <= 1U << 18);
  static_assert(limits::token_bytes_max <= 0x7F);
  static_assert(limits::tokens_max <= 1U << code_token_bits);
  static_assert(prefix_bits_max < 1U << (16 - code_token_bits));

  // How far a stream is decoded.
  struct Lane {
    BitSource source;
    std::byte* to = nullptr;
    std::byte* end = nullptr;
  };

  [[nodiscard]] Text next(std::uint64_t bits) const;
  // As far as any codes fit all of `lanes`.
  template <std::size_t count>
  [[nodiscard]] Result<void> decode_together(std::array<Lane*, count> lanes) const;
  // To its end.
  [[nodiscard]] Result<void> finish(Lane& lane) const;

  StringList texts_;  // followed by limits::token_bytes_max readable bytes
  // By the next bits of a stream, as many as any code has: no second look at those of long codes,
  // which a processor cannot foresee.
  std::vector<Text> by_bits_;
  std::vector<std::uint16_t> codes_;
  std::uint64_t mask_ = 0;
  PrefixDecoder shared_;
  bool has_shared_ = false;
};

// Finds the longest token that a text begins with: a radix tree, whose first two bytes are one look
// in a table, and which then has a step only where tokens part or end.
class TokenTrie {
 public:
  // `texts` ascend; the first is empty and not looked for; every single byte is among them. They
  // must outlive it.
  explicit TokenTrie(std::span<const std::string> texts);

  // The token's number; `text` must not be empty.
  [[nodiscard]] std::uint32_t longest(std::string_view text) const;

 private:
  // Nodes are numbered from 1; 0: nothing is longer.
  struct Pair {
    std::uint16_t node = 0;
    std::uint16_t token = 0;  // the longest of at most two bytes
  };
  struct Edge {
    std::uint32_t key = 0;     // node * 256 + first byte; 0: the slot is free
    std::uint16_t to = 0;      // a node
    std::uint16_t token = 0;   // that ends there; 0: none
    std::uint16_t sample = 0;  // a token that goes along it
    std::uint16_t size = 0;    // bytes of its label
    std::uint64_t label = 0;   // the first eight, as they stand in memory; behind them zeros
  };

  [[nodiscard]] std::size_t slot(std::uint32_t key) const { return (key * 0x9E3779B1U) >> shift_; }
  [[nodiscard]] const Edge* find(std::uint32_t key) const;
  [[nodiscard]] bool goes_along(const Edge& edge, std::string_view text, std::size_t at) const;
  // Tokens [begin, end) share `depth` bytes and are longer: their node, 0 where there are none.
  std::uint16_t add_node(std::uint32_t begin, std::uint32_t end, std::size_t depth);

  std::span<const std::string> texts_;
  std::vector<std::uint16_t> single_;  // by byte
  std::vector<Pair> pairs_;            // by two bytes, the first one low
  std::vector<Edge> edges_;
  std::uint32_t shift_ = 0;
  std::uint16_t nodes_ = 0;
};

// For writing. Immutable, thread-safe. `tokens` must outlive it.
class TokenEncoder {
 public:
  explicit TokenEncoder(const Tokens& tokens);

  // Appends `raw` as a stream of tokens, each the longest that fits.
  void encode(std::string_view raw, std::vector<std::byte>& out) const;
  // Appends strings of a list.
  void encode_strings(std::span<const std::string_view> strings, std::vector<std::byte>& out) const;

 private:
  void put(std::string_view text, BitSink& into) const;

  const Tokens& tokens_;
  TokenTrie trie_;
  PrefixEncoder codes_;
  PrefixEncoder shared_;
};

// How many bytes two strings share at their beginning.
[[nodiscard]] std::size_t shared_bytes(std::string_view a, std::string_view b);

}  // namespace docket
