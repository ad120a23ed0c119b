// What an answer may look like on its way to a client that says what it takes: compressed, or left
// out because the client has it already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "tools/api/answer.hpp"

namespace docket::server {

// Whether the value of an Accept-Encoding field lets an answer be compressed by gzip (RFC 9110,
// 12.5.3). An absent field, which is no wish, counts as no.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

// A gzip stream (RFC 1952), fast rather than small. Not thread-safe. Holds 270 KB.
class Gzip {
 public:
  Gzip();  // throws std::bad_alloc
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  // Appends to `out` what of the stream is ready.
  void add(std::string_view bytes, std::string& out);
  // Appends the rest. Nothing may be added afterwards.
  void finish(std::string& out);

 private:
  struct State;
  void run(std::string_view bytes, bool last, std::string& out);
  std::unique_ptr<State> state_;
};

// What a gzip stream says of itself in its last bytes: how many it inflates to, modulo 2^32; 0
// where it is too short to be one.
[[nodiscard]] std::uint64_t gzip_size(std::string_view compressed);
// Inflates exactly one gzip stream to the size that it says. nullopt: it inflates to more than
// `bytes_max`, and is not held then. Error: invalid_argument, for anything else. Takes no more
// memory than the size that it says, where that is at most `bytes_max`, and 70 KB.
[[nodiscard]] Result<std::optional<std::string>> gunzip(std::string_view compressed,
                                                        std::size_t bytes_max);

// A weak validator (RFC 9110, 8.8.3): equal for equal bodies, whatever their coding. Made of their
// SHA-256, so that nobody who sends events can make two answers look the same.
[[nodiscard]] std::string entity_tag(std::string_view body);
// Whether the value of an If-None-Match field names the tag, compared weakly.
[[nodiscard]] bool names_tag(std::string_view if_none_match, std::string_view tag);

// The parts of a request's head that decide.
struct Acceptance {
  bool gzip = false;
  std::string if_none_match;
};

// Gives a successful answer its tag; takes its body away where the client has it (304), else
// compresses it where the client takes that and it pays.
void dress(api::Answer& answer, const Acceptance& accepted);

// Smaller bodies fit one packet as they are.
inline constexpr std::size_t gzip_bytes_min = 1400;

}  // namespace docket::server
