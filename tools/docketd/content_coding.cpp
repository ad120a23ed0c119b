#include "tools/docketd/content_coding.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

#include "engine/assert.hpp"
#include "tools/api/digest.hpp"

namespace docket::server {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

// Takes the part up to the next comma off `list`.
std::string_view next_item(std::string_view& list) {
  const std::string_view item = list.substr(0, list.find(','));
  list.remove_prefix(std::min(list.size(), item.size() + 1));
  return trimmed(item);
}

bool is_word(std::string_view text, std::string_view lower) {
  return std::ranges::equal(
      text, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// `;q=0`, `;q=0.000`: not at all.
bool is_refused(std::string_view parameters) {
  const std::size_t at = parameters.find('=');
  if (at == std::string_view::npos || !is_word(trimmed(parameters.substr(0, at)), "q")) {
    return false;
  }
  const std::string_view weight = trimmed(parameters.substr(at + 1));
  return weight.starts_with('0') && weight.find_first_not_of("0.") == std::string_view::npos;
}

// One gzip stream as zlib reads it. `compressed` must outlive it.
class Inflation {
 public:
  explicit Inflation(std::string_view compressed) {
    constexpr int gzip_window_bits = 15 + 16;
    // zlib does not write to its input, and counts in 32 bits, which a body's bound is below.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
    stream_.avail_in = static_cast<uInt>(compressed.size());
    if (::inflateInit2(&stream_, gzip_window_bits) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Inflation() { ::inflateEnd(&stream_); }
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;

  [[nodiscard]] z_stream& stream() { return stream_; }
  [[nodiscard]] int run(int flush) {
    const int done = ::inflate(&stream_, flush);
    if (done == Z_MEM_ERROR) {
      throw std::bad_alloc();
    }
    return done;
  }

 private:
  z_stream stream_{};
};

// Whether more than `bytes_max` comes out before the stream ends or is damaged. Holds none of it.
bool inflates_beyond(std::string_view compressed, std::size_t bytes_max) {
  std::array<Bytef, std::size_t{16} << 10> buffer{};
  Inflation inflation(compressed);
  z_stream& stream = inflation.stream();
  std::size_t inflated = 0;
  int done = Z_OK;
  while (done == Z_OK && inflated <= bytes_max) {
    stream.next_out = buffer.data();
    stream.avail_out = static_cast<uInt>(buffer.size());
    done = inflation.run(Z_NO_FLUSH);
    inflated += buffer.size() - stream.avail_out;
  }
  return inflated > bytes_max;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    const std::string_view item = next_item(accept_encoding);
    const std::string_view coding = trimmed(item.substr(0, item.find(';')));
    const bool refused = item.size() > coding.size() &&
                         is_refused(item.substr(std::min(item.size(), item.find(';') + 1)));
    if (is_word(coding, "gzip") || is_word(coding, "x-gzip")) {
      return !refused;
    }
    any = any || (coding == "*" && !refused);
  }
  return any;
}

struct Gzip::State {
  z_stream stream{};
  std::array<Bytef, std::size_t{16} << 10> buffer{};
};

Gzip::Gzip() : state_(std::make_unique<State>()) {
  constexpr int gzip_window_bits = 15 + 16;  // the largest window, with gzip's head and tail
  constexpr int memory_level = 8;
  if (::deflateInit2(&state_->stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window_bits, memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
}

Gzip::~Gzip() {
  ::deflateEnd(&state_->stream);
}

void Gzip::run(std::string_view bytes, bool last, std::string& out) {
  z_stream& stream = state_->stream;
  do {
    // zlib counts in 32 bits.
    const std::string_view part = bytes.substr(0, std::size_t{1} << 30);
    bytes.remove_prefix(part.size());
    // It does not write to its input.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    const int flush = last && bytes.empty() ? Z_FINISH : Z_NO_FLUSH;
    do {
      stream.next_out = state_->buffer.data();
      stream.avail_out = static_cast<uInt>(state_->buffer.size());
      const int done = ::deflate(&stream, flush);
      DOCKET_ASSERT(done != Z_STREAM_ERROR);
      out.append(reinterpret_cast<const char*>(state_->buffer.data()),
                 state_->buffer.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (!bytes.empty());
}

void Gzip::add(std::string_view bytes, std::string& out) {
  if (!bytes.empty()) {
    run(bytes, false, out);
  }
}

void Gzip::finish(std::string& out) {
  run({}, true, out);
}

std::uint64_t gzip_size(std::string_view compressed) {
  constexpr std::size_t bytes_min = 18;  // of the head and the tail
  if (compressed.size() < bytes_min) {
    return 0;
  }
  std::uint64_t size = 0;
  for (std::size_t i = 1; i <= sizeof(std::uint32_t); ++i) {
    size = size << 8U | static_cast<unsigned char>(compressed[compressed.size() - i]);
  }
  return size;
}

Result<std::optional<std::string>> gunzip(std::string_view compressed, std::size_t bytes_max) {
  const std::uint64_t says = gzip_size(compressed);
  const auto refused = [] {
    return fail(ErrorCode::invalid_argument, "body: is not one whole stream of gzip");
  };
  if (says > bytes_max) {
    // What is no gzip, or only its beginning, says any size.
    return inflates_beyond(compressed, bytes_max) ? Result<std::optional<std::string>>(std::nullopt)
                                                  : refused();
  }
  std::string out(says, '\0');
  Inflation inflation(compressed);
  z_stream& stream = inflation.stream();
  Bytef nothing = 0;  // where a stream of nothing is inflated to
  stream.next_out = out.empty() ? &nothing : reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int done = inflation.run(Z_FINISH);
  if (done != Z_STREAM_END || stream.avail_in != 0 || stream.avail_out != 0) {
    return refused();
  }
  return std::optional<std::string>(std::move(out));
}

std::string entity_tag(std::string_view body) {
  constexpr std::size_t digits = 32;
  api::Sha256 digest;
  digest.update(body);
  return "W/\"" + digest.finish().substr(0, digits) + "\"";
}

bool names_tag(std::string_view if_none_match, std::string_view tag) {
  const auto opaque = [](std::string_view text) {
    return text.starts_with("W/") ? text.substr(2) : text;
  };
  while (!if_none_match.empty()) {
    const std::string_view item = next_item(if_none_match);
    if (item == "*" || opaque(item) == opaque(tag)) {
      return true;
    }
  }
  return false;
}

void dress(api::Answer& answer, const Acceptance& accepted) {
  if (answer.status != 200) {
    return;
  }
  answer.etag = entity_tag(answer.body);
  if (names_tag(accepted.if_none_match, answer.etag)) {
    answer.status = 304;
    answer.body.clear();
    return;
  }
  if (accepted.gzip && answer.body.size() >= gzip_bytes_min) {
    std::string compressed;
    Gzip gzip;
    gzip.add(answer.body, compressed);
    gzip.finish(compressed);
    answer.body = std::move(compressed);
    answer.content_encoding = "gzip";
  }
}

}  // namespace docket::server
