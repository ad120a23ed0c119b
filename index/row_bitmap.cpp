#include "index/row_bitmap.hpp"

#include <algorithm>
#include <bit>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "index/bit_stream.hpp"

namespace docket::index {
namespace {

// 0 form u8 · 1 low bits u8 · 2 count - 1 u16 · 4 bytes u16
constexpr std::uint32_t container_header_bytes = 6;
constexpr std::uint32_t run_bytes = 4;  // first u16 · length - 1 u16

[[nodiscard]] constexpr std::uint32_t bits_bytes(std::uint32_t rows) {
  return (rows + 63) / 64 * 8;
}

// A list of `count` of `rows` numbers keeps `low` bits of each as they are and the rest in unary.
[[nodiscard]] constexpr std::uint32_t list_low_bytes(std::uint32_t count, std::uint32_t low) {
  return (count * low + 7) / 8;
}
[[nodiscard]] constexpr std::uint32_t list_high_bits(std::uint32_t count, std::uint32_t rows,
                                                     std::uint32_t low) {
  return count + ((rows - 1) >> low) + 1;
}
[[nodiscard]] constexpr std::uint32_t list_bytes(std::uint32_t count, std::uint32_t rows,
                                                 std::uint32_t low) {
  return list_low_bytes(count, low) + (list_high_bits(count, rows, low) + 7) / 8;
}
[[nodiscard]] std::uint32_t best_low_bits(std::uint32_t count, std::uint32_t rows) {
  return rows / count <= 1 ? 0 : static_cast<std::uint32_t>(std::bit_width(rows / count) - 1);
}

void append_list(std::span<const std::uint32_t> chunk, std::uint32_t rows, std::uint32_t low,
                 std::vector<std::byte>& out) {
  const auto count = static_cast<std::uint32_t>(chunk.size());
  const std::size_t start = out.size();
  out.resize(start + list_bytes(count, rows, low));
  std::byte* const high = out.data() + start + list_low_bytes(count, low);
  std::vector<std::byte> lows;
  BitWriter writer(lows);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t row = chunk[i] % limits::chunk_rows;
    writer.put(row & ((std::uint32_t{1} << low) - 1), low);
    const std::uint32_t bit = (row >> low) + i;
    high[bit / 8] |= std::byte{1} << (bit % 8);
  }
  writer.finish();
  std::copy(lows.begin(), lows.end(), out.begin() + static_cast<std::ptrdiff_t>(start));
}

void append_bits(std::span<const std::uint32_t> chunk, std::uint32_t rows,
                 std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  out.resize(start + bits_bytes(rows));
  for (const std::uint32_t absolute : chunk) {
    const std::uint32_t row = absolute % limits::chunk_rows;
    out[start + row / 8] |= std::byte{1} << (row % 8);
  }
}

[[nodiscard]] std::uint32_t count_runs(std::span<const std::uint32_t> chunk) {
  std::uint32_t runs = chunk.empty() ? 0 : 1;
  for (std::size_t i = 1; i < chunk.size(); ++i) {
    runs += chunk[i] != chunk[i - 1] + 1 ? 1 : 0;
  }
  return runs;
}

void append_runs(std::span<const std::uint32_t> chunk, std::vector<std::byte>& out) {
  for (std::size_t i = 0; i < chunk.size();) {
    std::size_t end = i + 1;
    while (end < chunk.size() && chunk[end] == chunk[end - 1] + 1) {
      ++end;
    }
    append_le(out, static_cast<std::uint16_t>(chunk[i] % limits::chunk_rows));
    append_le(out, static_cast<std::uint16_t>(end - i - 1));
    i = end;
  }
}

[[nodiscard]] std::uint32_t rows_of_chunk(std::uint32_t rows, std::uint32_t chunk) {
  return std::min(limits::chunk_rows, rows - chunk * limits::chunk_rows);
}

// Calls visit(row) for each number of a list, ascending when the bytes are sound; stops when it
// returns false or the bytes are no list. Returns how many were visited.
template <typename Visit>
std::uint32_t visit_list(const std::byte* bytes, std::uint32_t count, std::uint32_t rows,
                         std::uint32_t low, Visit&& visit) {
  const std::byte* const high = bytes + list_low_bytes(count, low);
  const std::uint32_t high_bits = list_high_bits(count, rows, low);
  const std::uint64_t low_mask = (std::uint64_t{1} << low) - 1;
  std::uint32_t i = 0;
  for (std::uint32_t base = 0; base < high_bits; base += 64) {
    auto word = load_le<std::uint64_t>(high + base / 8);
    if (high_bits - base < 64) {
      word &= (std::uint64_t{1} << (high_bits - base)) - 1;
    }
    while (word != 0) {
      if (i == count) {
        return i;
      }
      const std::uint32_t at = base + static_cast<std::uint32_t>(std::countr_zero(word));
      word &= word - 1;
      const std::uint32_t bit = i * low;
      const std::uint64_t low_part =
          load_le<std::uint64_t>(bytes + bit / 8) >> (bit % 8) & low_mask;
      // The i-th one stands i places too far; more ones than places before it cannot be.
      const std::uint64_t row = (std::uint64_t{at - i} << low) | low_part;
      if (row >= rows || !visit(static_cast<std::uint32_t>(row))) {
        return i;
      }
      ++i;
    }
  }
  return i;
}

}  // namespace

void RowBitmap::encode(std::span<const std::uint32_t> ascending, std::uint32_t rows,
                       std::vector<std::byte>& out) {
  DOCKET_ASSERT(ascending.empty() || ascending.back() < rows);
  const std::uint32_t chunks = (rows + limits::chunk_rows - 1) / limits::chunk_rows;
  std::size_t header = out.size();
  out.resize(header + std::size_t{chunks} * container_header_bytes);
  std::size_t begin = 0;
  for (std::uint32_t chunk = 0; chunk < chunks; ++chunk, header += container_header_bytes) {
    std::size_t end = begin;
    while (end < ascending.size() && ascending[end] / limits::chunk_rows == chunk) {
      ++end;
    }
    const std::span<const std::uint32_t> part = ascending.subspan(begin, end - begin);
    begin = end;
    if (part.empty()) {
      continue;
    }
    const auto count = static_cast<std::uint32_t>(part.size());
    const std::uint32_t chunk_rows = rows_of_chunk(rows, chunk);
    const std::uint32_t low = best_low_bits(count, chunk_rows);
    const std::uint32_t as_list = list_bytes(count, chunk_rows, low);
    const std::uint32_t as_bits = bits_bytes(chunk_rows);
    const std::uint32_t as_runs = count_runs(part) * run_bytes;
    const std::size_t start = out.size();
    Form form = Form::bits;
    if (as_runs <= std::min(as_list, as_bits)) {
      form = Form::runs;
      append_runs(part, out);
    } else if (as_list <= as_bits / 2) {
      form = Form::list;
      append_list(part, chunk_rows, low, out);
    } else {
      append_bits(part, chunk_rows, out);
    }
    out[header] = static_cast<std::byte>(form);
    out[header + 1] = static_cast<std::byte>(form == Form::list ? low : 0);
    store_le(out.data() + header + 2, static_cast<std::uint16_t>(count - 1));
    store_le(out.data() + header + 4, static_cast<std::uint16_t>(out.size() - start));
  }
}

Result<RowBitmap> RowBitmap::parse(std::vector<std::byte> bytes, std::uint32_t rows) {
  const auto corrupt = [](const char* what) {
    return fail(ErrorCode::corrupt, std::string("row bitmap: ") + what);
  };
  const std::uint32_t chunks = (rows + limits::chunk_rows - 1) / limits::chunk_rows;
  std::size_t offset = std::size_t{chunks} * container_header_bytes;
  if (bytes.size() < offset) {
    return corrupt("ends within its headers");
  }
  RowBitmap bitmap;
  bitmap.containers_.resize(chunks);
  for (std::uint32_t chunk = 0; chunk < chunks; ++chunk) {
    const std::byte* const header = bytes.data() + std::size_t{chunk} * container_header_bytes;
    const auto form = std::to_integer<std::uint8_t>(header[0]);
    const auto low = std::to_integer<std::uint8_t>(header[1]);
    Container& container = bitmap.containers_[chunk];
    container.rows = rows_of_chunk(rows, chunk);
    container.bytes = load_le<std::uint16_t>(header + 4);
    const std::uint32_t count = std::uint32_t{load_le<std::uint16_t>(header + 2)} + 1;
    if (form > static_cast<std::uint8_t>(Form::runs)) {
      return corrupt("unknown form of container");
    }
    container.form = static_cast<Form>(form);
    container.low_bits = low;
    if ((container.form != Form::list && low != 0) || low > 16) {
      return corrupt("number of low bits out of range");
    }
    if (container.form == Form::empty) {
      if (count != 1 || container.bytes != 0) {
        return corrupt("an empty container that is not");
      }
      continue;
    }
    container.count = count;
    bool sized = container.count <= container.rows;
    switch (container.form) {
      case Form::empty:
        break;
      case Form::list:
        sized = sized && container.bytes == list_bytes(count, container.rows, low);
        break;
      case Form::bits:
        sized = sized && container.bytes == bits_bytes(container.rows);
        break;
      case Form::runs:
        sized = sized && container.bytes != 0 && container.bytes % run_bytes == 0;
        break;
    }
    if (!sized) {
      return corrupt("a container's size does not fit its count");
    }
    if (bytes.size() - offset < container.bytes) {
      return corrupt("ends within a container");
    }
    container.offset = static_cast<std::uint32_t>(offset);
    offset += container.bytes;
    bitmap.total_ += container.count;
  }
  if (offset != bytes.size()) {
    return corrupt("bytes after the last container");
  }
  bytes.resize(bytes.size() + bit_padding);
  bitmap.bytes_ = std::move(bytes);
  return bitmap;
}

void RowBitmap::add_to(std::uint32_t chunk, RowBits& bits, WordRange range) const {
  const Container& container = containers_[chunk];
  const std::byte* const bytes = bytes_.data() + container.offset;
  switch (container.form) {
    case Form::empty:
      return;
    case Form::list:
      visit_list(bytes, container.count, container.rows, container.low_bits,
                 [&](std::uint32_t row) {
                   const std::uint32_t word = row / 64;
                   if (word >= range.begin && word < range.end) {
                     bits.words[word] |= std::uint64_t{1} << (row % 64);
                   }
                   return word < range.end;
                 });
      return;
    case Form::bits: {
      const std::uint32_t end = std::min(range.end, container.bytes / 8);
      for (std::uint32_t word = range.begin; word < end; ++word) {
        bits.words[word] |= load_le<std::uint64_t>(bytes + std::size_t{word} * 8);
      }
      return;
    }
    case Form::runs:
      for (std::uint32_t at = 0; at < container.bytes; at += run_bytes) {
        const std::uint32_t first = load_le<std::uint16_t>(bytes + at);
        const std::uint32_t end = first + load_le<std::uint16_t>(bytes + at + 2) + 1;
        bits.set_rows(std::max(first, range.begin * 64),
                      std::min({end, range.end * 64, container.rows}));
      }
      return;
  }
}

bool RowBitmap::is_sound() const {
  for (const Container& container : containers_) {
    const std::byte* const bytes = bytes_.data() + container.offset;
    std::uint64_t count = 0;
    std::int64_t last = -1;
    switch (container.form) {
      case Form::empty:
        break;
      case Form::list:
        count = visit_list(bytes, container.count, container.rows, container.low_bits,
                           [&](std::uint32_t row) {
                             const bool ascends = std::int64_t{row} > last;
                             last = row;
                             return ascends;
                           });
        break;
      case Form::bits:
        for (std::uint32_t at = 0; at < container.bytes; at += 8) {
          count += static_cast<std::uint64_t>(std::popcount(load_le<std::uint64_t>(bytes + at)));
        }
        if (container.rows % 64 != 0 &&
            load_le<std::uint64_t>(bytes + container.bytes - 8) >> (container.rows % 64) != 0) {
          return false;
        }
        break;
      case Form::runs:
        for (std::uint32_t at = 0; at < container.bytes; at += run_bytes) {
          const std::uint32_t first = load_le<std::uint16_t>(bytes + at);
          const std::uint32_t length = std::uint32_t{load_le<std::uint16_t>(bytes + at + 2)} + 1;
          // Two runs that touch would be one.
          if (std::int64_t{first} <= last + (at == 0 ? 0 : 1) || first + length > container.rows) {
            return false;
          }
          last = std::int64_t{first} + length - 1;
          count += length;
        }
        break;
    }
    if (count != container.count) {
      return false;
    }
  }
  return true;
}

}  // namespace docket::index
