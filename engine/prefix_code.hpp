// Prefix codes (Huffman's) and the bit streams they stand in: what coded columns and token streams
// of sealed segments are made of (engine/FORMAT.md, "Prefix codes").
//
// Bits are numbered from the least significant bit of the first byte. A code of l bits stands with
// its first bit first; a number of w bits with its least significant bit first.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/assert.hpp"
#include "engine/result.hpp"

namespace docket {

// No code is longer. It bounds the table of a decoder: 64 KiB.
inline constexpr std::uint32_t prefix_bits_max = 14;

class BitSink {
 public:
  // Appends to `out`, which must outlive it.
  explicit BitSink(std::vector<std::byte>& out) : out_(out) {}

  // Precondition: bits <= 56, value < 2^bits.
  void put(std::uint64_t value, std::uint32_t bits) {
    if (filled_ + bits >= 64) {
      put_whole_bytes();
    }
    pending_ |= value << filled_;
    filled_ += bits;
  }
  // Fills the last byte with zeros. Nothing may be put afterwards.
  void finish() {
    put_whole_bytes();
    if (filled_ != 0) {
      out_.push_back(static_cast<std::byte>(pending_));
    }
  }

 private:
  void put_whole_bytes() {
    static_assert(std::endian::native == std::endian::little);
    std::byte bytes[sizeof(pending_)];
    std::memcpy(bytes, &pending_, sizeof(pending_));
    out_.insert(out_.end(), bytes, bytes + filled_ / 8);
    pending_ >>= filled_ / 8 * 8;
    filled_ %= 8;
  }

  std::vector<std::byte>& out_;
  std::uint64_t pending_ = 0;
  std::uint32_t filled_ = 0;  // less than 64
};

// What must be readable behind the bytes of a BitSource.
inline constexpr std::size_t bit_source_padding = 8;

// Reads at most as many bits as there are and then zeros, without ever leaving its bytes.
class BitSource {
 public:
  BitSource() = default;  // of nothing
  // `bytes` are followed by bit_source_padding readable ones.
  explicit BitSource(std::span<const std::byte> bytes)
      : bytes_(bytes.data()), end_(std::uint64_t{bytes.size()} * 8) {}

  // The next bits, at least 56 where there are as many; zeros or padding behind the end.
  [[nodiscard]] std::uint64_t peek() const {
    if (at_ >= end_) {
      return 0;
    }
    std::uint64_t word = 0;
    std::memcpy(&word, bytes_ + at_ / 8, 8);
    return word >> (at_ % 8);
  }
  void skip(std::uint32_t bits) { at_ += bits; }
  // Precondition: bits <= 56.
  [[nodiscard]] std::uint64_t get(std::uint32_t bits) {
    const std::uint64_t value = peek() & ((std::uint64_t{1} << bits) - 1);
    at_ += bits;
    return value;
  }
  // How many bits were passed. Precondition: less than 2^32.
  [[nodiscard]] std::uint32_t position() const { return static_cast<std::uint32_t>(at_); }
  // Whether nothing was read beyond the end.
  [[nodiscard]] bool ok() const { return at_ <= end_; }
  // Whether all was read, but for the zeros that fill the last byte.
  [[nodiscard]] bool is_at_end() const {
    if (at_ > end_ || end_ - at_ >= 8) {
      return false;
    }
    return at_ == end_ || (std::to_integer<unsigned>(bytes_[at_ / 8]) >> (at_ % 8)) == 0;
  }

 private:
  const std::byte* bytes_ = nullptr;
  std::uint64_t end_ = 0;
  std::uint64_t at_ = 0;
};

// Lengths of the codes of a good prefix code for symbols that occur so often: 0 for one that does
// not occur, else 1 to `bits_max`. The same counts give the same lengths.
// Precondition: at most 2^bits_max symbols occur; bits_max <= prefix_bits_max.
[[nodiscard]] std::vector<std::uint8_t> prefix_code_lengths(std::span<const std::uint64_t> counts,
                                                            std::uint32_t bits_max);

class PrefixEncoder {
 public:
  // Precondition: lengths that PrefixDecoder::make() takes.
  explicit PrefixEncoder(std::span<const std::uint8_t> lengths);

  // Precondition: the symbol has a code.
  void put(std::uint32_t symbol, BitSink& into) const {
    DOCKET_ASSERT(codes_[symbol].bits != 0);
    into.put(codes_[symbol].code, codes_[symbol].bits);
  }
  // 0: it has no code.
  [[nodiscard]] std::uint32_t bits(std::uint32_t symbol) const { return codes_[symbol].bits; }

 private:
  struct Code {
    std::uint16_t code = 0;  // its first bit is the lowest
    std::uint8_t bits = 0;
  };
  std::vector<Code> codes_;
};

class PrefixDecoder {
 public:
  // A symbol and the bits that its code took: 0 where the bits at hand are no code.
  struct Step {
    std::uint16_t symbol = 0;
    std::uint16_t bits = 0;
  };

  PrefixDecoder() = default;
  // Lengths that are not those of a complete code (or of a single symbol with one bit) are refused.
  // Error: corrupt, without a place. Precondition: at most 65,536 lengths.
  [[nodiscard]] static Result<PrefixDecoder> make(std::span<const std::uint8_t> lengths);

  // The first code in `bits`, the next bits of a stream.
  [[nodiscard]] Step step(std::uint64_t bits) const { return steps_[bits & mask_]; }
  // A power of two: how many different bits there are to look at.
  [[nodiscard]] std::size_t size() const { return steps_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const { return steps_.size() * sizeof(Step); }

 private:
  std::vector<Step> steps_ = std::vector<Step>(1);
  std::uint64_t mask_ = 0;
};

}  // namespace docket
