#include "engine/dictionary_writer.hpp"

#include <algorithm>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"
#include "engine/token_training.hpp"

namespace docket {

namespace {

// Below it a table of tokens takes more than it spares.
constexpr std::uint64_t worth_tokens_bytes = 16 * 1024;
// What tokens are learnt from: a part of the list that keeps the time for it in proportion.
std::uint64_t sample_bytes_max(std::uint64_t bytes) {
  constexpr std::uint64_t share = 16;
  constexpr std::uint64_t least = 64 * 1024;
  return std::clamp<std::uint64_t>(bytes / share, least, limits::token_sample_bytes_max);
}

using Text = std::function<std::string_view(std::uint32_t id)>;

SectionEntry encode_plain(std::span<const std::string_view> strings, std::vector<std::byte>& out) {
  std::vector<std::uint32_t> lengths;
  std::vector<std::byte> bytes;
  for (const std::string_view string : strings) {
    lengths.push_back(static_cast<std::uint32_t>(string.size()));
    append_bytes(bytes, as_byte_span(string));
  }
  return encode_strings(lengths, bytes, out);
}

SectionEntry encode_tokens(std::span<const std::string_view> strings, const TokenEncoder& tokens,
                           std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  tokens.encode_strings(strings, out);
  SectionEntry entry;
  entry.codec = Codec::strings_tokens;
  entry.items = static_cast<std::uint32_t>(strings.size());
  entry.bytes = static_cast<std::uint32_t>(out.size() - start);
  entry.checksum = checksum32(std::span<const std::byte>(out).subspan(start));
  return entry;
}

std::span<const std::string_view> page_of(std::uint32_t begin, std::uint32_t size, const Text& text,
                                          std::vector<std::string_view>& into) {
  into.clear();
  for (std::uint32_t id = begin; id < std::min(size, begin + limits::dictionary_page_entries);
       ++id) {
    into.push_back(text(id));
  }
  return into;
}

// Tokens for a list; nothing where pages without them take no more.
std::optional<Tokens> tokens_for(std::uint32_t size, const Text& text) {
  std::uint64_t bytes = 0;
  for (std::uint32_t id = 0; id < size; ++id) {
    bytes += text(id).size();
  }
  if (bytes < worth_tokens_bytes) {
    return std::nullopt;
  }
  // Whole pages, evenly spread.
  const std::uint64_t step = bytes / sample_bytes_max(bytes) + 1;
  std::vector<std::string_view> sample;
  std::vector<std::string_view> page;
  for (std::uint64_t begin = 0; begin < size; begin += step * limits::dictionary_page_entries) {
    const auto strings = page_of(static_cast<std::uint32_t>(begin), size, text, page);
    sample.insert(sample.end(), strings.begin(), strings.end());
  }
  Tokens tokens = train_list_tokens(sample, limits::dictionary_page_entries);
  const TokenEncoder encoder(tokens);
  std::vector<std::byte> plain, coded, table;
  for (std::size_t begin = 0; begin < sample.size(); begin += limits::dictionary_page_entries) {
    const auto strings = std::span<const std::string_view>(sample).subspan(
        begin, std::min<std::size_t>(limits::dictionary_page_entries, sample.size() - begin));
    encode_plain(strings, plain);
    encode_tokens(strings, encoder, coded);
  }
  std::vector<std::string_view> texts(tokens.texts.begin(), tokens.texts.end());
  encode_plain(texts, table);
  if (coded.size() * step + table.size() >= plain.size() * step) {
    return std::nullopt;
  }
  return tokens;
}

}  // namespace

Result<PlacedSection> DictionaryWriter::place(const SectionEntry& entry,
                                              std::span<const std::byte> bytes) {
  const PlacedSection placed{entry, writer_.position()};
  DOCKET_TRY(writer_.append(bytes));
  return placed;
}

Result<void> DictionaryWriter::write_tokens(const Tokens& tokens,
                                            std::optional<PlacedTokens>& placed) {
  std::vector<std::byte> bytes;
  const std::vector<std::string_view> texts(tokens.texts.begin(), tokens.texts.end());
  const SectionEntry texts_entry = encode_plain(texts, bytes);
  DOCKET_ASSIGN(const PlacedSection placed_texts, place(texts_entry, bytes));
  const auto write_lengths = [&](std::span<const std::uint8_t> lengths) -> Result<PlacedSection> {
    bytes.clear();
    const std::vector<std::uint32_t> wide(lengths.begin(), lengths.end());
    const auto entry = encode_ids(wide, bytes);
    return place(*entry, bytes);
  };
  DOCKET_ASSIGN(const PlacedSection lengths, write_lengths(tokens.lengths));
  placed = PlacedTokens{placed_texts, lengths, std::nullopt};
  if (!tokens.shared_lengths.empty()) {
    DOCKET_ASSIGN(placed->shared_lengths, write_lengths(tokens.shared_lengths));
  }
  return {};
}

Result<void> DictionaryWriter::write_strings(StringPages& pages, std::uint32_t size,
                                             const Text& text) {
  pages.size = size;
  const std::optional<Tokens> tokens = tokens_for(size, text);
  std::optional<TokenEncoder> encoder;
  if (tokens) {
    encoder.emplace(*tokens);
  }
  std::vector<std::string_view> page;
  std::vector<std::byte> encoded;
  for (std::uint32_t begin = 0; begin < size; begin += limits::dictionary_page_entries) {
    encoded.clear();
    const auto strings = page_of(begin, size, text, page);
    const SectionEntry entry =
        encoder ? encode_tokens(strings, *encoder, encoded) : encode_plain(strings, encoded);
    DOCKET_ASSIGN(const PlacedSection placed, place(entry, encoded));
    pages.pages.push_back(placed);
  }
  return tokens ? write_tokens(*tokens, pages.tokens) : Result<void>();
}

Result<void> DictionaryWriter::write_table(
    std::optional<PlacedSection>& placed, std::uint32_t size,
    const std::function<std::uint32_t(std::uint32_t)>& id_of) {
  std::vector<std::uint32_t> ids(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    ids[i] = id_of(i);
  }
  std::vector<std::byte> encoded;
  // Tables are sorted, by kind or type first.
  if (const auto entry = encode_ids(ids, encoded, BodyForm::sealed, {.is_series = true})) {
    DOCKET_ASSIGN(placed, place(*entry, encoded));
  }
  return {};
}

Result<void> DictionaryWriter::write_order(const ValueOrder& order,
                                           std::optional<PlacedSection>& placed) {
  if (order.ids().empty()) {
    return {};
  }
  std::vector<std::byte> encoded;
  auto entry = encode_ids(order.ids(), encoded);
  if (!entry) {
    // Of id 0 alone, which an absent section would not say here.
    entry = SectionEntry{.items = 1, .checksum = checksum32({})};
  }
  DOCKET_ASSIGN(placed, place(*entry, encoded));
  return {};
}

Result<void> DictionaryWriter::write(const DictionaryMerge& merge) {
  for (std::size_t f = 0; f < dictionary_field_count; ++f) {
    const auto field = static_cast<DictionaryField>(f);
    DOCKET_TRY(write_strings(footer_.strings[f], merge.size(field),
                             [&](std::uint32_t id) { return merge.text(field, id); }));
  }
  const auto list = [this](TableStrings s) -> StringPages& {
    return footer_.strings[string_list_number(s)];
  };
  const std::uint32_t actors = merge.actor_count();
  const std::uint32_t targets = merge.target_count();
  footer_.actor_count = actors;
  footer_.target_count = targets;
  DOCKET_TRY(write_strings(list(TableStrings::actor_id), actors,
                           [&](std::uint32_t id) { return merge.actor(id).first; }));
  DOCKET_TRY(write_strings(list(TableStrings::actor_name), actors,
                           [&](std::uint32_t id) { return merge.actor(id).second; }));
  DOCKET_TRY(write_strings(list(TableStrings::target_id), targets,
                           [&](std::uint32_t id) { return merge.target(id).first; }));
  DOCKET_TRY(write_strings(list(TableStrings::target_name), targets,
                           [&](std::uint32_t id) { return merge.target(id).second; }));
  DOCKET_TRY(write_table(footer_.actor_kinds, actors,
                         [&](std::uint32_t id) { return merge.actor(id).a; }));
  DOCKET_TRY(write_table(footer_.actor_roles, actors,
                         [&](std::uint32_t id) { return merge.actor(id).b; }));
  return write_table(footer_.target_types, targets,
                     [&](std::uint32_t id) { return merge.target(id).a; });
}

}  // namespace docket
