#include "tools/load/malformed.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <span>
#include <string_view>

#include "engine/batch.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/section.hpp"
#include "ingest/protocol.hpp"
#include "tools/load/ndjson_writer.hpp"

namespace docket::load {
namespace {

constexpr std::size_t template_count = 64;
constexpr std::uint64_t rows_max = 6;  // of a template: small frames, so that many pass in a second
constexpr std::uint64_t changes_max = 3;
constexpr std::size_t growth_max = 64;

// Numbers at which bounds are off by one.
constexpr std::array<std::uint32_t, 12> edges{0,           1,           2,           0x7F,
                                              0x80,        0xFF,        0x7FFF'FFFF, 0x8000'0000,
                                              0xFFFF'FFFF, 0xFFFF'FFFE, 0x0001'0000, 0x00C0'0000};

// What breaks JSON, or what its readers are known to fall over.
constexpr std::array<std::string_view, 20> snippets{"{",
                                                    "}",
                                                    "[",
                                                    "]",
                                                    "\"",
                                                    ":",
                                                    ",",
                                                    "\\",
                                                    "\\u",
                                                    "\\ud800",
                                                    "\xff",
                                                    "\xc0\x80",
                                                    "\xed\xa0\x80",
                                                    "1e999999",
                                                    "-",
                                                    "null",
                                                    "[[[[[[[[[[",
                                                    "\t",
                                                    "\"ts\":99999999999999999999,",
                                                    "\"verb\":\"\","};

}  // namespace

void repair_checksums(std::vector<std::byte>& frame, std::size_t body_at) {
  const std::span<std::byte> body = std::span(frame).subspan(body_at);
  if (body.size() < body_header_bytes) {
    return;
  }
  const auto sections = load_le<std::uint16_t>(body.data() + 4);
  std::size_t at = body_header_bytes + sections * section_entry_bytes;
  for (std::size_t s = 0; s < sections && at <= body.size(); ++s) {
    std::byte* const entry = body.data() + body_header_bytes + s * section_entry_bytes;
    const std::size_t items = load_le<std::uint32_t>(entry + 4);
    const std::size_t bytes = load_le<std::uint32_t>(entry + 8);
    if (bytes > body.size() - at) {
      return;
    }
    std::span<std::byte> section = body.subspan(at, bytes);
    if (load_le<std::uint8_t>(entry + 1) == static_cast<std::uint8_t>(Codec::chunks)) {
      const std::size_t table = std::min(items * chunk_entry_bytes, bytes);
      std::size_t chunk_at = table;
      for (std::size_t c = 0; (c + 1) * chunk_entry_bytes <= table; ++c) {
        std::byte* const chunk = section.data() + c * chunk_entry_bytes;
        const std::size_t stored = load_le<std::uint32_t>(chunk + 8);
        if (stored > bytes - chunk_at) {
          break;
        }
        store_le(chunk + 12, checksum32(section.subspan(chunk_at, stored)));
        chunk_at += stored;
      }
      section = section.first(table);
    }
    store_le(entry + 12, checksum32(section));
    at += bytes;
  }
}

Malformed::Malformed(const Generator& generator, std::uint64_t seed, std::uint64_t stream)
    : random_(seed, stream) {
  GeneratedEvent room;
  BatchBuilder builder;
  for (std::size_t i = 0; i < template_count; ++i) {
    const std::uint64_t rows = 1 + random_.below(rows_max);
    for (std::uint64_t row = 0; row < rows; ++row) {
      generator.make(random_.below(generator.options().events), room);
      builder.add(room.event);
    }
    bodies_.push_back(builder.finish().bytes);
    append_ndjson(lines_.emplace_back(), room.log(), room.event);
    lines_.back().pop_back();  // the newline
  }
}

void Malformed::append_greeting(std::vector<std::byte>& out, const std::string& node,
                                const std::string& token) const {
  append_bytes(out, as_byte_span(ingest::native_preface));
  ingest::Hello hello;
  hello.epoch = 1;
  hello.node = node;
  hello.token = token;
  ingest::append_hello(out, hello);
}

// Changes something at or behind `from`.
void Malformed::change(std::vector<std::byte>& bytes, std::size_t from) {
  const std::size_t size = bytes.size() - from;
  const std::size_t at = from + random_.below(std::max<std::size_t>(size, 1));
  const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  switch (random_.below(size == 0 ? 1 : 8)) {
    case 0:  // longer
      bytes.resize(bytes.size() + 1 + random_.below(growth_max),
                   static_cast<std::byte>(random_.next()));
      break;
    case 1:  // shorter
      bytes.resize(at);
      break;
    case 2: {  // an edge as a number, often in the directory
      const std::size_t place =
          random_.one_in(2) ? at : from + random_.below(std::min(size, 256UL));
      const std::uint32_t edge = edges[random_.below(edges.size())];
      std::memcpy(bytes.data() + place, &edge, std::min(sizeof edge, bytes.size() - place));
      break;
    }
    case 3:  // a piece of it again
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(from + random_.below(at - from + 1)),
                  std::min<std::ptrdiff_t>(16, bytes.end() - here), here);
      break;
    case 4:
      bytes.erase(here);
      break;
    case 5:
      *here = static_cast<std::byte>(random_.next());
      break;
    default:
      *here ^= static_cast<std::byte>(1U << random_.below(8));
      break;
  }
}

void Malformed::break_frame(std::vector<std::byte>& frame) {
  switch (random_.below(3)) {
    case 0:  // type, flags or reserved
      frame[4 + random_.below(4)] ^= static_cast<std::byte>(1 + random_.below(255));
      break;
    case 1:
      frame[8 + random_.below(8)] ^= static_cast<std::byte>(1 + random_.below(255));
      break;
    default:
      frame.back() ^= static_cast<std::byte>(1 + random_.below(255));
      break;
  }
}

bool Malformed::append_frame(std::vector<std::byte>& out) {
  const std::vector<std::byte>& body = bodies_[random_.below(bodies_.size())];
  const auto head = ingest::batch_head("activity", 1 + random_.below(2), body);
  body_.assign(head.begin() + ingest::frame_header_bytes, head.end());
  append_bytes(body_, body);
  if (random_.one_in(64)) {
    change(body_, 0);  // the prefix
    body_.resize(std::max(body_.size(), ingest::batch_prefix_bytes));
  } else {
    for (std::uint64_t i = random_.below(changes_max) + 1; i != 0; --i) {
      change(body_, ingest::batch_prefix_bytes);
    }
    if (!random_.one_in(8)) {
      repair_checksums(body_, ingest::batch_prefix_bytes);
    }
  }
  if (!random_.one_in(break_every)) {
    ingest::append_frame(out, ingest::FrameType::batch, body_);
    return true;
  }
  std::vector<std::byte> frame;
  ingest::append_frame(frame, ingest::FrameType::batch, body_);
  break_frame(frame);
  append_bytes(out, frame);
  return false;
}

void Malformed::change_text(std::string& line) {
  const std::size_t at = random_.below(line.size() + 1);
  switch (random_.below(6)) {
    case 0:
      line.resize(at);
      break;
    case 1:
      line.erase(at, 1 + random_.below(8));
      break;
    case 2:
      line.insert(at, 1, static_cast<char>(random_.next()));
      break;
    case 3:
      line.insert(at, line.substr(random_.below(line.size() + 1), 1 + random_.below(64)));
      break;
    default:
      line.insert(at, snippets[random_.below(snippets.size())]);
      break;
  }
}

void Malformed::append_line(std::string& out) {
  std::string line = lines_[random_.below(lines_.size())];
  for (std::uint64_t i = random_.below(changes_max) + 1; i != 0; --i) {
    change_text(line);
  }
  std::replace(line.begin(), line.end(), '\n', ' ');
  out += line;
  out += '\n';
}

}  // namespace docket::load
