#include "engine/token_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "engine/assert.hpp"

namespace docket {

namespace {

tl::unexpected<Error> bad(const char* what) {
  return fail(ErrorCode::corrupt, std::string("tokens: ") + what);
}

// Copied without a look at how many count: where short texts and long ones alternate, a look would
// cost more. Both have room for a token of any size.
inline void copy_text(std::byte* to, const std::byte* text) {
  std::memcpy(to, text, limits::token_bytes_max);
}

}  // namespace

Result<TokenTable> TokenTable::make(StringList texts, std::span<const std::uint8_t> lengths,
                                    std::span<const std::uint8_t> shared_lengths) {
  if (texts.size() != lengths.size() || texts.size() > limits::tokens_max) {
    return bad("texts and codes are not as many");
  }
  if (shared_lengths.size() > limits::string_bytes_max + 1) {
    return bad("strings share more than they may have");
  }
  TokenTable table;
  DOCKET_ASSIGN(const PrefixDecoder codes, PrefixDecoder::make(lengths));
  if (!shared_lengths.empty()) {
    DOCKET_ASSIGN(table.shared_, PrefixDecoder::make(shared_lengths));
    table.has_shared_ = true;
  }
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() > limits::token_bytes_max || texts[i].empty() != (i == 0)) {
      return bad("a text is too long, or empty");
    }
  }
  // With room behind them, so that decode() may copy more than a text is long.
  auto padded = std::make_shared<std::vector<std::byte>>(*texts.bytes);
  padded->resize(padded->size() + limits::token_bytes_max);
  texts.bytes = std::move(padded);
  table.texts_ = std::move(texts);
  table.by_bits_.resize(codes.size());
  table.codes_.resize(codes.size());
  table.mask_ = codes.size() - 1;
  for (std::size_t bits = 0; bits < table.by_bits_.size(); ++bits) {
    const PrefixDecoder::Step step = codes.step(bits);
    const std::uint32_t at = table.texts_.starts[step.symbol];
    table.by_bits_[bits] = Text(at, table.texts_.starts[step.symbol + 1U] - at, step.bits);
    table.codes_[bits] = static_cast<std::uint16_t>(step.symbol | step.bits << code_token_bits);
  }
  return table;
}

inline TokenTable::Text TokenTable::next(std::uint64_t bits) const {
  return by_bits_[bits & mask_];
}

template <std::size_t count>
Result<void> TokenTable::decode_together(std::array<Lane*, count> lanes) const {
  // As many codes as are at hand after one look at the stream.
  constexpr std::size_t codes_at_once = 56 / prefix_bits_max;
  constexpr std::ptrdiff_t room = codes_at_once * limits::token_bytes_max;
  const std::byte* const texts = texts_.bytes->data();
  std::array<Lane, count> at;
  for (std::size_t i = 0; i < count; ++i) {
    at[i] = *lanes[i];
  }
  const auto all_have_room = [&at] {
    bool room_for_all = true;
    for (const Lane& lane : at) {
      room_for_all = room_for_all && lane.end - lane.to >= room;
    }
    return room_for_all;
  };
  while (all_have_room()) {
    std::array<std::uint64_t, count> bits;
    std::array<std::uint32_t, count> used{};
    for (std::size_t i = 0; i < count; ++i) {
      bits[i] = at[i].source.peek();
    }
    for (std::size_t code = 0; code < codes_at_once; ++code) {
      for (std::size_t i = 0; i < count; ++i) {
        // What is no code has no text and takes no bits, then and ever after.
        const Text text = next(bits[i]);
        copy_text(at[i].to, texts + text.at());
        at[i].to += text.size();
        bits[i] >>= text.bits();
        used[i] += text.bits();
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      at[i].source.skip(used[i]);
      if (used[i] == 0 || !at[i].source.ok()) {
        return bad("a stream is not of them, or cut short");
      }
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    *lanes[i] = at[i];
  }
  return {};
}

Result<void> TokenTable::finish(Lane& lane) const {
  DOCKET_TRY(decode_together<1>({&lane}));
  const std::byte* const texts = texts_.bytes->data();
  while (lane.to != lane.end) {
    const Text text = next(lane.source.peek());
    if (text.bits() == 0 || text.size() > static_cast<std::size_t>(lane.end - lane.to)) {
      return bad("a stream is not of them, or longer than its text");
    }
    std::memcpy(lane.to, texts + text.at(), text.size());
    lane.to += text.size();
    lane.source.skip(text.bits());
    if (!lane.source.ok()) {
      return bad("a stream is cut short");
    }
  }
  return lane.source.is_at_end() ? Result<void>() : bad("a stream goes on behind its text");
}

Result<void> TokenTable::decode(std::span<const TokenStream> streams) const {
  const auto lane_of = [](const TokenStream& stream) {
    return Lane{BitSource(stream.stored), stream.raw.data(), stream.raw.data() + stream.raw.size()};
  };
  for (; streams.size() >= 4; streams = streams.subspan(4)) {
    std::array lanes = {lane_of(streams[0]), lane_of(streams[1]), lane_of(streams[2]),
                        lane_of(streams[3])};
    DOCKET_TRY(decode_together<4>({lanes.data(), &lanes[1], &lanes[2], &lanes[3]}));
    for (Lane& lane : lanes) {
      DOCKET_TRY(finish(lane));
    }
  }
  for (; streams.size() >= 2; streams = streams.subspan(2)) {
    std::array lanes = {lane_of(streams[0]), lane_of(streams[1])};
    DOCKET_TRY(decode_together<2>({lanes.data(), &lanes[1]}));
    for (Lane& lane : lanes) {
      DOCKET_TRY(finish(lane));
    }
  }
  if (!streams.empty()) {
    Lane lane = lane_of(streams[0]);
    DOCKET_TRY(finish(lane));
  }
  return {};
}

Result<StringList> TokenTable::decode_strings(std::span<const std::byte> stored,
                                              std::uint32_t items) const {
  // Any string, the token that makes it too long, and what is copied beyond it.
  constexpr std::size_t room = limits::string_bytes_max + 3 * limits::token_bytes_max;
  const std::byte* const texts = texts_.bytes->data();
  StringList list;
  list.starts.reserve(std::size_t{items} + 1);
  std::vector<std::byte> bytes(room + std::size_t{items} * 16);
  BitSource source(stored);
  std::size_t last = 0;  // where the string before begins
  std::size_t end = 0;
  for (std::uint32_t i = 0; i < items; ++i) {
    const std::size_t start = end;
    list.starts.push_back(static_cast<std::uint32_t>(start));
    if (bytes.size() - end < room) {
      bytes.resize(bytes.size() * 2);
    }
    if (has_shared_) {
      const PrefixDecoder::Step step = shared_.step(source.peek());
      source.skip(step.bits);
      if (step.bits == 0 || step.symbol > start - last) {
        return bad("a string shares more than there is");
      }
      std::memcpy(bytes.data() + start, bytes.data() + last, step.symbol);
      end += step.symbol;
    }
    for (;;) {
      const Text text = next(source.peek());
      source.skip(text.bits());
      if (text.bits() == 0 || !source.ok()) {
        return bad("strings are cut short");
      }
      if (text.size() == 0) {
        break;
      }
      copy_text(bytes.data() + end, texts + text.at());
      end += text.size();
      if (end - start > limits::string_bytes_max) {
        return bad("a string is too long");
      }
    }
    last = start;
  }
  list.starts.push_back(static_cast<std::uint32_t>(end));
  if (!source.is_at_end()) {
    return bad("a stream goes on behind its strings");
  }
  // Lists are kept: they take what they need.
  list.bytes = std::make_shared<const std::vector<std::byte>>(
      bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(end));
  return list;
}

std::size_t TokenTable::memory_bytes() const {
  return texts_.bytes->size() + texts_.starts.size() * sizeof(std::uint32_t) +
         by_bits_.size() * (sizeof(Text) + sizeof(std::uint16_t)) + shared_.memory_bytes();
}

TokenTrie::TokenTrie(std::span<const std::string> texts)
    : texts_(texts), single_(256), pairs_(std::size_t{1} << 16) {
  static_assert(2 * limits::tokens_max <= UINT16_MAX, "a node a token, and one where two part");
  DOCKET_ASSERT(texts.size() <= limits::tokens_max);
  // At most half full, so that a look finds its slot or a free one soon: an edge leads to where a
  // token ends or where two part.
  const auto bits =
      static_cast<std::uint32_t>(std::max<std::size_t>(9, std::bit_width(texts.size() * 2)));
  edges_.resize(std::size_t{1} << bits);
  shift_ = 32 - bits;
  const auto byte_at = [this](std::uint32_t token, std::size_t at) {
    return static_cast<std::uint8_t>(texts_[token][at]);
  };
  const auto count = static_cast<std::uint32_t>(texts.size());
  for (std::uint32_t token = 1; token < count; ++token) {
    if (texts_[token].size() == 1) {
      single_[byte_at(token, 0)] = static_cast<std::uint16_t>(token);
    }
  }
  for (std::size_t pair = 0; pair < pairs_.size(); ++pair) {
    pairs_[pair].token = single_[pair & 0xff];
  }
  for (std::uint32_t token = 1; token < count;) {
    if (texts_[token].size() == 1) {
      ++token;
      continue;
    }
    const std::uint32_t begin = token;
    const auto pair_of = [&](std::uint32_t t) {
      return byte_at(t, 0) | static_cast<std::size_t>(byte_at(t, 1)) << 8;
    };
    Pair& pair = pairs_[pair_of(begin)];
    while (token < count && texts_[token].size() > 1 && pair_of(token) == pair_of(begin)) {
      ++token;
    }
    const bool ends = texts_[begin].size() == 2;
    if (ends) {
      pair.token = static_cast<std::uint16_t>(begin);
    }
    pair.node = add_node(ends ? begin + 1 : begin, token, 2);
  }
}

std::uint16_t TokenTrie::add_node(std::uint32_t begin, std::uint32_t end, std::size_t depth) {
  if (begin == end) {
    return 0;
  }
  const std::uint16_t node = ++nodes_;
  while (begin < end) {
    const std::string& first = texts_[begin];
    std::uint32_t next = begin + 1;
    while (next < end && texts_[next][depth] == first[depth]) {
      ++next;
    }
    // They ascend, so that what the first shares with the last it shares with all.
    const std::size_t shared = shared_bytes(first, texts_[next - 1]);
    const bool ends = first.size() == shared;
    Edge edge;
    edge.key = node * 256U + static_cast<std::uint8_t>(first[depth]);
    edge.token = ends ? static_cast<std::uint16_t>(begin) : std::uint16_t{0};
    edge.sample = static_cast<std::uint16_t>(begin);
    edge.size = static_cast<std::uint16_t>(shared - depth);
    std::memcpy(&edge.label, first.data() + depth, std::min<std::size_t>(edge.size, 8));
    edge.to = add_node(ends ? begin + 1 : begin, next, shared);
    std::size_t at = slot(edge.key);
    while (edges_[at].key != 0) {
      at = (at + 1) & (edges_.size() - 1);
    }
    edges_[at] = edge;
    begin = next;
  }
  return node;
}

inline const TokenTrie::Edge* TokenTrie::find(std::uint32_t key) const {
  for (std::size_t at = slot(key);; at = (at + 1) & (edges_.size() - 1)) {
    if (edges_[at].key == key) {
      return &edges_[at];
    }
    if (edges_[at].key == 0) {
      return nullptr;
    }
  }
}

inline bool TokenTrie::goes_along(const Edge& edge, std::string_view text, std::size_t at) const {
  if (text.size() - at < edge.size) {
    return false;
  }
  if (text.size() - at < sizeof(edge.label) || edge.size > sizeof(edge.label)) {
    return std::memcmp(text.data() + at, texts_[edge.sample].data() + at, edge.size) == 0;
  }
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t here = 0;
  std::memcpy(&here, text.data() + at, sizeof(here));
  return (here ^ edge.label) << (64 - 8 * edge.size) == 0;
}

std::uint32_t TokenTrie::longest(std::string_view text) const {
  const auto first = static_cast<std::uint8_t>(text[0]);
  std::uint32_t found = single_[first];
  if (text.size() > 1) {
    const Pair pair =
        pairs_[first | static_cast<std::size_t>(static_cast<std::uint8_t>(text[1])) << 8];
    found = pair.token;
    std::uint32_t node = pair.node;
    std::size_t at = 2;
    while (node != 0 && at < text.size()) {
      const Edge* edge = find(node * 256 + static_cast<std::uint8_t>(text[at]));
      if (edge == nullptr || !goes_along(*edge, text, at)) {
        break;
      }
      at += edge->size;
      node = edge->to;
      found = edge->token != 0 ? edge->token : found;
    }
  }
  DOCKET_ASSERT(found != 0);
  return found;
}

TokenEncoder::TokenEncoder(const Tokens& tokens)
    : tokens_(tokens),
      trie_(tokens.texts),
      codes_(tokens.lengths),
      shared_(tokens.shared_lengths) {}

void TokenEncoder::put(std::string_view text, BitSink& into) const {
  while (!text.empty()) {
    const std::uint32_t token = trie_.longest(text);
    codes_.put(token, into);
    text.remove_prefix(tokens_.texts[token].size());
  }
}

void TokenEncoder::encode(std::string_view raw, std::vector<std::byte>& out) const {
  BitSink sink(out);
  put(raw, sink);
  sink.finish();
}

void TokenEncoder::encode_strings(std::span<const std::string_view> strings,
                                  std::vector<std::byte>& out) const {
  BitSink sink(out);
  std::string_view before;
  for (const std::string_view text : strings) {
    std::size_t shared = 0;
    if (!tokens_.shared_lengths.empty()) {
      shared = shared_bytes(before, text);
      // Not every number has a code: less will do.
      while (shared >= tokens_.shared_lengths.size() || tokens_.shared_lengths[shared] == 0) {
        --shared;
      }
      shared_.put(static_cast<std::uint32_t>(shared), sink);
    }
    put(text.substr(shared), sink);
    codes_.put(0, sink);
    before = text;
  }
  sink.finish();
}

std::size_t shared_bytes(std::string_view a, std::string_view b) {
  const auto [end, ignored] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(end - a.begin());
}

}  // namespace docket
