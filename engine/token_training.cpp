#include "engine/token_training.hpp"

#include <algorithm>
#include <numeric>

#include "engine/assert.hpp"

namespace docket {

namespace {

constexpr std::uint16_t no_token = UINT16_MAX;
// A pair that stands less often in the sample is not worth its place in the table.
constexpr std::uint32_t pair_count_min = 8;
// The same of a token in the text as it is written in the end.
constexpr std::uint64_t token_count_min = 4;

struct Pair {
  std::uint32_t count = 0;
  std::uint32_t key = 0;  // the first token, and below it the second
};

// How often which tokens stand side by side.
class PairCounts {
 public:
  PairCounts() : slots_(std::size_t{1} << bits) {}

  void clear() {
    std::fill(slots_.begin(), slots_.end(), Pair{});
    used_ = 0;
  }
  void add(std::uint32_t key) {
    std::size_t at = (key * 0x9E3779B1U) >> (32 - bits);
    while (slots_[at].count != 0 && slots_[at].key != key) {
      at = (at + 1) & (slots_.size() - 1);
    }
    if (slots_[at].count == 0) {
      if (used_ == slots_.size() / 2) {
        return;  // new pairs come too late to be among the frequent ones
      }
      ++used_;
      slots_[at].key = key;
    }
    ++slots_[at].count;
  }
  // The frequent ones, the most frequent first.
  void take(std::vector<Pair>& into) const {
    into.clear();
    for (const Pair& pair : slots_) {
      if (pair.count >= pair_count_min) {
        into.push_back(pair);
      }
    }
    std::sort(into.begin(), into.end(), [](const Pair& a, const Pair& b) {
      return a.count != b.count ? a.count > b.count : a.key < b.key;
    });
  }

 private:
  static constexpr std::uint32_t bits = 18;
  std::vector<Pair> slots_;
  std::size_t used_ = 0;
};

// Byte pair encoding, many pairs a round: what stands side by side most often becomes a token.
class Merger {
 public:
  explicit Merger(std::span<const std::string_view> sample) : texts_(1) {
    for (int byte = 0; byte < 256; ++byte) {
      texts_.emplace_back(1, static_cast<char>(byte));
    }
    for (const std::string_view text : sample) {
      for (const char c : text) {
        sequence_.push_back(static_cast<std::uint16_t>(1 + static_cast<std::uint8_t>(c)));
      }
      sequence_.push_back(no_token);
    }
  }

  std::vector<std::string> merge() {
    // Senders choose the text: however little a round brings, there is an end to them.
    constexpr int rounds_max = 256;
    for (int round = 0; round < rounds_max && texts_.size() < limits::tokens_max && merge_round();
         ++round) {
    }
    return std::move(texts_);
  }

 private:
  bool merge_round() {
    counts_.clear();
    for (std::size_t i = 0; i + 1 < sequence_.size(); ++i) {
      if (sequence_[i] != no_token && sequence_[i + 1] != no_token) {
        counts_.add(std::uint32_t{sequence_[i]} << 16 | sequence_[i + 1]);
      }
    }
    counts_.take(pairs_);
    // What one merge does changes the counts of others: so only a few a round, those that are
    // nearly as frequent as the first and have no token in common with one before.
    const std::size_t old_size = texts_.size();
    const std::size_t end = std::min(limits::tokens_max, old_size + old_size / 16);
    std::vector<bool> is_first(old_size), is_second(old_size);
    std::vector<std::vector<std::pair<std::uint16_t, std::uint16_t>>> merged(old_size);
    std::uint32_t most = 0;
    for (const Pair& pair : pairs_) {
      const auto a = static_cast<std::uint16_t>(pair.key >> 16);
      const auto b = static_cast<std::uint16_t>(pair.key & 0xffff);
      if (texts_[a].size() + texts_[b].size() > limits::token_bytes_max) {
        continue;
      }
      most = std::max(most, pair.count);
      if (pair.count < most / 2 || texts_.size() == end) {
        break;
      }
      if (is_first[b] || is_second[a]) {
        continue;
      }
      is_first[a] = is_second[b] = true;
      merged[a].emplace_back(b, static_cast<std::uint16_t>(texts_.size()));
      texts_.push_back(texts_[a] + texts_[b]);
    }
    if (texts_.size() == old_size) {
      return false;
    }
    std::size_t to = 0;
    for (std::size_t i = 0; i < sequence_.size(); ++i) {
      std::uint16_t token = sequence_[i];
      if (token != no_token && i + 1 < sequence_.size()) {
        for (const auto& [second, together] : merged[token]) {
          if (sequence_[i + 1] == second) {
            token = together;
            ++i;
            break;
          }
        }
      }
      sequence_[to++] = token;
    }
    sequence_.resize(to);
    return true;
  }

  std::vector<std::string> texts_;
  std::vector<std::uint16_t> sequence_;
  PairCounts counts_;
  std::vector<Pair> pairs_;
};

std::vector<std::uint64_t> count_tokens(std::span<const std::string_view> sample,
                                        std::span<const std::string> texts) {
  const TokenTrie trie(texts);
  std::vector<std::uint64_t> counts(texts.size());
  for (std::string_view text : sample) {
    while (!text.empty()) {
      const std::uint32_t token = trie.longest(text);
      ++counts[token];
      text.remove_prefix(texts[token].size());
    }
  }
  return counts;
}

Tokens train(std::span<const std::string_view> sample, std::uint64_t ends) {
  std::vector<std::string> texts = Merger(sample).merge();
  // Two pairs may make the same text.
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  // What was only a step to longer tokens is left out.
  std::vector<std::uint64_t> counts = count_tokens(sample, texts);
  Tokens tokens;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() <= 1 || counts[i] >= token_count_min) {
      tokens.texts.push_back(std::move(texts[i]));
    }
  }
  counts = count_tokens(sample, tokens.texts);
  counts[0] = ends;
  for (std::size_t i = 1; i < counts.size(); ++i) {
    counts[i] = std::max<std::uint64_t>(counts[i], 1);  // the sample is not all
  }
  tokens.lengths = prefix_code_lengths(counts, prefix_bits_max);
  return tokens;
}

}  // namespace

Tokens train_tokens(std::span<const std::string_view> sample) {
  return train(sample, 0);
}

Tokens train_list_tokens(std::span<const std::string_view> sample, std::size_t run) {
  std::vector<std::uint64_t> shared_counts(limits::string_bytes_max + 1);
  std::vector<std::string_view> rests;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const std::size_t shared =
        i % run == 0 ? 0
                     : std::min(shared_bytes(sample[i - 1], sample[i]), limits::string_bytes_max);
    ++shared_counts[shared];
    rests.push_back(sample[i].substr(shared));
  }
  const std::uint64_t total =
      std::accumulate(shared_counts.begin(), shared_counts.end(), std::uint64_t{0});
  // Where neighbours have little in common, saying so costs more than it spares, and the tokens
  // are better learnt from whole strings.
  const bool is_worth_it = shared_counts[0] + shared_counts[1] < total / 2;
  Tokens tokens = train(is_worth_it ? std::span<const std::string_view>(rests) : sample,
                        std::max<std::uint64_t>(total, 1));
  if (is_worth_it) {
    shared_counts[0] = std::max<std::uint64_t>(shared_counts[0], 1);  // a page begins with it
    while (shared_counts.back() == 0) {
      shared_counts.pop_back();
    }
    tokens.shared_lengths = prefix_code_lengths(shared_counts, prefix_bits_max);
  }
  return tokens;
}

}  // namespace docket
