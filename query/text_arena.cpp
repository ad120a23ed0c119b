#include "query/text_arena.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "engine/processor.hpp"

namespace docket::query {

namespace {

#if defined(__x86_64__)
// `place` has room for all, and 64 bytes behind them.
DOCKET_WIDE_VECTORS void copy_wide(std::span<const std::string_view> texts, char* place,
                                   std::string_view* added) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t size = texts[i].size();
    if (size <= 64) {
      // Bytes that are masked out are not read: there need be none.
      const __mmask64 mask = _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(size));
      _mm512_storeu_si512(place, _mm512_maskz_loadu_epi8(mask, texts[i].data()));
    } else {
      std::memcpy(place, texts[i].data(), size);
    }
    added[i] = {place, size};
    place += size;
  }
}
#endif

}  // namespace

void TextArena::add_all(std::span<const std::string_view> texts, std::string_view* added) {
  std::size_t bytes = 0;
  for (const std::string_view text : texts) {
    bytes += text.size();
  }
  if (bytes == 0) {
    std::fill_n(added, texts.size(), std::string_view());
    return;
  }
  char* place = take(bytes);
#if defined(__x86_64__)
  if (has_wide_vectors()) {
    copy_wide(texts, place, added);
    return;
  }
#endif
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty()) {
      std::memcpy(place, texts[i].data(), texts[i].size());
    }
    added[i] = {place, texts[i].size()};
    place += texts[i].size();
  }
}

}  // namespace docket::query
