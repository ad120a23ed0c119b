#include "engine/prefix_code.hpp"

#include <algorithm>
#include <array>
#include <queue>
#include <tuple>

namespace docket {

namespace {

// The code of a symbol as canonical codes are given out: shorter ones first, among equals by
// symbol. next[l] is the next code of l bits, its first bit being the highest.
std::array<std::uint32_t, prefix_bits_max + 2> first_codes(std::span<const std::uint8_t> lengths) {
  std::array<std::uint32_t, prefix_bits_max + 2> next{};
  std::array<std::uint32_t, prefix_bits_max + 1> of_length{};
  for (const std::uint8_t bits : lengths) {
    of_length[bits] += bits == 0 ? 0 : 1;
  }
  std::uint32_t code = 0;
  for (std::uint32_t bits = 1; bits <= prefix_bits_max; ++bits) {
    code = (code + of_length[bits - 1]) << 1;
    next[bits] = code;
  }
  return next;
}

std::uint16_t reversed(std::uint32_t code, std::uint32_t bits) {
  std::uint32_t out = 0;
  for (std::uint32_t i = 0; i < bits; ++i) {
    out |= ((code >> i) & 1) << (bits - 1 - i);
  }
  return static_cast<std::uint16_t>(out);
}

// Depths of the leaves of Huffman's tree; ties are broken by age, so that the tree is one.
std::vector<std::uint8_t> tree_depths(std::span<const std::uint64_t> counts) {
  using Node = std::tuple<std::uint64_t, std::uint32_t>;  // weight, number
  std::priority_queue<Node, std::vector<Node>, std::greater<>> queue;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    queue.emplace(counts[i], static_cast<std::uint32_t>(i));
  }
  std::vector<std::uint32_t> parents(2 * counts.size());
  auto next = static_cast<std::uint32_t>(counts.size());
  while (queue.size() > 1) {
    const auto [first, a] = queue.top();
    queue.pop();
    const auto [second, b] = queue.top();
    queue.pop();
    parents[a] = parents[b] = next;
    queue.emplace(first + second, next++);
  }
  // Parents have higher numbers than their children: the root, the last one, is at depth 0.
  std::vector<std::uint8_t> depths(next);
  for (std::uint32_t node = next - 1; node-- > 0;) {
    depths[node] = static_cast<std::uint8_t>(std::min(depths[parents[node]] + 1, 255));
  }
  depths.resize(counts.size());
  return depths;
}

}  // namespace

std::vector<std::uint8_t> prefix_code_lengths(std::span<const std::uint64_t> counts,
                                              std::uint32_t bits_max) {
  DOCKET_ASSERT(bits_max <= prefix_bits_max);
  std::vector<std::uint8_t> lengths(counts.size());
  std::vector<std::size_t> symbols;
  std::vector<std::uint64_t> weights;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) {
      symbols.push_back(i);
      weights.push_back(counts[i]);
    }
  }
  DOCKET_ASSERT(symbols.size() <= std::size_t{1} << bits_max);
  if (symbols.size() == 1) {
    lengths[symbols[0]] = 1;
    return lengths;
  }
  while (!symbols.empty()) {
    const std::vector<std::uint8_t> depths = tree_depths(weights);
    if (*std::max_element(depths.begin(), depths.end()) <= bits_max) {
      for (std::size_t i = 0; i < symbols.size(); ++i) {
        lengths[symbols[i]] = depths[i];
      }
      break;
    }
    // Too deep: nearer to each other, until the tree is flat enough. At last all are 1.
    for (std::uint64_t& weight : weights) {
      weight = (weight + 1) / 2;
    }
  }
  return lengths;
}

PrefixEncoder::PrefixEncoder(std::span<const std::uint8_t> lengths) : codes_(lengths.size()) {
  auto next = first_codes(lengths);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] != 0) {
      codes_[i] = {reversed(next[lengths[i]]++, lengths[i]), lengths[i]};
    }
  }
}

Result<PrefixDecoder> PrefixDecoder::make(std::span<const std::uint8_t> lengths) {
  DOCKET_ASSERT(lengths.size() <= std::size_t{1} << 16);
  std::uint32_t longest = 0;
  std::uint64_t space = 0;  // that codes take, in codes of prefix_bits_max bits
  std::size_t symbols = 0;
  for (const std::uint8_t bits : lengths) {
    if (bits > prefix_bits_max) {
      return fail(ErrorCode::corrupt, "a prefix code is too long");
    }
    longest = std::max<std::uint32_t>(longest, bits);
    space += bits == 0 ? 0 : std::uint64_t{1} << (prefix_bits_max - bits);
    symbols += bits == 0 ? 0 : 1;
  }
  const bool is_single = symbols == 1 && longest == 1;
  if (!is_single && space != std::uint64_t{1} << prefix_bits_max) {
    return fail(ErrorCode::corrupt, "prefix codes are not complete");
  }
  PrefixDecoder decoder;
  decoder.steps_.assign(std::size_t{1} << longest, Step{});
  decoder.mask_ = (std::uint64_t{1} << longest) - 1;
  auto next = first_codes(lengths);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::uint32_t bits = lengths[i];
    if (bits == 0) {
      continue;
    }
    for (std::size_t at = reversed(next[bits]++, bits); at < decoder.steps_.size();
         at += std::size_t{1} << bits) {
      decoder.steps_[at] = {static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(bits)};
    }
  }
  return decoder;
}

}  // namespace docket
