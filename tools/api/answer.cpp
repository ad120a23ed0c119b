#include "tools/api/answer.hpp"

#include <fmt/format.h>

#include <array>

#include "query/render.hpp"

namespace docket::api {

namespace {

// How soon a sender whose events the store could not take is to try again.
constexpr std::uint32_t store_retry_s = 10;

struct CodeRow {
  ErrorCode code;
  unsigned status;
  std::uint32_t retry_after_s;
  std::string_view title;
};

// 429: our own budget is used up, and trying again soon helps. 503: it helps once an operator or
// retention has done something. A repeat after `unknown_outcome` is harmless with an
// Idempotency-Key, and the log recovers by a restart.
constexpr std::array codes{
    CodeRow{ErrorCode::invalid_argument, 400, 0, "The request breaks a rule"},
    CodeRow{ErrorCode::not_found, 404, 0, "There is no such thing"},
    CodeRow{ErrorCode::exists, 409, 0, "It is there already"},
    CodeRow{ErrorCode::busy, 503, 5, "The store is in use by another process"},
    CodeRow{ErrorCode::io, 500, 0, "A system call failed"},
    CodeRow{ErrorCode::no_space, 503, 10, "The disk is full"},
    CodeRow{ErrorCode::corrupt, 500, 0, "Stored bytes are damaged"},
    CodeRow{ErrorCode::newer_format, 500, 0, "The store was written by a newer version"},
    CodeRow{ErrorCode::overloaded, 429, 1, "A budget is used up"},
    CodeRow{ErrorCode::unknown_outcome, 503, 10, "It is not known whether the events are stored"},
    CodeRow{ErrorCode::out_of_order, 409, 0, "A batch is missing before this one"},
    CodeRow{ErrorCode::closed, 503, 5, "The server is shutting down"},
    CodeRow{ErrorCode::cancelled, 503, 1, "The request was cancelled"},
};

const CodeRow& row_of(ErrorCode code) {
  for (const CodeRow& row : codes) {
    if (row.code == code) {
      return row;
    }
  }
  return codes.front();
}

std::string problem_body(unsigned status, std::string_view kind, std::string_view title,
                         std::string_view detail) {
  std::string body = "{\"type\":";
  query::append_json_string(body, fmt::format("urn:docket:problem:{}", kind));
  body += ",\"title\":";
  query::append_json_string(body, title);
  fmt::format_to(std::back_inserter(body), ",\"status\":{},\"detail\":", status);
  query::append_json_string(body, detail);
  return body;
}

}  // namespace

unsigned status_of(ErrorCode code) {
  return row_of(code).status;
}

Answer problem(const Error& error) {
  const CodeRow& row = row_of(error.code);
  const std::size_t line_end = error.message.find('\n');
  const bool is_syntax = line_end != std::string::npos;
  Answer answer;
  answer.status = row.status;
  answer.retry_after_s = row.retry_after_s;
  answer.content_type = problem_content_type;
  answer.body = problem_body(row.status, is_syntax ? "query_syntax" : to_string(error.code),
                             is_syntax ? "The query cannot be read" : row.title,
                             std::string_view(error.message).substr(0, line_end));
  if (is_syntax) {
    fmt::format_to(std::back_inserter(answer.body), ",\"position\":{},\"caret\":", error.offset);
    query::append_json_string(answer.body, std::string_view(error.message).substr(line_end + 1));
  } else if (error.segment != 0) {
    fmt::format_to(std::back_inserter(answer.body), ",\"segment\":{},\"offset\":{}", error.segment,
                   error.offset);
  }
  answer.body += '}';
  answer.detail = std::string_view(error.message).substr(0, line_end);
  return answer;
}

Answer problem_of_post(const Error& error) {
  const CodeRow& row = row_of(error.code);
  if (error.code == ErrorCode::out_of_order) {
    // Only under an Idempotency-Key has a request a place in an order.
    return problem(422, "key_reused", "The Idempotency-Key belongs to another request",
                   error.message);
  }
  if (error.code == ErrorCode::invalid_argument || row.retry_after_s != 0) {
    return problem(error);
  }
  Answer answer =
      problem(503, to_string(error.code), "The events could not be stored", error.describe());
  answer.retry_after_s = store_retry_s;
  return answer;
}

Answer problem(unsigned status, std::string_view kind, std::string_view title,
               std::string_view detail) {
  Answer answer;
  answer.status = status;
  answer.content_type = problem_content_type;
  answer.body = problem_body(status, kind, title, detail) + '}';
  answer.detail = detail;
  return answer;
}

}  // namespace docket::api
