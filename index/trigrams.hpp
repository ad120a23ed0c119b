// Three characters that follow one another: what texts are looked for by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace docket::index {

// Three characters of ASCII that can be printed, letters in either case. Others are never asked
// for: a text is looked for by what it has of these.
using Trigram = std::uint32_t;
inline constexpr Trigram trigram_last = (Trigram{1} << 18) - 1;

// Those of a text, ascending, each once. None: a filter cannot tell.
[[nodiscard]] std::vector<Trigram> trigrams_of(std::string_view text);

// The trigrams of many texts. Other characters stand for `^` here: what a text is looked for by
// is in the set of each text that holds it, and some are in it that no text has.
// Not thread-safe; keeps its buffers.
class TrigramSet {
 public:
  // So many are looked up at once.
  static constexpr std::size_t together = 16;
  // By the widest instructions that there are, or by those of any processor: the same set.
  enum class Look : std::uint8_t { fastest, plain };

  TrigramSet();
  explicit TrigramSet(Look look);

  void add(std::string_view text);
  // In the order in which they were met.
  [[nodiscard]] const std::vector<Trigram>& found() const { return found_; }
  void clear();

 private:
  void take(Trigram trigram);

  std::vector<std::uint32_t> bits_;
  std::vector<Trigram> found_;
  std::vector<std::uint8_t> symbols_;  // of the text at hand, and room to read behind them
  bool has_avx2_ = false;
};

}  // namespace docket::index
