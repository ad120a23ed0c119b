#include "engine/footer.hpp"

#include <cstring>

#include "engine/byte_reader.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"
#include "engine/read_account.hpp"
#include "engine/segment_file.hpp"

namespace docket {

namespace {

constexpr std::string_view magic = "DKTFOOT1";
constexpr std::size_t trailer_checksum_at = 56;
// Far more than the largest segment's footer takes; bounds what a hostile trailer can ask for.
constexpr std::uint64_t footer_bytes_max = std::uint64_t{512} << 20;

void append_entry(std::vector<std::byte>& out, const SectionEntry& entry) {
  append_le(out, static_cast<std::uint8_t>(entry.section));
  append_le(out, static_cast<std::uint8_t>(entry.codec));
  append_le(out, entry.width);
  append_le(out, entry.scale_exponent);
  append_le(out, entry.items);
  append_le(out, entry.bytes);
  append_le(out, entry.checksum);
  append_le(out, entry.base);
}

void append_placed(std::vector<std::byte>& out, const std::optional<PlacedSection>& placed) {
  append_le(out, static_cast<std::uint8_t>(placed.has_value()));
  if (placed) {
    append_le(out, placed->at.value);
    append_entry(out, placed->entry);
  }
}

void append_tokens(std::vector<std::byte>& out, const std::optional<PlacedTokens>& tokens) {
  append_placed(out, tokens ? std::optional(tokens->texts) : std::nullopt);
  if (tokens) {
    append_placed(out, tokens->lengths);
    append_placed(out, tokens->shared_lengths);
  }
}

SectionEntry get_entry(ByteReader& reader) {
  SectionEntry entry;
  entry.section = static_cast<Section>(reader.get<std::uint8_t>());
  entry.codec = static_cast<Codec>(reader.get<std::uint8_t>());
  entry.width = reader.get<std::uint8_t>();
  entry.scale_exponent = reader.get<std::uint8_t>();
  entry.items = reader.get<std::uint32_t>();
  entry.bytes = reader.get<std::uint32_t>();
  entry.checksum = reader.get<std::uint32_t>();
  entry.base = reader.get<std::uint64_t>();
  return entry;
}

bool is_strings_entry(const SectionEntry& entry) {
  return is_strings(entry.codec) && entry.width <= 32 && entry.scale_exponent == 0 &&
         entry.base == 0 && entry.bytes <= limits::block_bytes_max &&
         entry.bytes >= packed_bytes(entry.items, entry.width);
}

// Each string takes a bit of the stream at least.
bool is_token_strings_entry(const SectionEntry& entry) {
  return entry.codec == Codec::strings_tokens && entry.width == 0 && entry.scale_exponent == 0 &&
         entry.base == 0 && entry.bytes <= limits::block_bytes_max &&
         entry.bytes >= packed_bytes(entry.items, 1);
}

bool is_ids_entry(const SectionEntry& entry, std::uint32_t items) {
  const std::uint64_t packed = packed_bytes(items, entry.width);
  return is_ints(entry.codec) && entry.width <= 32 && entry.scale_exponent == 0 &&
         entry.items == items &&
         (entry.codec == Codec::ints ? entry.bytes == packed
                                     : entry.bytes < packed && items <= coded_items_max);
}

// Ids are distinct: where they take no bits, there is one.
bool is_order(const SectionEntry& entry, std::uint32_t values) {
  return entry.codec == Codec::ints && entry.items <= values && is_ids_entry(entry, entry.items) &&
         (entry.width != 0 ? entry.base == 0 : entry.items <= 1 && entry.base < values);
}

bool are_tokens(const PlacedTokens& tokens) {
  const std::uint32_t items = tokens.texts.entry.items;
  const auto is_small = [](const SectionEntry& entry) {
    return entry.codec == Codec::ints && entry.width <= 8 && is_ids_entry(entry, entry.items);
  };
  // Without bytes their place would be the next section's, too.
  return is_strings_entry(tokens.texts.entry) && tokens.texts.entry.bytes != 0 &&
         items <= limits::tokens_max && is_small(tokens.lengths.entry) &&
         tokens.lengths.entry.items == items &&
         (!tokens.shared_lengths ||
          (is_small(tokens.shared_lengths->entry) &&
           tokens.shared_lengths->entry.items <= limits::string_bytes_max + 1));
}

// Reads what encode_footer wrote, trusting nothing: a matching checksum only says that somebody
// wrote these bytes.
class FooterReader {
 public:
  explicit FooterReader(std::span<const std::byte> bytes) : reader_(bytes) {}

  Result<Footer> read() {
    read_summary();
    DOCKET_TRY(read_blocks());
    DOCKET_TRY(read_strings());
    DOCKET_TRY(read_tables());
    auto rest = reader_.rest();
    if (!reader_.ok()) {
      return bad("is cut short");
    }
    DOCKET_ASSIGN(footer_.producers, ProducerTable::decode(rest));
    if (!rest.empty()) {
      return bad("has bytes behind its end");
    }
    return std::move(footer_);
  }

 private:
  static tl::unexpected<Error> bad(std::string_view what) {
    return fail(ErrorCode::corrupt, "footer " + std::string(what));
  }

  void read_summary() {
    SegmentSummary& s = footer_.summary;
    s.first_seq = Seq(reader_.get<std::uint64_t>());
    s.last_seq = Seq(reader_.get<std::uint64_t>());
    s.rows = reader_.get<std::uint32_t>();
    s.ts_min = reader_.get<Nanos>();
    s.ts_max = reader_.get<Nanos>();
    s.received_min = reader_.get<Nanos>();
    s.received_max = reader_.get<Nanos>();
  }

  Result<void> read_blocks() {
    const auto count = reader_.get<std::uint32_t>();
    std::uint64_t rows = 0;
    Seq next = footer_.summary.first_seq;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto head_bytes = reader_.get<std::uint32_t>();
      const auto head = reader_.bytes(head_bytes);
      DOCKET_ASSIGN(const BlockHeader header, decode_block_header(head));
      if (head.size() != block_header_bytes + header.directory_bytes) {
        return bad("has a block header of the wrong size");
      }
      DOCKET_ASSIGN(BodyDirectory directory,
                    parse_directory(head.subspan(block_header_bytes), BodyForm::sealed));
      if ((header.flags & block_sealed) == 0 || header.rows == 0 || directory.rows != header.rows ||
          directory.body_bytes != header.body_bytes || header.first_seq < next) {
        return bad("has a block that does not fit in");
      }
      rows += header.rows;
      next = header.end_seq();
      footer_.blocks.push_back({header, std::move(directory)});
    }
    if (rows != footer_.summary.rows || (count != 0 && next != footer_.summary.last_seq + 1)) {
      return bad("and its blocks disagree");
    }
    return {};
  }

  Result<void> read_strings() {
    for (StringPages& list : footer_.strings) {
      list.size = reader_.get<std::uint32_t>();
      bool has_streams = false;
      const std::uint64_t pages = (std::uint64_t{list.size} + limits::dictionary_page_entries - 1) /
                                  limits::dictionary_page_entries;
      for (std::uint32_t i = 0; i < pages && reader_.ok(); ++i) {
        const FileOffset at(reader_.get<std::uint64_t>());
        const PlacedSection page{get_entry(reader_), at};
        const std::uint32_t items = i + 1 < pages ? limits::dictionary_page_entries
                                                  : list.size - i * limits::dictionary_page_entries;
        has_streams = has_streams || page.entry.codec == Codec::strings_tokens;
        if ((!is_strings_entry(page.entry) && !is_token_strings_entry(page.entry)) ||
            page.entry.items != items) {
          return bad("has a dictionary page that is out of bounds");
        }
        list.pages.push_back(page);
      }
      DOCKET_TRY(read_tokens(list.tokens));
      if (has_streams && !list.tokens) {
        return bad("has a dictionary page of tokens that are not there");
      }
      if (list.size == 0) {
        return bad("has a dictionary without entry 0");
      }
    }
    return {};
  }

  Result<void> read_tables() {
    footer_.actor_count = reader_.get<std::uint32_t>();
    footer_.target_count = reader_.get<std::uint32_t>();
    const auto placed = [this](std::uint32_t items,
                               std::optional<PlacedSection>& into) -> Result<void> {
      into = get_placed();
      return !into || is_ids_entry(into->entry, items) ? Result<void>()
                                                       : bad("has a table out of bounds");
    };
    DOCKET_TRY(placed(footer_.actor_count, footer_.actor_kinds));
    DOCKET_TRY(placed(footer_.actor_count, footer_.actor_roles));
    DOCKET_TRY(placed(footer_.target_count, footer_.target_types));
    DOCKET_TRY(read_orders());
    const auto size = [this](TableStrings strings) {
      return footer_.strings[string_list_number(strings)].size;
    };
    if (size(TableStrings::actor_id) != footer_.actor_count ||
        size(TableStrings::actor_name) != footer_.actor_count ||
        size(TableStrings::target_id) != footer_.target_count ||
        size(TableStrings::target_name) != footer_.target_count) {
      return bad("has tables whose parts disagree about their size");
    }
    return {};
  }

  std::optional<PlacedSection> get_placed() {
    if (reader_.get<std::uint8_t>() == 0) {
      return std::nullopt;
    }
    const FileOffset at(reader_.get<std::uint64_t>());
    return PlacedSection{get_entry(reader_), at};
  }

  Result<void> read_tokens(std::optional<PlacedTokens>& into) {
    const auto texts = get_placed();
    if (!texts) {
      return {};
    }
    const auto lengths = get_placed();
    if (!lengths) {
      return bad("has tokens without codes");
    }
    into = PlacedTokens{*texts, *lengths, get_placed()};
    return are_tokens(*into) ? Result<void>() : bad("has tokens out of bounds");
  }

  Result<void> read_orders() {
    const auto order = [this](std::uint32_t values,
                              std::optional<PlacedSection>& into) -> Result<void> {
      into = get_placed();
      return !into || is_order(into->entry, values) ? Result<void>()
                                                    : bad("has an order of ids out of bounds");
    };
    DOCKET_TRY(order(footer_.actor_count, footer_.actor_order));
    DOCKET_TRY(order(footer_.target_count, footer_.target_order));
    DOCKET_TRY(
        order(footer_.strings[string_list_number(DictionaryField::ip)].size, footer_.ip_order));
    return read_tokens(footer_.payload_tokens);
  }

  ByteReader reader_;
  Footer footer_;
};

// Walks the file's content up to the footer: everything comes after what was named before it.
class Layout {
 public:
  explicit Layout(std::uint64_t end) : end_(end) {}

  void next(FileOffset at, std::uint64_t bytes) {
    sound_ = sound_ && at.value >= at_ && at.value <= end_ && bytes <= end_ - at.value;
    at_ = at.value + bytes;
  }
  void next(const PlacedSection& section) { next(section.at, section.entry.bytes); }
  void next(const std::optional<PlacedSection>& section) {
    if (section) {
      next(*section);
    }
  }
  void next(const std::optional<PlacedTokens>& tokens) {
    if (tokens) {
      next(tokens->texts);
      next(tokens->lengths);
      next(tokens->shared_lengths);
    }
  }
  [[nodiscard]] bool sound() const { return sound_; }

 private:
  std::uint64_t end_;
  std::uint64_t at_ = segment_header_bytes;
  bool sound_ = true;
};

// Whether all that the footer names stands before it and nothing stands in the place of another, so
// that no reader is sent elsewhere, asks for more memory than the file could fill, or finds in the
// cache under one place what belongs to another.
bool is_laid_out(const Footer& footer, std::uint64_t end) {
  Layout layout(end);
  for (const SealedBlock& block : footer.blocks) {
    layout.next(block.header.offset, block.header.block_bytes());
  }
  for (const StringPages& list : footer.strings) {
    for (const PlacedSection& page : list.pages) {
      layout.next(page);
    }
    layout.next(list.tokens);
  }
  for (const auto& section : {footer.actor_kinds, footer.actor_roles, footer.target_types,
                              footer.actor_order, footer.target_order, footer.ip_order}) {
    layout.next(section);
  }
  layout.next(footer.payload_tokens);
  return layout.sound();
}

}  // namespace

std::vector<std::byte> encode_footer(const Footer& footer, FileOffset at) {
  std::vector<std::byte> out;
  const SegmentSummary& s = footer.summary;
  append_le(out, s.first_seq.value);
  append_le(out, s.last_seq.value);
  append_le(out, s.rows);
  append_le(out, s.ts_min);
  append_le(out, s.ts_max);
  append_le(out, s.received_min);
  append_le(out, s.received_max);
  append_le(out, static_cast<std::uint32_t>(footer.blocks.size()));
  for (const SealedBlock& block : footer.blocks) {
    std::vector<std::byte> head(block_header_bytes);
    append_le(head, block.directory.rows);
    append_le(head, static_cast<std::uint16_t>(block.directory.entries.size()));
    append_le(head, std::uint16_t{0});
    for (const SectionEntry& entry : block.directory.entries) {
      append_entry(head, entry);
    }
    encode_block_header(block.header, head);
    append_le(out, static_cast<std::uint32_t>(head.size()));
    append_bytes(out, head);
  }
  for (const StringPages& list : footer.strings) {
    append_le(out, list.size);
    for (const PlacedSection& page : list.pages) {
      append_le(out, page.at.value);
      append_entry(out, page.entry);
    }
    append_tokens(out, list.tokens);
  }
  append_le(out, footer.actor_count);
  append_le(out, footer.target_count);
  append_placed(out, footer.actor_kinds);
  append_placed(out, footer.actor_roles);
  append_placed(out, footer.target_types);
  append_placed(out, footer.actor_order);
  append_placed(out, footer.target_order);
  append_placed(out, footer.ip_order);
  append_tokens(out, footer.payload_tokens);
  footer.producers.encode(out);

  const std::uint64_t bytes = out.size();
  std::vector<std::byte> trailer(trailer_bytes);
  std::byte* to = trailer.data();
  std::memcpy(to, magic.data(), magic.size());
  store_le(to + 8, at.value);
  store_le(to + 16, bytes);
  store_le(to + 24, checksum64(out));
  store_le(to + 32, format_version);
  store_le(to + trailer_checksum_at,
           checksum64(std::span<const std::byte>(trailer).first(trailer_checksum_at)));
  append_bytes(out, trailer);
  return out;
}

std::uint64_t trailer_digest(std::span<const std::byte> footer_and_trailer) {
  return load_le<std::uint64_t>(footer_and_trailer.last(trailer_bytes).data() + 24);
}

Result<LoadedFooter> load_footer(const File& file, SegmentId id) {
  DOCKET_ASSIGN(const std::uint64_t size, file.size());
  if (size < segment_header_bytes + trailer_bytes) {
    return fail_corrupt("segment file is cut short", id.value, size);
  }
  const std::uint64_t trailer_at = size - trailer_bytes;
  std::array<std::byte, trailer_bytes> trailer{};
  DOCKET_TRY(file.read_at(FileOffset(trailer_at), trailer));
  const std::byte* from = trailer.data();
  const auto checked = std::span<const std::byte>(trailer).first(trailer_checksum_at);
  if (std::memcmp(from, magic.data(), magic.size()) != 0 ||
      load_le<std::uint64_t>(from + trailer_checksum_at) != checksum64(checked)) {
    return fail_corrupt("trailer checksum does not match", id.value, trailer_at);
  }
  DOCKET_TRY(check_format(load_le<std::uint32_t>(from + 32), load_le<std::uint32_t>(from + 40)));
  const auto at = load_le<std::uint64_t>(from + 8);
  const auto bytes = load_le<std::uint64_t>(from + 16);
  if (bytes > footer_bytes_max || at > trailer_at || bytes != trailer_at - at) {
    return fail_corrupt("trailer is out of bounds", id.value, trailer_at);
  }
  std::vector<std::byte> footer(bytes);
  DOCKET_TRY(file.read_at(FileOffset(at), footer));
  ReadAccount::add(trailer.size() + footer.size());
  const std::uint64_t digest = checksum64(footer);
  if (digest != load_le<std::uint64_t>(from + 24)) {
    return fail_corrupt("footer checksum does not match", id.value, at);
  }
  auto read = FooterReader(footer).read();
  if (!read) {
    return fail_corrupt(read.error().message, id.value, at);
  }
  if (!is_laid_out(*read, at)) {
    return fail_corrupt("footer does not follow the file's layout", id.value, at);
  }
  return LoadedFooter{std::move(*read), digest};
}

}  // namespace docket
