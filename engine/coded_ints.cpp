#include "engine/coded_ints.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <optional>

#include "engine/byte_reader.hpp"
#include "engine/bytes.hpp"
#include "engine/prefix_code.hpp"

namespace docket {

namespace {

enum Form : std::uint8_t { as_differences = 1, in_runs = 2, by_rank = 4 };

// A number is a symbol and the bits below it: up to 31 itself, above it the place of its leading
// one and the two bits that follow, which leaves the rest.
constexpr std::uint32_t small_max = 32;
constexpr std::uint32_t first_place = 5;
constexpr std::size_t symbol_count = small_max + (64 - first_place) * 4;
constexpr std::uint32_t symbol_count_bits = 9;
static_assert(symbol_count < 1U << symbol_count_bits);
// Of the codes of one column. Longer ones would make its decoder larger than the column is worth.
constexpr std::uint32_t code_bits_max = 12;

struct Number {
  std::uint32_t symbol = 0;
  std::uint32_t bits = 0;  // below the symbol
};

Number number_of(std::uint64_t value) {
  if (value < small_max) {
    return {static_cast<std::uint32_t>(value), 0};
  }
  const auto place = static_cast<std::uint32_t>(std::bit_width(value) - 1);
  const auto next = static_cast<std::uint32_t>(value >> (place - 2)) & 3;
  return {small_max + (place - first_place) * 4 + next, place - 2};
}

std::uint32_t bits_below(std::uint32_t symbol) {
  return symbol < small_max ? 0 : (symbol - small_max) / 4 + first_place - 2;
}

std::uint64_t least_of(std::uint32_t symbol) {
  return symbol < small_max ? symbol
                            : std::uint64_t{4 + (symbol - small_max) % 4} << bits_below(symbol);
}

// The numbers of a column, and what writing them takes.
class Coder {
 public:
  void count(std::uint64_t value) {
    const Number number = number_of(value);
    ++counts_[number.symbol];
    below_ += number.bits;
  }
  void make_codes() {
    lengths_ = prefix_code_lengths(counts_, code_bits_max);
    while (!lengths_.empty() && lengths_.back() == 0) {
      lengths_.pop_back();
    }
    encoder_.emplace(lengths_);
  }
  // Of codes and numbers.
  [[nodiscard]] std::uint64_t bits() const {
    std::uint64_t total = symbol_count_bits + below_;
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
      total += 1 + (lengths_[i] == 0 ? 0 : 4) + counts_[i] * lengths_[i];
    }
    return total;
  }
  void put_codes(BitSink& sink) const {
    sink.put(lengths_.size(), symbol_count_bits);
    for (const std::uint8_t length : lengths_) {
      sink.put(length == 0 ? 0 : 1, 1);
      if (length != 0) {
        sink.put(length, 4);
      }
    }
  }
  void put(std::uint64_t value, BitSink& sink) const {
    const Number number = number_of(value);
    encoder_->put(number.symbol, sink);
    const std::uint32_t low = std::min<std::uint32_t>(number.bits, 32);
    sink.put(value & ((std::uint64_t{1} << low) - 1), low);
    if (number.bits > low) {
      const std::uint32_t high = number.bits - low;
      sink.put((value >> low) & ((std::uint64_t{1} << high) - 1), high);
    }
  }

 private:
  std::array<std::uint64_t, symbol_count> counts_{};
  std::uint64_t below_ = 0;
  std::vector<std::uint8_t> lengths_;
  std::optional<PrefixEncoder> encoder_;
};

class Decoder {
 public:
  static Result<Decoder> get(BitSource& source) {
    const std::uint64_t size = source.get(symbol_count_bits);
    if (size > symbol_count) {
      return fail(ErrorCode::corrupt, "coded ints: more symbols than there are");
    }
    std::vector<std::uint8_t> lengths(size);
    for (std::uint8_t& length : lengths) {
      const bool has_code = source.get(1) != 0;
      length = has_code ? static_cast<std::uint8_t>(source.get(4)) : std::uint8_t{0};
      if (length > code_bits_max || (has_code && length == 0)) {
        return fail(ErrorCode::corrupt, "coded ints: a code is too long, or has no bits");
      }
    }
    Decoder decoder;
    if (size != 0) {
      DOCKET_ASSIGN(decoder.codes_, PrefixDecoder::make(lengths));
    }
    return decoder;
  }
  // Where the bits at hand are no code, is_sound() turns false.
  [[nodiscard]] std::uint64_t next(BitSource& source) {
    const std::uint64_t bits = source.peek();
    const PrefixDecoder::Step step = codes_.step(bits);
    if (step.bits == 0) {
      is_sound_ = false;
      return 0;
    }
    const std::uint32_t below = bits_below(step.symbol);
    const std::uint64_t least = least_of(step.symbol);
    if (below + step.bits <= 56) {
      source.skip(step.bits + below);
      return least | ((bits >> step.bits) & ((std::uint64_t{1} << below) - 1));
    }
    source.skip(step.bits);
    const std::uint64_t low = source.get(32);
    return least | low | (source.get(below - 32) << 32);
  }
  [[nodiscard]] bool is_sound() const { return is_sound_; }

 private:
  PrefixDecoder codes_;
  bool is_sound_ = true;
};

// The value that stands most often, where that is in half of the places or more.
std::optional<std::uint64_t> common_value(std::span<const std::uint64_t> values) {
  std::uint64_t candidate = 0;
  std::size_t lead = 0;
  for (const std::uint64_t value : values) {
    if (lead == 0) {
      candidate = value;
    }
    lead = candidate == value ? lead + 1 : lead - 1;
  }
  const auto count = std::count(values.begin(), values.end(), candidate);
  return static_cast<std::size_t>(count) * 2 >= values.size() ? std::optional(candidate)
                                                              : std::nullopt;
}

// Calls gap(n) and other(value) for each value that is not `common`, of which n stand before it.
template <typename Gap, typename Other>
void for_each_other(std::span<const std::uint64_t> values, std::uint64_t common, const Gap& gap,
                    const Other& other) {
  std::uint64_t passed = 0;
  for (const std::uint64_t value : values) {
    if (value == common) {
      ++passed;
      continue;
    }
    gap(passed);
    other(value);
    passed = 0;
  }
}

bool encode(std::span<const std::uint64_t> values, std::vector<std::byte>& head,
            std::size_t bytes_max, std::vector<std::byte>& out) {
  Coder gaps;
  Coder others;
  const auto common = common_value(values);
  if (common) {
    head[0] |= std::byte{in_runs};
    std::uint32_t number = 0;
    for_each_other(
        values, *common,
        [&](std::uint64_t gap) {
          gaps.count(gap);
          ++number;
        },
        [&](std::uint64_t value) { others.count(value); });
    append_le(head, *common);
    append_le(head, number);
    gaps.make_codes();
  } else {
    for (const std::uint64_t value : values) {
      others.count(value);
    }
  }
  others.make_codes();
  const std::uint64_t bits = others.bits() + (common ? gaps.bits() : 0);
  if (head.size() + (bits + 7) / 8 >= bytes_max) {
    return false;
  }
  append_bytes(out, head);
  BitSink sink(out);
  if (common) {
    gaps.put_codes(sink);
  }
  others.put_codes(sink);
  if (common) {
    for_each_other(
        values, *common, [&](std::uint64_t gap) { gaps.put(gap, sink); },
        [&](std::uint64_t value) { others.put(value, sink); });
  } else {
    for (const std::uint64_t value : values) {
      others.put(value, sink);
    }
  }
  sink.finish();
  return true;
}

// A column's numbers in the order of its rows, piece by piece.
class Numbers {
 public:
  static Result<Numbers> get(ByteReader& reader, bool are_runs, std::uint32_t items) {
    Numbers numbers;
    numbers.left_ = items;
    numbers.are_runs_ = are_runs;
    if (are_runs) {
      numbers.common_ = reader.get<std::uint64_t>();
      numbers.others_left_ = reader.get<std::uint32_t>();
    }
    if (!reader.ok()) {
      return fail(ErrorCode::corrupt, "coded ints: cut short");
    }
    numbers.source_ = BitSource(reader.rest());
    if (are_runs) {
      DOCKET_ASSIGN(numbers.gaps_, Decoder::get(numbers.source_));
    }
    DOCKET_ASSIGN(numbers.others_, Decoder::get(numbers.source_));
    return numbers;
  }

  // Sets all of `piece`. Precondition: so many are left.
  [[nodiscard]] Result<void> next(std::span<std::uint64_t> piece) {
    if (are_runs_) {
      DOCKET_TRY(next_of_runs(piece));
    } else {
      for (std::uint64_t& value : piece) {
        value = others_.next(source_);
      }
    }
    left_ -= static_cast<std::uint32_t>(piece.size());
    const bool ends_well = left_ != 0 || (others_left_ == 0 && source_.is_at_end());
    if (!others_.is_sound() || !ends_well) {
      return fail(ErrorCode::corrupt, "coded ints: the stream does not end with the column");
    }
    return {};
  }
  [[nodiscard]] std::uint32_t left() const { return left_; }

 private:
  [[nodiscard]] Result<void> next_of_runs(std::span<std::uint64_t> piece) {
    std::fill(piece.begin(), piece.end(), common_);
    for (std::size_t at = 0; others_left_ != 0; ++at, --others_left_) {
      if (!gap_) {
        gap_ = gaps_.next(source_);
        if (!gaps_.is_sound() || *gap_ >= left_ - at) {
          return fail(ErrorCode::corrupt, "coded ints: runs are longer than the column");
        }
      }
      const std::size_t here = piece.size() - at;
      if (*gap_ >= here) {
        *gap_ -= here;
        break;
      }
      at += *gap_;
      gap_.reset();
      piece[at] = others_.next(source_);
    }
    return {};
  }

  BitSource source_;
  Decoder gaps_, others_;
  std::uint32_t left_ = 0;
  bool are_runs_ = false;
  // Of runs.
  std::uint64_t common_ = 0;
  std::uint32_t others_left_ = 0;
  std::optional<std::uint64_t> gap_;  // to the next that is another
};

}  // namespace

ValueOrder ValueOrder::by_frequency(std::span<const std::uint32_t> counts) {
  // Naming an id takes about as much as it spares the first few times.
  constexpr std::uint32_t count_min = 4;
  ValueOrder order;
  for (std::uint32_t id = 0; id < counts.size(); ++id) {
    if (counts[id] >= count_min) {
      order.ids_.push_back(id);
    }
  }
  std::stable_sort(order.ids_.begin(), order.ids_.end(),
                   [counts](std::uint32_t a, std::uint32_t b) { return counts[a] > counts[b]; });
  order.ranks_.assign(counts.size(), no_rank);
  for (std::uint32_t rank = 0; rank < order.ids_.size(); ++rank) {
    order.ranks_[order.ids_[rank]] = rank;
  }
  return order;
}

bool encode_coded_ints(std::span<const std::uint64_t> values, const ColumnTraits& traits,
                       std::size_t bytes_max, std::vector<std::byte>& out) {
  std::vector<std::byte> head(1);
  std::vector<std::uint64_t> changed;
  if (traits.is_series) {
    changed.resize(values.size());
    std::adjacent_difference(values.begin(), values.end(), changed.begin());
    const auto least =
        *std::min_element(changed.begin(), changed.end(), [](std::uint64_t a, std::uint64_t b) {
          return static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b);
        });
    for (std::uint64_t& difference : changed) {
      difference -= least;
    }
    head[0] |= std::byte{as_differences};
    append_le(head, least);
    values = changed;
  } else if (traits.order != nullptr) {
    changed.reserve(values.size());
    for (const std::uint64_t value : values) {
      changed.push_back(traits.order->rank_of(value));
    }
    head[0] |= std::byte{by_rank};
    values = changed;
  }
  return encode(values, head, bytes_max, out);
}

Result<void> decode_coded_ints(std::span<const std::byte> stored, std::uint32_t width,
                               std::span<const std::uint32_t> order, std::uint32_t items,
                               const std::function<void(std::span<const std::uint64_t>)>& take) {
  ByteReader reader(stored);
  const auto form = reader.get<std::uint8_t>();
  if (form > (as_differences | in_runs | by_rank) ||
      ((form & as_differences) != 0 && (form & by_rank) != 0)) {
    return fail(ErrorCode::corrupt, "coded ints: unknown form");
  }
  const auto least = (form & as_differences) != 0 ? reader.get<std::uint64_t>() : 0;
  DOCKET_ASSIGN(Numbers numbers, Numbers::get(reader, (form & in_runs) != 0, items));
  // Of a whole table of a segment they would take megabytes, and the time that clearing them takes.
  std::array<std::uint64_t, 1024> some;
  std::uint64_t last = 0;
  do {
    const auto piece = std::span(some).first(std::min<std::size_t>(some.size(), numbers.left()));
    DOCKET_TRY(numbers.next(piece));
    std::uint64_t all = 0;
    for (std::uint64_t& value : piece) {
      if ((form & as_differences) != 0) {
        value = last = last + value + least;
      } else if ((form & by_rank) != 0) {
        value = value < order.size() ? order[value] : value - order.size();
      }
      all |= value;
    }
    if (width < 64 && all >> width != 0) {
      return fail(ErrorCode::corrupt, "coded ints: a value is too large");
    }
    take(piece);
  } while (numbers.left() != 0);
  return {};
}

}  // namespace docket
