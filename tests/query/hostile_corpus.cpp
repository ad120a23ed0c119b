#include "tests/query/hostile_corpus.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <iterator>

namespace docket::query {

namespace {

// The character at `at` and its bytes; code 0x110000 where it is no UTF-8.
struct Decoded {
  std::uint32_t code = 0x110000;
  std::size_t bytes = 1;
};

Decoded decode(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (at + bytes > text.size() || !is_utf8(text.substr(at, bytes))) {
    return {};
  }
  std::uint32_t code = bytes == 1 ? lead : lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  }
  return {code, bytes};
}

bool acts(std::uint32_t code) {
  switch (code) {
    case 0x061C:  // ALM
    case 0x200E:  // LRM
    case 0x200F:  // RLM
    case 0x2028:
    case 0x2029:
    case 0x202A:  // LRE RLE PDF LRO RLO
    case 0x202B:
    case 0x202C:
    case 0x202D:
    case 0x202E:
    case 0x2066:  // LRI RLI FSI PDI
    case 0x2067:
    case 0x2068:
    case 0x2069:
      return true;
    default:
      return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x110000;
  }
}

bool contains(std::string_view some, const Decoded& character) {
  return character.code < 0x80 &&
         some.find(static_cast<char>(character.code)) != std::string_view::npos;
}

// As serialisers write it that escape what JSON wants escaped and nothing else.
std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(json), "\\u{:04X}", static_cast<unsigned>(c));
    } else {
      json += c;
    }
  }
  return json + '"';
}

}  // namespace

const std::vector<HostileText>& hostile_texts() {
  static const std::vector<HostileText> texts = [] {
    std::vector<HostileText> read;
    simdjson::dom::parser parser;
    const simdjson::dom::element document =
        parser.load(DOCKET_SOURCE_DIR "/tests/query/hostile_corpus.json");
    for (const simdjson::dom::element item : document.get_array()) {
      read.push_back({std::string(std::string_view(item["name"])),
                      std::string(std::string_view(item["text"]))});
    }
    return read;
  }();
  return texts;
}

Event hostile_event(const HostileText& hostile) {
  const std::string& text = hostile.text;
  Event e;
  e.log = "activity";
  e.seq = Seq(7);
  e.received = 1'777'600'000'000'000'000;
  e.ts = 1'777'600'000'123'456'789;
  e.node = text;
  e.actor = {text, text, text, text};
  e.verb = text;
  e.target = {text, text, text};
  e.related = {{text, text, text}, {"List", "5", text}};
  e.reason = text;
  e.session = text;
  e.request = text;
  const std::string json = json_string(text);
  e.payload = fmt::format(
      "{{\"changes\":[{{\"field\":{0},\"old\":{0},\"new\":{{{0}:[{0}]}}}}],\r\n\t{0}:{0}}}", json);
  return e;
}

std::string acting_in(std::string_view text, std::string_view allowed) {
  for (std::size_t at = 0; at < text.size();) {
    const Decoded character = decode(text, at);
    if (acts(character.code) && !contains(allowed, character)) {
      return fmt::format("U+{:04X} at {}", character.code, at);
    }
    at += character.bytes;
  }
  return "";
}

std::string made_visible(std::string_view text, std::string_view kept) {
  std::string visible;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded character = decode(text, at);
    if (acts(character.code) && !contains(kept, character)) {
      fmt::format_to(std::back_inserter(visible), "\\u{:04x}", character.code);
    } else {
      visible += text.substr(at, character.bytes);
    }
    at += character.bytes;
  }
  return visible;
}

}  // namespace docket::query
