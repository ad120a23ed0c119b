// Looking for bytes in streams of tokens without decoding them: what a token does to an automaton
// is found out once, and every further time it is one look in a table. A search over payloads
// spends most of its time on writing down bytes that it then passes over; this writes none.
//
// Takes the idea of searching compressed text through its dictionary from Amir, Benson and Farach,
// "Let sleeping files lie" (1996); the automaton is that of Aho and Corasick (1975).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/prefix_code.hpp"
#include "engine/token_table.hpp"

namespace docket {

// Says of every place in a text whether something that is looked for ends there. State 0 is that of
// the beginning.
struct ByteAutomaton {
  // So that a state, and that there is none, is a byte.
  static constexpr std::size_t states_max = 255;

  // By state: the next one, by byte.
  std::vector<std::array<std::uint8_t, 256>> next;
  // By state: how long the shortest of the texts is that end where it is entered; 0: none does.
  std::vector<std::uint8_t> found_bytes;
  // Where this byte stands, the text around it has to be looked at.
  char mark = '\0';
};

// Bytes [begin, end) of a text are something that was looked for.
struct FoundText {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  friend bool operator==(const FoundText&, const FoundText&) = default;
};

// What was found in a text, the shortest at each end, by ascending ends.
struct ScannedText {
  std::vector<FoundText> found;
  std::vector<std::uint32_t> marks;  // where they stand, ascending
  // False: it has to be decoded and looked at. There was too much in it for this to pay, or it
  // cannot be decoded, which decoding tells.
  bool is_complete = false;
};

// A stream and how long its text is. The stored bytes are followed by bit_source_padding readable
// ones.
struct ScannedStream {
  std::span<const std::byte> stored;
  std::uint32_t raw_bytes = 0;
};

// Keeps what it learnt of a table's tokens until it is given another. Memory: 4 KiB a state of the
// automaton, at most a quarter of the texts, and what is found. Not thread-safe.
class TokenScan {
 public:
  // Each waits for a code to know where the next one begins: so many keep a processor busy.
  static constexpr std::size_t streams_max = 8;

  // Forgets what was found, as of `texts` of which none is complete.
  // Precondition: texts <= streams_max.
  void start(std::size_t texts);
  // Looks through streams of these tokens; text(i) is of the i-th whose `raw_bytes` are not 0, the
  // others stay as start() left them. Precondition: start(streams.size()); at least one state.
  void scan(std::span<const ScannedStream> streams, const std::shared_ptr<const TokenTable>& tokens,
            const std::shared_ptr<const ByteAutomaton>& automaton);
  [[nodiscard]] const ScannedText& text(std::size_t i) const { return texts_[i]; }
  // Bytes [begin, end) of a text that is complete, decoded; until the next call.
  // Precondition: begin <= end <= its length; its stored bytes are still there.
  [[nodiscard]] std::string_view read(std::size_t i, std::uint32_t begin, std::uint32_t end);

 private:
  // Where a token begins, in the text and in the stream.
  struct Waypoint {
    std::uint32_t at = 0;
    std::uint32_t bit = 0;
  };
  // How far a stream is looked through.
  struct Lane {
    BitSource source;
    std::uint32_t at = 0;  // in the text
    std::uint32_t end = 0;
    std::uint32_t state = 0;
    std::size_t number = 0;  // of the text
  };
  // Whether a lane goes on.
  enum class Progress { goes_on, ended };

  void learn_of(const std::shared_ptr<const TokenTable>& tokens,
                const std::shared_ptr<const ByteAutomaton>& automaton);
  // As far as any codes fit all of `lanes`, or one of them ends; that one is null afterwards.
  template <std::size_t count>
  void scan_together(std::array<Lane*, count>& lanes);
  // To its end.
  void finish(Lane& lane);
  [[nodiscard]] Progress take(Lane& lane, std::uint32_t token);
  // The same byte by byte; remembers what the token does, where nothing of it has to be looked at
  // again.
  [[nodiscard]] Progress take_slowly(Lane& lane, std::uint32_t token);
  [[nodiscard]] ScannedText& text_of(const Lane& lane) { return texts_[lane.number]; }
  [[nodiscard]] std::uint32_t unknown() const {
    return static_cast<std::uint32_t>(automaton_->next.size());
  }

  std::array<ScannedText, streams_max> texts_;
  std::array<std::span<const std::byte>, streams_max> stored_;
  std::array<std::vector<Waypoint>, streams_max> waypoints_;  // ascending
  std::vector<char> read_;
  std::shared_ptr<const TokenTable> tokens_;
  std::shared_ptr<const ByteAutomaton> automaton_;
  // By state and token: the next state, or unknown(), which also leads to itself.
  std::vector<std::uint8_t> next_;
  std::vector<std::uint8_t> sizes_;  // of the tokens
};

}  // namespace docket
