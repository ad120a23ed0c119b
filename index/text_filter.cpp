#include "index/text_filter.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "engine/assert.hpp"
#include "index/bit_stream.hpp"

namespace docket::index {
namespace {

constexpr std::uint32_t symbol_bits = 6;
constexpr std::uint32_t trigram_bits = 3 * symbol_bits;
constexpr Trigram trigram_mask = (Trigram{1} << trigram_bits) - 1;

// What is looked for by: other characters may have other cases, or none.
[[nodiscard]] constexpr bool is_printable(char c) {
  return c >= 0x20 && c < 0x7F;
}

// Letters in either case, and a few signs that differ in the same bit, are one symbol. Others stand
// for `^`, which is rare: a block then seems to have what it has not, never the other way.
constexpr std::array<std::uint8_t, 256> symbols = [] {
  std::array<std::uint8_t, 256> made{};
  for (std::uint32_t c = 0; c < 256; ++c) {
    const std::uint32_t byte = c >= 0x20 && c < 0x7F ? c : '^';
    made[c] = static_cast<std::uint8_t>(byte < 0x40 ? byte - 0x20 : 0x20 + byte % 0x20);
  }
  return made;
}();

// The trigrams of a text are those that end at each of its characters.
[[nodiscard]] Trigram next(Trigram last, char c) {
  return last << symbol_bits | symbols[static_cast<unsigned char>(c)];
}

// How the blocks of one trigram are written: as numbers, or a bit for each block.
struct BlockCode {
  explicit BlockCode(std::uint32_t all)
      : blocks(all), width(all <= 1 ? 0 : static_cast<std::uint32_t>(std::bit_width(all - 1))) {}

  [[nodiscard]] bool as_bits(std::uint64_t count) const { return count * width >= blocks; }

  std::uint32_t blocks;
  std::uint32_t width;
};

void put_blocks(BitWriter& writer, std::span<const std::uint32_t> blocks, const BlockCode& code) {
  if (!code.as_bits(blocks.size())) {
    for (const std::uint32_t block : blocks) {
      writer.put(block, code.width);
    }
    return;
  }
  std::size_t next_block = 0;
  for (std::uint32_t block = 0; block < code.blocks; ++block) {
    const bool in = next_block < blocks.size() && blocks[next_block] == block;
    writer.put(in ? 1 : 0, 1);
    next_block += in ? 1 : 0;
  }
}

// Calls visit(trigram, of_blocks) for each trigram, where of_blocks(take) calls take(block) for its
// blocks. `visit` returns false to stop. False where the bytes are no filter, as far as was read.
template <typename Visit>
[[nodiscard]] bool read_filter(BitReader& reader, const BlockCode& code, Visit&& visit) {
  const std::uint64_t count = reader.get_gamma();
  Trigram after = 0;  // the one behind the last
  for (std::uint64_t i = 1; i < count && reader.ok(); ++i) {
    const std::uint64_t gap = reader.get_gamma();
    const std::uint64_t missing = reader.get_gamma() - 1;
    if (!reader.ok() || gap > trigram_mask + 1 - after || missing >= code.blocks) {
      return false;
    }
    after += static_cast<Trigram>(gap);
    const Trigram trigram = after - 1;
    const std::uint64_t with = code.blocks - missing;
    bool sound = true;
    bool passed_over = missing != 0;
    const auto of_blocks = [&](auto&& take) {
      passed_over = false;
      if (missing == 0) {
        for (std::uint32_t block = 0; block < code.blocks; ++block) {
          take(block);
        }
        return;
      }
      std::uint64_t seen = 0;
      if (code.as_bits(with)) {
        for (std::uint32_t first = 0; first < code.blocks; first += 32) {
          std::uint64_t word = reader.get(std::min<std::uint32_t>(32, code.blocks - first));
          for (; word != 0; word &= word - 1, ++seen) {
            take(first + static_cast<std::uint32_t>(std::countr_zero(word)));
          }
        }
        sound = reader.ok() && seen == with;
        return;
      }
      std::int64_t last = -1;
      for (; seen < with && sound; ++seen) {
        const auto block = static_cast<std::uint32_t>(reader.get(code.width));
        sound = reader.ok() && block < code.blocks && std::int64_t{block} > last;
        last = block;
        if (sound) {
          take(block);
        }
      }
    };
    const bool go_on = visit(trigram, of_blocks);
    if (!sound) {
      return false;
    }
    if (!go_on) {
      return true;
    }
    if (passed_over) {
      reader.seek(reader.position() + (code.as_bits(with) ? code.blocks : with * code.width));
    }
  }
  return reader.ok();
}

}  // namespace

std::vector<Trigram> trigrams_of(std::string_view text) {
  std::vector<Trigram> found;
  Trigram last = 0;
  std::size_t run = 0;  // of printable characters
  for (const char c : text) {
    last = next(last, c) & trigram_mask;
    run = is_printable(c) ? run + 1 : 0;
    if (run >= 3) {
      found.push_back(last);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

Result<TextFilter> TextFilter::parse(std::vector<std::byte> bytes, std::uint32_t blocks) {
  TextFilter filter;
  const std::size_t stored = bytes.size();
  bytes.resize(stored + bit_padding);
  filter.bytes_ = std::move(bytes);
  filter.blocks_ = blocks;
  BitReader reader(std::span<const std::byte>(filter.bytes_).first(stored));
  const bool sound = read_filter(reader, BlockCode(blocks), [](Trigram, const auto& of_blocks) {
    of_blocks([](std::uint32_t) {});
    return true;
  });
  if (!sound || reader.remaining() >= 8) {
    return fail(ErrorCode::corrupt, "text filter: cut, too long, or not in order");
  }
  return filter;
}

std::vector<bool> TextFilter::possible_blocks(std::span<const Trigram> trigrams) const {
  std::vector<std::uint32_t> having(blocks_, 0);  // how many of the trigrams
  std::size_t met = 0;
  BitReader reader(std::span<const std::byte>(bytes_).first(bytes_.size() - bit_padding));
  const bool sound =
      read_filter(reader, BlockCode(blocks_), [&](Trigram trigram, const auto& of_blocks) {
        const bool wanted = met < trigrams.size() && trigrams[met] == trigram;
        if (wanted) {
          of_blocks([&](std::uint32_t block) { ++having[block]; });
          ++met;
        }
        // One that is passed over, or the last one, ends it.
        return met < trigrams.size() && trigrams[met] > trigram;
      });
  DOCKET_ASSERT(sound);  // parse() has read the same bits.
  std::vector<bool> possible(blocks_);
  for (std::uint32_t block = 0; block < blocks_; ++block) {
    possible[block] = having[block] == trigrams.size();
  }
  return possible;
}

TextFilterBuilder::TextFilterBuilder() : seen_((std::size_t{trigram_mask} + 1) / 64) {}

void TextFilterBuilder::add(std::string_view text) {
  if (text.size() < 3) {
    return;
  }
  std::uint64_t* const seen = seen_.data();
  const auto is_new = [seen](Trigram trigram) {
    return (~seen[trigram / 64] >> (trigram % 64)) & 1;
  };
  const auto take = [&](Trigram trigram) {
    if (is_new(trigram) != 0) {
      seen[trigram / 64] |= std::uint64_t{1} << (trigram % 64);
      found_.push_back(trigram);
    }
  };
  Trigram last = next(next(0, text[0]), text[1]);
  std::size_t i = 2;
  // Nearly all have been seen before: four are looked at for one decision.
  for (; i + 4 <= text.size(); i += 4) {
    const Trigram a = next(last, text[i]);
    const Trigram b = next(a, text[i + 1]);
    const Trigram c = next(b, text[i + 2]);
    const Trigram d = next(c, text[i + 3]);
    last = d;
    if ((is_new(a & trigram_mask) | is_new(b & trigram_mask) | is_new(c & trigram_mask) |
         is_new(d & trigram_mask)) != 0) {
      take(a & trigram_mask);
      take(b & trigram_mask);
      take(c & trigram_mask);
      take(d & trigram_mask);
    }
  }
  for (; i < text.size(); ++i) {
    last = next(last, text[i]);
    take(last & trigram_mask);
  }
}

bool TextFilterBuilder::end_block(std::uint32_t rows) {
  rows_ += rows;
  for (const Trigram trigram : found_) {
    seen_[trigram / 64] = 0;
    postings_.push_back(Posting{trigram, blocks_});
  }
  found_.clear();
  ++blocks_;
  // Eight bytes each while the index is built. Blocks of large payloads have few rows.
  return postings_.size() <= rows_ + (std::size_t{1} << 20);
}

bool TextFilterBuilder::finish(std::vector<std::byte>& out) {
  // By trigram, by counting sort; the blocks of each ascend as they came.
  std::vector<std::uint32_t> starts(std::size_t{trigram_mask} + 2, 0);
  for (const Posting& posting : postings_) {
    ++starts[posting.trigram + 1];
  }
  const auto count = static_cast<std::uint64_t>(std::count_if(
      starts.begin(), starts.end(), [](std::uint32_t postings) { return postings != 0; }));
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<std::uint32_t> sorted(postings_.size());
  {
    std::vector<std::uint32_t> place(starts.begin(), starts.end() - 1);
    for (const Posting& posting : postings_) {
      sorted[place[posting.trigram]++] = posting.block;
    }
  }
  const BlockCode code(blocks_);
  const std::size_t start = out.size();
  BitWriter writer(out);
  writer.put_gamma(count + 1);
  Trigram after = 0;
  for (Trigram trigram = 0; trigram <= trigram_mask && out.size() - start <= rows_; ++trigram) {
    const std::span<const std::uint32_t> blocks =
        std::span(sorted).subspan(starts[trigram], starts[trigram + 1] - starts[trigram]);
    if (blocks.empty()) {
      continue;
    }
    writer.put_gamma(trigram + 1 - after);
    after = trigram + 1;
    writer.put_gamma(blocks_ - blocks.size() + 1);
    if (blocks.size() < blocks_) {
      put_blocks(writer, blocks, code);
    }
  }
  writer.finish();
  if (out.size() - start > rows_) {
    out.resize(start);
    return false;
  }
  return true;
}

}  // namespace docket::index
