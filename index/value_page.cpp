#include "index/value_page.hpp"

#include <algorithm>
#include <bit>

#include "engine/assert.hpp"
#include "index/bit_stream.hpp"

namespace docket::index {
namespace {

// Bits of one strip's number.
[[nodiscard]] std::uint32_t strip_width(const PageShape& shape) {
  return shape.strips() <= 1 ? 0 : static_cast<std::uint32_t>(std::bit_width(shape.strips() - 1));
}

// Many strips take less room as one bit for each strip of the segment.
[[nodiscard]] bool as_bits(std::uint32_t count, const PageShape& shape) {
  return std::uint64_t{count} * strip_width(shape) >= shape.strips();
}

void put_strips(BitWriter& writer, std::span<const std::uint32_t> strips, const PageShape& shape) {
  if (!as_bits(static_cast<std::uint32_t>(strips.size()), shape)) {
    for (const std::uint32_t strip : strips) {
      writer.put(strip, strip_width(shape));
    }
    return;
  }
  std::size_t next = 0;
  for (std::uint32_t strip = 0; strip < shape.strips(); ++strip) {
    const bool in = next < strips.size() && strips[next] == strip;
    writer.put(in ? 1 : 0, 1);
    next += in ? 1 : 0;
  }
}

// Calls visit(strip) for `count` strips; false when they are not as many, or not ascending.
template <typename Visit>
[[nodiscard]] bool get_strips(BitReader& reader, std::uint32_t count, const PageShape& shape,
                              Visit&& visit) {
  std::uint32_t seen = 0;
  if (as_bits(count, shape)) {
    for (std::uint32_t first = 0; first < shape.strips(); first += 32) {
      std::uint64_t word = reader.get(std::min<std::uint32_t>(32, shape.strips() - first));
      for (; word != 0; word &= word - 1, ++seen) {
        visit(first + static_cast<std::uint32_t>(std::countr_zero(word)));
      }
    }
    return reader.ok() && seen == count;
  }
  const std::uint32_t width = strip_width(shape);
  std::int64_t last = -1;
  for (; seen < count; ++seen) {
    const auto strip = static_cast<std::uint32_t>(reader.get(width));
    if (!reader.ok() || strip >= shape.strips() || std::int64_t{strip} <= last) {
      return false;
    }
    last = strip;
    visit(strip);
  }
  return true;
}

// What stands before a value's strips.
struct Head {
  std::uint32_t rows = 0;
  std::uint32_t strips = 0;
};

[[nodiscard]] tl::unexpected<Error> corrupt(const char* what) {
  return fail(ErrorCode::corrupt, std::string("value page: ") + what);
}

[[nodiscard]] Result<Head> read_head(BitReader& reader, const PageShape& shape) {
  const std::uint64_t code = reader.get_gamma();
  if (!reader.ok() || code - 1 > shape.rows) {
    return corrupt("a value's number of rows is out of range");
  }
  Head head;
  head.rows = static_cast<std::uint32_t>(code - 1);
  if (head.rows > 0 && head.rows < shape.bitmap_rows_min) {
    const std::uint64_t spare = head.rows == 1 ? 1 : reader.get_gamma();
    if (!reader.ok() || spare > head.rows) {
      return corrupt("a value's number of strips is out of range");
    }
    head.strips = static_cast<std::uint32_t>(head.rows - spare + 1);
    if (head.strips > shape.strips()) {
      return corrupt("a value has more strips than the segment");
    }
  }
  return head;
}

// How many bits so many strips take.
[[nodiscard]] std::uint64_t strips_bits(std::uint32_t count, const PageShape& shape) {
  if (count == 0) {
    return 0;
  }
  return as_bits(count, shape) ? shape.strips() : std::uint64_t{count} * strip_width(shape);
}

}  // namespace

void ValuePage::encode(std::span<const ValuePostings> values, const PageShape& shape,
                       std::vector<std::byte>& out) {
  BitWriter writer(out);
  for (const ValuePostings& value : values) {
    writer.put_gamma(std::uint64_t{value.rows} + 1);
    if (value.rows == 0 || value.rows >= shape.bitmap_rows_min) {
      continue;
    }
    DOCKET_ASSERT(!value.strips.empty() && value.strips.size() <= value.rows);
    if (value.rows > 1) {
      writer.put_gamma(value.rows - value.strips.size() + 1);
    }
    put_strips(writer, value.strips, shape);
  }
  writer.finish();
}

Result<ValuePage> ValuePage::parse(std::vector<std::byte> bytes, std::uint32_t values,
                                   const PageShape& shape) {
  ValuePage page;
  page.shape_ = shape;
  const std::size_t stored = bytes.size();
  // Not by letting `bytes` grow, which would double what is kept.
  page.bytes_.reserve(stored + bit_padding);
  page.bytes_.assign(bytes.begin(), bytes.end());
  page.bytes_.resize(stored + bit_padding);
  page.rows_.reserve(values);
  page.strip_counts_.reserve(values);
  page.positions_.reserve(values);
  BitReader reader(std::span<const std::byte>(page.bytes_).first(stored));
  for (std::uint32_t i = 0; i < values; ++i) {
    DOCKET_ASSIGN(const Head head, read_head(reader, shape));
    page.rows_.push_back(head.rows);
    page.strip_counts_.push_back(head.strips);
    page.positions_.push_back(static_cast<std::uint32_t>(reader.position()));
    if (head.strips > 0 && !get_strips(reader, head.strips, shape, [](std::uint32_t) {})) {
      return corrupt("a value's strips are not in order");
    }
  }
  if (reader.remaining() >= 8) {
    return corrupt("bytes after the last value");
  }
  return page;
}

Result<void> ValuePage::read_rows(std::vector<std::byte> bytes, std::uint32_t values,
                                  const PageShape& shape, std::vector<std::uint32_t>& into) {
  const std::size_t stored = bytes.size();
  bytes.resize(stored + bit_padding);
  BitReader reader(std::span<const std::byte>(bytes).first(stored));
  for (std::uint32_t i = 0; i < values; ++i) {
    DOCKET_ASSIGN(const Head head, read_head(reader, shape));
    into.push_back(head.rows);
    reader.seek(reader.position() + strips_bits(head.strips, shape));
  }
  if (!reader.ok() || reader.remaining() >= 8) {
    return corrupt("strips are cut short, or bytes after the last value");
  }
  return {};
}

void ValuePage::strips(std::uint32_t i, std::vector<std::uint32_t>& into) const {
  BitReader reader(std::span<const std::byte>(bytes_).first(bytes_.size() - bit_padding));
  reader.seek(positions_[i]);
  const bool sound = get_strips(reader, strip_counts_[i], shape_,
                                [&](std::uint32_t strip) { into.push_back(strip); });
  DOCKET_ASSERT(sound);  // parse() has read the same bits.
}

}  // namespace docket::index
