// What a request is answered with: a status, a body, and RFC 9457 problem documents for errors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "engine/snapshot.hpp"

namespace docket::api {

// What was read of the events, for the system's own log. Only for answers that carry the content of
// events or numbers taken from them.
struct ReadRecord {
  std::string operation;   // "search", "count", "facets", "histogram", "explain", "event",
                           // "export", "tail"
  std::string query;       // as asked; `log:seq` for one event
  std::uint64_t rows = 0;  // events returned; for counts, facets and histograms those counted
  std::vector<Gap> gaps;   // what should have been read, too, and could not
};

struct Answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;                // for 405: the methods the path knows
  std::string authenticate;         // for 401 and 403: the field WWW-Authenticate
  std::string etag;                 // of the body as it is before any coding; empty: none
  std::string content_encoding;     // empty: the body is as it is
  std::string detail;               // of a problem: what its body says to people
  std::uint32_t retry_after_s = 0;  // > 0: the same request may succeed after so many seconds
  std::optional<ReadRecord> read;
};

inline constexpr std::string_view problem_content_type = "application/problem+json";

// The HTTP status that an error of ours is answered with.
[[nodiscard]] unsigned status_of(ErrorCode code);

// `{"type":"urn:docket:problem:CODE","title":…,"status":…,"detail":…}`. A message of more than one
// line (a query's syntax error) is split: the first line is the detail, the rest, with the caret
// under the column, is "caret", and "position" is the byte offset in the query.
[[nodiscard]] Answer problem(const Error& error);
// The same for an event that was posted: but for invalid_argument nothing is the sender's fault,
// whatever the code means of a question, so it is to come again (503, or 429).
[[nodiscard]] Answer problem_of_post(const Error& error);
// The same for what has no error code of ours. `kind` completes the type's URN; `title` says what
// is wrong in general, `detail` in this case.
[[nodiscard]] Answer problem(unsigned status, std::string_view kind, std::string_view title,
                             std::string_view detail);

}  // namespace docket::api
