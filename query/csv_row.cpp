#include "query/csv_row.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace docket::query {

namespace {

// The bytes of a step, zeros behind them. Bytes that are masked out are not read: there need be
// none.
[[gnu::always_inline]] DOCKET_WIDE_VECTORS inline __m512i load(const char* from, std::size_t size) {
  const __mmask64 mask = _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(size));
  return _mm512_maskz_loadu_epi8(mask, from);
}

// What a cell's bytes ask for.
struct Marks {
  __mmask64 hidden;  // there may be something to escape
  __mmask64 quoted;  // the cell stands in quotes
};

// Beside control characters, what is_hidden() names begins with one of three bytes (C2, D8, E2),
// and so do some letters: they only take longer.
[[gnu::always_inline]] DOCKET_WIDE_VECTORS inline Marks marks_of(__m512i bytes, std::size_t size) {
  const __mmask64 there = _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(size));
  const auto equal = [](__m512i all, char c) __attribute__((always_inline)) DOCKET_WIDE_VECTORS {
    return _mm512_cmpeq_epi8_mask(all, _mm512_set1_epi8(c));
  };
  const __mmask64 controls =
      _mm512_mask_cmplt_epu8_mask(there, bytes, _mm512_set1_epi8(0x20)) | equal(bytes, '\x7F');
  const __mmask64 leads = equal(bytes, '\xC2') | equal(bytes, '\xD8') | equal(bytes, '\xE2');
  return {controls | leads, equal(bytes, ',') | equal(bytes, '"')};
}

}  // namespace

bool WideCsvRow::may_be_guarded(char first) const {
  return !raw_ && (first == '=' || first == '+' || first == '-' || first == '@' || first == '\'' ||
                   first == '\xEF');
}

void WideCsvRow::add(std::string_view text) {
  *to_++ = ',';
  if (text.empty()) {
    return;
  }
  if (text.size() > step_bytes) {
    add_long(text);
    return;
  }
  const __m512i bytes = load(text.data(), text.size());
  const Marks marks = marks_of(bytes, text.size());
  if ((marks.hidden | marks.quoted) == 0 && !may_be_guarded(text.front())) {
    _mm512_storeu_si512(to_, bytes);
    to_ += text.size();
  } else if (marks.hidden == 0 && !may_be_guarded(text.front())) {
    add_in_quotes(text);
  } else {
    add_unusual(text);
  }
}

void WideCsvRow::add_long(std::string_view text) {
  if (text.size() > text_bytes_max || may_be_guarded(text.front())) {
    add_unusual(text);
    return;
  }
  const std::size_t room = buffer_bytes - static_cast<std::size_t>(to_ - buffer_);
  if (room < 2 * text.size() + beside_text + short_cells_bytes) {
    flush();
  }
  __mmask64 hidden = 0;
  __mmask64 quoted = 0;
  for (std::size_t at = 0; at < text.size(); at += step_bytes) {
    const std::size_t size = std::min(step_bytes, text.size() - at);
    const Marks marks = marks_of(load(text.data() + at, size), size);
    hidden |= marks.hidden;
    quoted |= marks.quoted;
  }
  if (hidden != 0) {
    add_unusual(text);
  } else if (quoted != 0) {
    add_in_quotes(text);
  } else {
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }
}

// Every byte twice, and of those that are no quotes the second one taken out again.
void WideCsvRow::add_in_quotes(std::string_view text) {
  constexpr std::size_t half = step_bytes / 2;
  alignas(64) static constexpr auto twice = [] {
    std::array<std::uint8_t, step_bytes> places{};
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i] = static_cast<std::uint8_t>(i / 2);
    }
    return places;
  }();
  const __m512i places = _mm512_load_si512(twice.data());
  *to_++ = '"';
  for (std::size_t at = 0; at < text.size(); at += half) {
    const std::size_t size = std::min(half, text.size() - at);
    const __m512i bytes = load(text.data() + at, size);
    const std::uint64_t quotes = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"'));
    const std::uint64_t kept = 0x5555'5555'5555'5555 | _pdep_u64(quotes, 0xAAAA'AAAA'AAAA'AAAA);
    // The form without a mask would be warned of: its headers name a value that nobody sets.
    const __m512i doubled = _mm512_maskz_permutexvar_epi8(~__mmask64{0}, places, bytes);
    _mm512_storeu_si512(to_, _mm512_maskz_compress_epi8(kept, doubled));
    to_ += size + static_cast<std::size_t>(std::popcount(quotes));
  }
  *to_++ = '"';
}

void WideCsvRow::add(std::uint64_t number) {
  *to_++ = ',';
  to_ = std::to_chars(to_, to_ + 20, number).ptr;
}

void WideCsvRow::add(const std::optional<IpAddress>& address) {
  *to_++ = ',';
  if (address) {
    to_ = write_ip(to_, *address);
  }
}

void WideCsvRow::add_unusual(std::string_view text) {
  flush();
  append_csv_cell(out_, text, raw_);
}

void WideCsvRow::flush() {
  out_.append(buffer_, static_cast<std::size_t>(to_ - buffer_));
  to_ = buffer_;
}

void WideCsvRow::finish() {
  *to_++ = '\r';
  *to_++ = '\n';
  flush();
}

}  // namespace docket::query

#endif
