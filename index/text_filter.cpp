#include "index/text_filter.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "engine/assert.hpp"
#include "index/bit_stream.hpp"

namespace docket::index {
namespace {

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
    if (!reader.ok() || gap > trigram_last + 1 - after || missing >= code.blocks) {
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

void TextFilterBuilder::add(std::string_view text) {
  found_.add(text);
}

bool TextFilterBuilder::end_block(std::uint32_t rows) {
  rows_ += rows;
  for (const Trigram trigram : found_.found()) {
    postings_.push_back(Posting{trigram, blocks_});
  }
  found_.clear();
  ++blocks_;
  // Eight bytes each while the index is built. Blocks of large payloads have few rows.
  return postings_.size() <= rows_ + (std::size_t{1} << 20);
}

bool TextFilterBuilder::finish(std::vector<std::byte>& out) {
  // By trigram, by counting sort; the blocks of each ascend as they came.
  std::vector<std::uint32_t> starts(std::size_t{trigram_last} + 2, 0);
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
  for (Trigram trigram = 0; trigram <= trigram_last && out.size() - start <= rows_; ++trigram) {
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
