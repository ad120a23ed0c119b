// Arbitrary bytes as coded columns and as streams of tokens, and as values and texts to be coded.
//
// Input: the first byte says which; the second how many items or bytes are asked for.
//
// Invariants:
//   C1  Decoding foreign bytes ends with a value or an error, and never leaves them.
//   C2  A column that could be decoded is the same after coding and decoding it again.
//   C3  Any values and any text read back exactly, with whatever tokens a sample gave.
//   C4  A stream that was looked through to its end without being decoded can be decoded, and what
//       was found is what stands in its text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/coded_ints.hpp"
#include "engine/section.hpp"
#include "engine/token_scan.hpp"
#include "engine/token_table.hpp"
#include "engine/token_training.hpp"
#include "tests/support/string_list.hpp"

namespace {

using namespace docket;
using docket::testing::list_of;

constexpr std::size_t list_run = 16;

// A copy with just the padding that decoders are promised.
class Padded {
 public:
  explicit Padded(std::span<const std::byte> bytes)
      : size_(bytes.size()), copy_(new std::byte[size_ + section_padding]()) {
    std::copy(bytes.begin(), bytes.end(), copy_.get());
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {copy_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<std::byte[]> copy_;
};

// Nothing where it is damaged.
std::optional<std::vector<std::uint64_t>> decoded_column(std::span<const std::byte> coded,
                                                         std::span<const std::uint32_t> order,
                                                         std::size_t items) {
  std::vector<std::uint64_t> values;
  const auto take = [&values](std::span<const std::uint64_t> piece) {
    values.insert(values.end(), piece.begin(), piece.end());
  };
  if (!decode_coded_ints(Padded(coded).bytes(), 64, order, static_cast<std::uint32_t>(items),
                         take)) {
    return std::nullopt;
  }
  DOCKET_ASSERT(values.size() == items);
  return values;
}

void code_again(std::vector<std::uint64_t> values, bool as_ids = false) {
  std::vector<std::uint32_t> counts(512);
  for (const std::uint64_t value : values) {
    counts[value % counts.size()] += 2;
  }
  const ValueOrder order = ValueOrder::by_frequency(counts);
  std::vector<ColumnTraits> all = {{}, {.is_series = true}};
  if (as_ids) {
    all.push_back({.order = &order});
  }
  for (const ColumnTraits& traits : all) {
    std::vector<std::byte> coded;
    DOCKET_ASSERT(encode_coded_ints(values, traits, SIZE_MAX, coded));
    const auto ids = traits.order == nullptr ? std::span<const std::uint32_t>() : order.ids();
    DOCKET_ASSERT(decoded_column(coded, ids, values.size()) == values);
  }
  if (!as_ids) {
    for (std::uint64_t& value : values) {
      value &= UINT32_MAX;
    }
    code_again(std::move(values), true);
  }
}

void check_column(std::size_t items, std::span<const std::byte> bytes) {
  const std::vector<std::uint32_t> order = {7, 1, 400};
  if (const auto values = decoded_column(bytes, order, items); values && items != 0) {
    code_again(*values);
  }
}

void check_values(std::span<const std::byte> bytes) {
  std::vector<std::uint64_t> values;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    values.push_back(load_le<std::uint64_t>(bytes.data()));
  }
  if (!values.empty()) {
    code_again(values);
  }
}

// Finds a byte, and marks another.
std::shared_ptr<const ByteAutomaton> automaton_of(char wanted, char mark) {
  auto automaton = std::make_shared<ByteAutomaton>();
  automaton->next.resize(2);
  for (auto& next : automaton->next) {
    next[static_cast<std::uint8_t>(wanted)] = 1;
  }
  automaton->found_bytes = {0, 1};
  automaton->mark = mark;
  return automaton;
}

void check_scan(TokenTable made, std::span<const std::byte> stored, std::size_t raw_bytes) {
  const auto table = std::make_shared<const TokenTable>(std::move(made));
  std::vector<std::byte> raw(raw_bytes);
  const bool is_decoded = table->decode(stored, raw).has_value();
  const std::string_view text = as_text(raw);
  const char wanted = text.empty() ? 'a' : text.back();
  const ScannedStream stream{stored, static_cast<std::uint32_t>(raw_bytes)};
  TokenScan scan;
  for (const char mark : {'\0', static_cast<char>(wanted + 1)}) {
    // What it learnt the first time, it goes by the second time.
    const auto automaton = automaton_of(wanted, mark);
    for (int turn = 0; turn < 2; ++turn) {
      scan.start(1);
      scan.scan(std::span(&stream, 1), table, automaton);
      if (!scan.text(0).is_complete) {
        continue;
      }
      DOCKET_ASSERT(is_decoded);
      std::vector<FoundText> found;
      std::vector<std::uint32_t> marks;
      for (std::uint32_t at = 0; at < text.size(); ++at) {
        if (text[at] == wanted) {
          found.push_back({at, at + 1});
        }
        if (text[at] == mark) {
          marks.push_back(at);
        }
      }
      DOCKET_ASSERT(scan.text(0).found == found && scan.text(0).marks == marks);
      DOCKET_ASSERT(scan.read(0, 0, stream.raw_bytes) == text);
    }
  }
}

// The first bytes are the lengths of codes, of a table whose texts are what follows, cut evenly.
void check_table(std::size_t asked, std::span<const std::byte> bytes) {
  const std::size_t tokens = std::min(asked, bytes.size() / 2);
  std::vector<std::uint8_t> lengths;
  for (std::size_t i = 0; i < tokens; ++i) {
    lengths.push_back(std::to_integer<std::uint8_t>(bytes[i]));
  }
  const auto rest = bytes.subspan(tokens);
  std::vector<std::string> texts(std::min<std::size_t>(tokens, 1));
  for (std::size_t i = 1; i < tokens; ++i) {
    const std::size_t size = lengths[i] % 70;
    texts.emplace_back(as_text(rest.first(std::min(size, rest.size()))));
  }
  auto table = TokenTable::make(list_of(texts), lengths, {});
  auto sharing = TokenTable::make(list_of(texts), lengths, lengths);
  for (const auto* made : {&table, &sharing}) {
    if (*made) {
      const Padded stored(rest);
      std::vector<std::byte> raw(asked * 16);
      static_cast<void>((*made)->decode(stored.bytes(), raw));
      static_cast<void>((*made)->decode_strings(stored.bytes(), static_cast<std::uint32_t>(asked)));
    }
  }
  if (table) {
    check_scan(std::move(*table), Padded(rest).bytes(), asked * 16);
  }
}

// Texts of the sample are what stands between zeros.
void check_text(std::span<const std::byte> bytes) {
  const std::string_view text = as_text(bytes);
  std::vector<std::string_view> sample;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    sample.push_back(text.substr(at, std::min(end - at, limits::string_bytes_max)));
    at = end + 1;
  }
  const Tokens tokens = train_tokens(sample);
  auto table = TokenTable::make(list_of(tokens.texts), tokens.lengths, {});
  DOCKET_ASSERT(table.has_value());
  std::vector<std::byte> stored;
  TokenEncoder(tokens).encode(text, stored);
  std::vector<std::byte> raw(text.size());
  DOCKET_ASSERT(table->decode(Padded(stored).bytes(), raw).has_value());
  DOCKET_ASSERT(as_text(raw) == text);
  check_scan(std::move(*table), Padded(stored).bytes(), text.size());

  const Tokens of_list = train_list_tokens(sample, list_run);
  const auto list_table =
      TokenTable::make(list_of(of_list.texts), of_list.lengths, of_list.shared_lengths);
  DOCKET_ASSERT(list_table.has_value());
  std::vector<std::byte> page;
  TokenEncoder(of_list).encode_strings(sample, page);
  const auto list =
      list_table->decode_strings(Padded(page).bytes(), static_cast<std::uint32_t>(sample.size()));
  DOCKET_ASSERT(list.has_value() && list->size() == sample.size());
  for (std::uint32_t i = 0; i < list->size(); ++i) {
    DOCKET_ASSERT((*list)[i] == sample[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(2);
  switch (data[0] % 4) {
    case 0:
      check_column(data[1], bytes);
      break;
    case 1:
      check_values(bytes);
      break;
    case 2:
      check_table(data[1], bytes);
      break;
    default:
      check_text(bytes);
      break;
  }
  return 0;
}
