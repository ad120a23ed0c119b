#include "engine/token_scan.hpp"

#include <algorithm>
#include <cstring>

#include "engine/assert.hpp"

namespace docket {

namespace {

// A row of `next_` has room for any token.
constexpr std::uint32_t token_bits = TokenTable::code_token_bits;
constexpr std::size_t row_tokens = std::size_t{1} << token_bits;

// Each find costs about as much as decoding so many bytes; a few are always taken.
constexpr std::uint32_t bytes_a_find = 128;
constexpr std::size_t finds_at_least = 64;
// The same of marks, whose surroundings are decoded.
constexpr std::uint32_t bytes_a_mark = 1024;
constexpr std::size_t marks_at_least = 8;

// As many codes as are at hand after one look at the stream.
constexpr std::size_t codes_at_once = 56 / prefix_bits_max;
constexpr std::uint32_t room = codes_at_once * limits::token_bytes_max;
// So many times until the next waypoint: some 200 bytes of text.
constexpr std::uint32_t turns_a_waypoint = 8;

}  // namespace

void TokenScan::start(std::size_t texts) {
  DOCKET_ASSERT(texts <= streams_max);
  for (std::size_t i = 0; i < texts; ++i) {
    texts_[i].found.clear();
    texts_[i].marks.clear();
    texts_[i].is_complete = false;
  }
}

void TokenScan::learn_of(const std::shared_ptr<const TokenTable>& tokens,
                         const std::shared_ptr<const ByteAutomaton>& automaton) {
  if (tokens == tokens_ && automaton == automaton_) {
    return;
  }
  DOCKET_ASSERT(!automaton->next.empty() && automaton->next.size() <= ByteAutomaton::states_max);
  DOCKET_ASSERT(automaton->next.size() == automaton->found_bytes.size());
  tokens_ = tokens;
  automaton_ = automaton;
  next_.assign((automaton->next.size() + 1) * row_tokens, static_cast<std::uint8_t>(unknown()));
  sizes_.resize(row_tokens);
  for (std::uint32_t token = 0; token < tokens->size(); ++token) {
    sizes_[token] = static_cast<std::uint8_t>(tokens->text(token).size());
  }
}

TokenScan::Progress TokenScan::take_slowly(Lane& lane, std::uint32_t token) {
  const std::uint32_t before = lane.state;
  ScannedText& text = text_of(lane);
  const std::size_t seen_before = text.found.size() + text.marks.size();
  for (const char c : tokens_->text(token)) {
    if (c == automaton_->mark) {
      text.marks.push_back(lane.at);
    }
    ++lane.at;
    lane.state = automaton_->next[lane.state][static_cast<std::uint8_t>(c)];
    if (const std::uint32_t bytes = automaton_->found_bytes[lane.state]; bytes != 0) {
      text.found.push_back({lane.at - bytes, lane.at});
    }
  }
  if (text.found.size() + text.marks.size() == seen_before) {
    next_[before << token_bits | token] = static_cast<std::uint8_t>(lane.state);
  }
  const bool pays = text.found.size() <= finds_at_least + lane.end / bytes_a_find &&
                    text.marks.size() <= marks_at_least + lane.end / bytes_a_mark;
  return pays ? Progress::goes_on : Progress::ended;
}

inline TokenScan::Progress TokenScan::take(Lane& lane, std::uint32_t token) {
  const std::uint32_t next = next_[lane.state << token_bits | token];
  if (next == unknown()) {
    return take_slowly(lane, token);
  }
  lane.state = next;
  lane.at += sizes_[token];
  return Progress::goes_on;
}

template <std::size_t count>
void TokenScan::scan_together(std::array<Lane*, count>& lanes) {
  const std::uint16_t* const codes = tokens_->codes().data();
  const std::uint64_t mask = tokens_->codes().size() - 1;
  const std::uint8_t* const sizes = sizes_.data();
  const std::uint8_t* const next = next_.data();
  const std::uint32_t unknown = this->unknown();
  std::array<Lane, count> at;
  for (std::size_t i = 0; i < count; ++i) {
    at[i] = *lanes[i];
  }
  const auto all_have_room = [&at] {
    bool room_for_all = true;
    for (const Lane& lane : at) {
      room_for_all = room_for_all && lane.end - lane.at >= room;
    }
    return room_for_all;
  };
  bool all_go_on = true;
  for (std::uint32_t turn = 0; all_go_on && all_have_room(); ++turn) {
    if (turn % turns_a_waypoint == 0) {
      for (const Lane& lane : at) {
        waypoints_[lane.number].push_back({lane.at, lane.source.position()});
      }
    }
    std::array<std::uint64_t, count> bits;
    std::array<std::uint32_t, count> used{};
    std::array<std::uint32_t, count> state;
    std::array<std::uint32_t, count> bytes{};
    for (std::size_t i = 0; i < count; ++i) {
      bits[i] = at[i].source.peek();
      state[i] = at[i].state;
    }
    for (std::size_t code = 0; code < codes_at_once; ++code) {
      for (std::size_t i = 0; i < count; ++i) {
        // What is no code takes no bits, then and ever after.
        const std::uint32_t entry = codes[bits[i] & mask];
        const std::uint32_t token = entry & (row_tokens - 1);
        state[i] = next[state[i] << token_bits | token];
        bytes[i] += sizes[token];
        bits[i] >>= entry >> token_bits;
        used[i] += entry >> token_bits;
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      Lane& lane = at[i];
      bool goes_on = used[i] != 0;
      if (state[i] != unknown) [[likely]] {
        lane.state = state[i];
        lane.at += bytes[i];
      } else {
        std::uint64_t again = lane.source.peek();
        for (std::size_t code = 0; code < codes_at_once && goes_on; ++code) {
          const std::uint32_t entry = codes[again & mask];
          again >>= entry >> token_bits;
          // No code is told by what follows it.
          goes_on =
              entry >> token_bits != 0 && take(lane, entry & (row_tokens - 1)) == Progress::goes_on;
        }
      }
      lane.source.skip(used[i]);
      if (!goes_on || !lane.source.ok()) {
        lanes[i] = nullptr;
        all_go_on = false;
      }
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (lanes[i] != nullptr) {
      *lanes[i] = at[i];
    }
  }
}

void TokenScan::finish(Lane& lane) {
  while (lane.at != lane.end) {
    const std::uint32_t entry = tokens_->code(lane.source.peek());
    const std::uint32_t token = entry & (row_tokens - 1);
    const std::uint32_t bits = entry >> token_bits;
    if (bits == 0 || sizes_[token] > lane.end - lane.at || take(lane, token) == Progress::ended) {
      return;
    }
    lane.source.skip(bits);
    if (!lane.source.ok()) {
      return;
    }
  }
  text_of(lane).is_complete = lane.source.is_at_end();
}

void TokenScan::scan(std::span<const ScannedStream> streams,
                     const std::shared_ptr<const TokenTable>& tokens,
                     const std::shared_ptr<const ByteAutomaton>& automaton) {
  learn_of(tokens, automaton);
  std::array<Lane, streams_max> lanes;
  std::array<Lane*, streams_max> open{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (streams[i].raw_bytes != 0) {
      stored_[i] = streams[i].stored;
      waypoints_[i].assign(1, Waypoint());
      lanes[i] = Lane{BitSource(streams[i].stored), 0, streams[i].raw_bytes, 0, i};
      open[count++] = &lanes[i];
    }
  }
  // Together as long as there are several: one that ends leaves the others to go on.
  const auto scan_first = [&]<std::size_t together>() {
    std::array<Lane*, together> some;
    std::copy_n(open.begin(), together, some.begin());
    scan_together(some);
    std::copy_n(some.begin(), together, open.begin());
  };
  while (count != 0) {
    if (count == streams_max) {
      scan_first.operator()<streams_max>();
    } else if (count >= 4) {
      scan_first.operator()<4>();
    } else if (count >= 2) {
      scan_first.operator()<2>();
    } else {
      scan_first.operator()<1>();
    }
    for (Lane*& lane : std::span(open).first(count)) {
      if (lane != nullptr && lane->end - lane->at < room) {
        finish(*lane);
        lane = nullptr;
      }
    }
    count = static_cast<std::size_t>(std::remove(open.begin(), open.begin() + count, nullptr) -
                                     open.begin());
  }
}

std::string_view TokenScan::read(std::size_t i, std::uint32_t begin, std::uint32_t end) {
  DOCKET_ASSERT(texts_[i].is_complete && begin <= end);
  const auto after = std::upper_bound(
      waypoints_[i].begin(), waypoints_[i].end(), begin,
      [](std::uint32_t place, const Waypoint& waypoint) { return place < waypoint.at; });
  const Waypoint from = *std::prev(after);
  BitSource source(stored_[i]);
  source.skip(from.bit);
  // As decoding does, each is copied without a look at how many bytes count.
  const std::uint32_t wanted = end - from.at;
  if (read_.size() < wanted + 2 * limits::token_bytes_max) {
    read_.resize(wanted + 2 * limits::token_bytes_max);
  }
  std::uint32_t done = 0;
  while (done < wanted) {
    const std::uint32_t entry = tokens_->code(source.peek());
    DOCKET_ASSERT(entry >> token_bits != 0);  // it was looked through to its end
    const std::uint32_t token = entry & (row_tokens - 1);
    std::memcpy(read_.data() + done, tokens_->text(token).data(), limits::token_bytes_max);
    done += sizes_[token];
    source.skip(entry >> token_bits);
  }
  return std::string_view(read_.data(), done).substr(begin - from.at, end - begin);
}

}  // namespace docket
