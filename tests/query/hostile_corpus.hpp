// Text that somebody hostile puts into an event, and what may come out again. The texts stand in
// hostile_corpus.json, for the end-to-end tests as well.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"

namespace docket::query {

struct HostileText {
  std::string name;
  std::string text;
};
[[nodiscard]] const std::vector<HostileText>& hostile_texts();

// An event with the text in every string of it but the log's name, and in the payload's keys and
// values: as a diff, and with what JSON lets stand in a string unescaped.
[[nodiscard]] Event hostile_event(const HostileText& hostile);

// The first character that a terminal acts on, or that turns the direction of text, as "U+001B at
// 17"; the first byte that is no UTF-8; empty where there is neither. Those of `allowed` are fine.
[[nodiscard]] std::string acting_in(std::string_view text, std::string_view allowed = "");

// The text as CSV, syslog and CEF have it: what acting_in() finds as \uNNNN, but for `kept`.
[[nodiscard]] std::string made_visible(std::string_view text, std::string_view kept = "");

}  // namespace docket::query
