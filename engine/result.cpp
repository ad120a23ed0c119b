#include "engine/result.hpp"

#include <cerrno>
#include <system_error>

namespace docket {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::exists:
      return "exists";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::io:
      return "io";
    case ErrorCode::no_space:
      return "no_space";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::newer_format:
      return "newer_format";
    case ErrorCode::overloaded:
      return "overloaded";
    case ErrorCode::unknown_outcome:
      return "unknown_outcome";
    case ErrorCode::out_of_order:
      return "out_of_order";
    case ErrorCode::closed:
      return "closed";
    case ErrorCode::cancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string Error::describe() const {
  std::string text = message;
  if (segment != 0) {
    text += " (segment " + std::to_string(segment) + ", offset " + std::to_string(offset) + ")";
  }
  text += " [";
  text += to_string(code);
  text += ']';
  return text;
}

tl::unexpected<Error> fail_errno(std::string_view what, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  // std::generic_category().message() is thread-safe, unlike strerror().
  return fail(Error{full ? ErrorCode::no_space : ErrorCode::io,
                    std::string(what) + ": " + std::generic_category().message(error_number),
                    error_number, 0, 0});
}

tl::unexpected<Error> fail_corrupt(std::string message, std::uint64_t segment,
                                   std::uint64_t offset) {
  return fail(Error{ErrorCode::corrupt, std::move(message), 0, segment, offset});
}

}  // namespace docket
