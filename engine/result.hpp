// How operating errors travel: a Result<T> (always [[nodiscard]] where returned) carries either a
// value or an Error with its place.
//
// Our own bugs are DOCKET_ASSERTs (assert.hpp), never Errors; bytes from disk and network are
// Errors, never assertions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace docket {

enum class ErrorCode : std::uint8_t {
  invalid_argument,  // the caller's input breaks a rule; the message names rule and field
  not_found,         // no such file, log, event or segment
  exists,            // it is there already
  busy,              // another process holds the directory's lock
  io,                // a system call failed; `sys_errno` says how
  no_space,          // the disk (or our reserve on it) is full; retryable
  corrupt,           // bytes do not match their checksum or their format; has a place
  newer_format,      // written by a newer version with an incompatible feature
  overloaded,        // a budget is used up; retryable
  unknown_outcome,   // a commit failed half way: the events may or may not be stored
  out_of_order,      // a batch number that is not the next one; message names the expected one
  closed,            // the log or connection is shutting down
  cancelled,         // the asker went away
};

// The stable, lower-case name of a code ("corrupt", "no_space"); for logs and problem documents.
[[nodiscard]] std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::invalid_argument;
  std::string message;        // one line, no trailing period, fit to show an operator
  int sys_errno = 0;          // errno of the failed call, or 0
  std::uint64_t segment = 0;  // segment id the error is about, or 0
  std::uint64_t offset = 0;   // byte offset in that segment's file, where it is known

  // "activity/00000003.seg @4096: header checksum does not match (corrupt)"-like single line.
  [[nodiscard]] std::string describe() const;
};

template <typename T = void>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), 0, 0, 0});
}

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

// An `io` error (or `no_space` for ENOSPC and EDQUOT) with errno's own text appended to `what`.
[[nodiscard]] tl::unexpected<Error> fail_errno(std::string_view what, int error_number);

[[nodiscard]] tl::unexpected<Error> fail_corrupt(std::string message, std::uint64_t segment,
                                                 std::uint64_t offset);

}  // namespace docket

// Propagates the error of a Result expression, or goes on.
#define DOCKET_TRY(expression)                                       \
  do {                                                               \
    if (auto docket_try_result = (expression); !docket_try_result) { \
      return ::docket::fail(std::move(docket_try_result).error());   \
    }                                                                \
  } while (false)

#define DOCKET_CONCAT_INNER(a, b) a##b
#define DOCKET_CONCAT(a, b) DOCKET_CONCAT_INNER(a, b)

// DOCKET_ASSIGN(auto x, f()): declares x from the value of a Result expression, or propagates.
#define DOCKET_ASSIGN(declaration, expression) \
  DOCKET_ASSIGN_INNER(declaration, expression, DOCKET_CONCAT(docket_result_, __LINE__))
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses
#define DOCKET_ASSIGN_INNER(declaration, expression, temporary) \
  auto temporary = (expression);                                \
  if (!temporary)                                               \
    return ::docket::fail(std::move(temporary).error());        \
  declaration = std::move(*temporary)
// NOLINTEND(bugprone-macro-parentheses)
