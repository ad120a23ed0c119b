// What writes sections and bodies; section.cpp reads them.
#include <algorithm>
#include <span>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/decimal_scale.hpp"
#include "engine/limits.hpp"
#include "engine/section.hpp"
#include "engine/token_table.hpp"

namespace docket {

void BodyWriter::start(std::uint32_t rows, BodyForm form) {
  rows_ = rows;
  form_ = form;
  entries_.clear();
  sections_.clear();
}

namespace {

// Appends the integers of a section, packed to its width, or coded where they may be and that takes
// less.
void append_ints(SectionEntry& entry, std::span<const std::uint64_t> bits, BodyForm form,
                 const ColumnTraits& traits, std::vector<std::byte>& out) {
  // A few values are read sooner than they are decoded.
  constexpr std::uint64_t worth_coding_bytes = 64;
  const std::uint64_t packed = packed_bytes(bits.size(), entry.width);
  if (form == BodyForm::sealed && packed > worth_coding_bytes && bits.size() <= coded_items_max &&
      encode_coded_ints(bits, traits, packed, out)) {
    entry.codec = Codec::ints_coded;
    return;
  }
  pack_bits(bits, entry.width, out);
}

}  // namespace

SectionEntry& BodyWriter::begin_section(Section section, Codec codec, std::uint32_t items) {
  DOCKET_ASSERT(entries_.empty() || entries_.back().section < section);
  entries_.push_back({.section = section,
                      .codec = codec,
                      .items = items,
                      .offset = static_cast<std::uint32_t>(sections_.size())});
  return entries_.back();
}

void BodyWriter::end_section() {
  SectionEntry& entry = entries_.back();
  auto bytes = std::span<const std::byte>(sections_).subspan(entry.offset);
  entry.bytes = static_cast<std::uint32_t>(bytes.size());
  if (is_chunks(entry.codec)) {
    bytes = bytes.first(entry.items * chunk_entry_bytes);
  }
  entry.checksum = checksum32(bytes);
}

void BodyWriter::add_ints(Section section, std::span<const std::uint64_t> values, bool scaled) {
  if (values.empty()) {
    return;
  }
  // Signed columns are ordered as signed, so that the base is the least of them.
  const bool is_time = section == Section::row_ts || section == Section::row_received;
  const auto less = [is_time](std::uint64_t a, std::uint64_t b) {
    return is_time ? static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b) : a < b;
  };
  const auto [least, most] = std::minmax_element(values.begin(), values.end(), less);
  const std::uint64_t base = *least;
  std::uint64_t span = *most - base;
  if (span == 0 && base == absent_column(section, 1).base()) {
    return;
  }
  std::uint8_t exponent = 0;
  if (scaled && span != 0) {
    for (const std::uint8_t candidate : {std::uint8_t{9}, std::uint8_t{6}, std::uint8_t{3}}) {
      const std::uint64_t unit = powers_of_ten[candidate];
      if (std::all_of(values.begin(), values.end(),
                      [base, unit](std::uint64_t v) { return (v - base) % unit == 0; })) {
        exponent = candidate;
        break;
      }
    }
  }
  const std::uint64_t unit = powers_of_ten[exponent];
  SectionEntry& entry =
      begin_section(section, Codec::ints, static_cast<std::uint32_t>(values.size()));
  entry.base = base;
  entry.scale_exponent = exponent;
  span /= unit;
  entry.width = static_cast<std::uint8_t>(bits_for(span));
  std::vector<std::uint64_t> packed(values.size());
  std::transform(values.begin(), values.end(), packed.begin(),
                 [base, unit](std::uint64_t v) { return (v - base) / unit; });
  append_ints(entry, packed, form_, {.is_series = is_time}, sections_);
  end_section();
}

SectionEntry encode_strings(std::span<const std::uint32_t> lengths,
                            std::span<const std::byte> bytes, std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  SectionEntry entry;
  entry.codec = Codec::strings_raw;
  entry.items = static_cast<std::uint32_t>(lengths.size());
  entry.width = static_cast<std::uint8_t>(
      bits_for(lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end())));
  pack_bits(lengths, entry.width, out);
  const std::size_t at = out.size();
  append_le(out, static_cast<std::uint32_t>(bytes.size()));
  if (compress(bytes, out)) {
    entry.codec = Codec::strings_lz4;
  } else {
    out.resize(at);
    append_bytes(out, bytes);
  }
  entry.bytes = static_cast<std::uint32_t>(out.size() - start);
  entry.checksum = checksum32(std::span<const std::byte>(out).subspan(start));
  return entry;
}

std::optional<SectionEntry> encode_ids(std::span<const std::uint32_t> values,
                                       std::vector<std::byte>& out, BodyForm form,
                                       const ColumnTraits& traits) {
  const std::uint32_t most = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  if (most == 0) {
    return std::nullopt;
  }
  const std::size_t start = out.size();
  SectionEntry entry;
  entry.items = static_cast<std::uint32_t>(values.size());
  // An id that every row shares costs no bits.
  if (std::all_of(values.begin(), values.end(), [most](auto v) { return v == most; })) {
    entry.base = most;
  } else {
    entry.width = static_cast<std::uint8_t>(bits_for(most));
    if (form == BodyForm::plain) {
      pack_bits(values, entry.width, out);
    } else {
      const std::vector<std::uint64_t> wide(values.begin(), values.end());
      append_ints(entry, wide, form, traits, out);
    }
  }
  entry.bytes = static_cast<std::uint32_t>(out.size() - start);
  entry.checksum = checksum32(std::span<const std::byte>(out).subspan(start));
  return entry;
}

void BodyWriter::push(Section section, SectionEntry entry, std::size_t at) {
  DOCKET_ASSERT(entries_.empty() || entries_.back().section < section);
  entry.section = section;
  entry.offset = static_cast<std::uint32_t>(at);
  entries_.push_back(entry);
}

void BodyWriter::add_ints(Section section, std::span<const std::uint32_t> values,
                          const ColumnTraits& traits) {
  const std::size_t at = sections_.size();
  if (const auto entry = encode_ids(values, sections_, form_, traits)) {
    push(section, *entry, at);
  }
}

void BodyWriter::add_strings(Section section, std::span<const std::uint32_t> lengths,
                             std::span<const std::byte> bytes) {
  DOCKET_ASSERT(!lengths.empty() && lengths[0] == 0);
  if (!bytes.empty()) {
    const std::size_t at = sections_.size();
    push(section, encode_strings(lengths, bytes, sections_), at);
  }
}

void BodyWriter::add_payloads(std::span<const std::uint32_t> lengths,
                              std::span<const std::byte> bytes, const TokenEncoder* tokens) {
  DOCKET_ASSERT(tokens == nullptr || form_ == BodyForm::sealed);
  if (bytes.empty()) {
    return;
  }
  add_ints(Section::payload_lengths, lengths);
  // Rows are put into chunks whole: a chunk ends with the row that fills it.
  std::vector<PayloadChunk> chunks;
  std::uint32_t filled = 0;
  for (std::uint32_t row = 0; row < lengths.size(); ++row) {
    if (chunks.empty() || filled >= limits::payload_chunk_bytes) {
      chunks.push_back({.first_row = row});
      filled = 0;
    }
    filled += lengths[row];
    chunks.back().raw_bytes = filled;
  }
  // A last chunk may be empty of bytes; it still bounds the rows of the one before.
  begin_section(Section::payload_data, tokens == nullptr ? Codec::chunks : Codec::chunks_tokens,
                static_cast<std::uint32_t>(chunks.size()));
  const std::size_t table = sections_.size();
  sections_.resize(table + chunks.size() * chunk_entry_bytes);
  std::size_t at = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const auto raw = bytes.subspan(at, chunks[i].raw_bytes);
    const std::size_t before = sections_.size();
    if (tokens != nullptr) {
      tokens->encode(as_text(raw), sections_);
    }
    if (tokens == nullptr ? !compress(raw, sections_) : sections_.size() - before >= raw.size()) {
      sections_.resize(before);
      append_bytes(sections_, raw);
    }
    chunks[i].stored_bytes = static_cast<std::uint32_t>(sections_.size() - before);
    std::byte* to = sections_.data() + table + i * chunk_entry_bytes;
    store_le(to, chunks[i].first_row);
    store_le(to + 4, chunks[i].raw_bytes);
    store_le(to + 8, chunks[i].stored_bytes);
    store_le(to + 12, checksum32(std::span<const std::byte>(sections_).subspan(before)));
    at += raw.size();
  }
  end_section();
}

std::vector<std::byte> BodyWriter::finish() {
  const std::size_t directory = body_header_bytes + entries_.size() * section_entry_bytes;
  std::vector<std::byte> body(directory);
  body.reserve(directory + sections_.size());
  store_le(body.data(), rows_);
  store_le(body.data() + 4, static_cast<std::uint16_t>(entries_.size()));
  store_le(body.data() + 6, std::uint16_t{0});
  std::byte* at = body.data() + body_header_bytes;
  for (const SectionEntry& entry : entries_) {
    store_le(at, static_cast<std::uint8_t>(entry.section));
    store_le(at + 1, static_cast<std::uint8_t>(entry.codec));
    store_le(at + 2, entry.width);
    store_le(at + 3, entry.scale_exponent);
    store_le(at + 4, entry.items);
    store_le(at + 8, entry.bytes);
    store_le(at + 12, entry.checksum);
    store_le(at + 16, entry.base);
    at += section_entry_bytes;
  }
  append_bytes(body, sections_);
  start(0);
  return body;
}

}  // namespace docket
