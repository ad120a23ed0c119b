#include "query/needle_automaton.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace docket::query {
namespace {

// While states are made, nothing leads back to the beginning.
constexpr std::uint8_t no_state = 0;

// The state behind each needle, whose bytes lead there from the beginning. False: too many.
[[nodiscard]] bool add_needles(std::span<const Needle> needles, ByteAutomaton& automaton) {
  automaton.next.emplace_back();
  automaton.found_bytes.push_back(0);
  for (const Needle& needle : needles) {
    std::uint8_t state = 0;
    for (const char c : needle.folded_text()) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (automaton.next[state][byte] == no_state) {
        if (automaton.next.size() == ByteAutomaton::states_max) {
          return false;
        }
        automaton.next[state][byte] = static_cast<std::uint8_t>(automaton.next.size());
        automaton.next.emplace_back();
        automaton.found_bytes.push_back(0);
      }
      state = automaton.next[state][byte];
    }
    automaton.found_bytes[state] = static_cast<std::uint8_t>(needle.size());
  }
  return true;
}

// Where no needle goes on, the longest end of what was read that one begins with does.
void complete(ByteAutomaton& automaton) {
  std::vector<std::uint8_t> shorter(automaton.next.size(), 0);
  std::vector<std::uint8_t> to_do = {0};  // in the order of their depth
  for (std::size_t i = 0; i < to_do.size(); ++i) {
    const std::uint8_t state = to_do[i];
    const std::uint8_t less = shorter[state];
    if (const std::uint8_t bytes = automaton.found_bytes[less]; state != 0 && bytes != 0) {
      // It ends here, too, and is the shorter one.
      automaton.found_bytes[state] = bytes;
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
      std::uint8_t& next = automaton.next[state][byte];
      if (next != no_state) {
        shorter[next] = state == 0 ? std::uint8_t{0} : automaton.next[less][byte];
        to_do.push_back(next);
      } else if (state != 0) {
        next = automaton.next[less][byte];
      }
    }
  }
  // Only now, so that each state was made once.
  for (auto& next : automaton.next) {
    for (int letter = 'a'; letter <= 'z'; ++letter) {
      next[static_cast<std::size_t>(letter - 'a' + 'A')] = next[static_cast<std::size_t>(letter)];
    }
  }
}

}  // namespace

std::shared_ptr<const ByteAutomaton> needle_automaton(std::span<const Needle> needles) {
  const auto is_found_by_bytes = [](const Needle& needle) {
    return needle.size() != 0 && needle.is_ascii();
  };
  if (needles.empty() || !std::all_of(needles.begin(), needles.end(), is_found_by_bytes)) {
    return nullptr;
  }
  auto automaton = std::make_shared<ByteAutomaton>();
  automaton->mark = '\\';
  if (!add_needles(needles, *automaton)) {
    return nullptr;
  }
  complete(*automaton);
  return automaton;
}

}  // namespace docket::query
