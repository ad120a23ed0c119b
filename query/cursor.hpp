// The place where a page ended, as an opaque string that a client hands back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/result.hpp"
#include "query/searcher.hpp"
#include "query/unlisted.hpp"

namespace docket::query {

struct Cursor {
  // How far a log went when the first page was asked for. Later events stay out of later pages.
  struct Watermark {
    std::string log;
    Seq last_seq;
    Unlisted rest;  // of it, behind this page
    friend bool operator==(const Watermark&, const Watermark&) = default;
  };

  Order order = Order::newest_first;
  std::uint64_t query_hash = 0;
  Nanos ts = 0;  // of the last event listed
  Seq seq;
  std::string log;
  std::vector<Watermark> watermarks;

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

[[nodiscard]] std::uint64_t hash_query(std::string_view text);

// base64url without padding; checksummed, so that a damaged one is refused. Not signed: whoever
// may ask at all may ask for any page.
[[nodiscard]] std::string encode_cursor(const Cursor& cursor);
// Error: invalid_argument.
[[nodiscard]] Result<Cursor> decode_cursor(std::string_view text);

}  // namespace docket::query
