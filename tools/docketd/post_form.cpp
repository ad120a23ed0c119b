#include "tools/docketd/post_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "query/render.hpp"

namespace docket::server {

namespace {

constexpr std::string_view protobuf_type = "application/x-protobuf";
constexpr std::string_view json_type = "application/json";

// google.rpc.Code.
constexpr int rpc_invalid_argument = 3;
constexpr int rpc_resource_exhausted = 8;
constexpr int rpc_unavailable = 14;

// Without parameters and blanks, in lower case.
std::string plain(std::string_view value) {
  value = value.substr(0, value.find(';'));
  std::string text;
  std::ranges::copy_if(value, std::back_inserter(text),
                       [](char c) { return c != ' ' && c != '\t'; });
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

api::Answer answer_of(const ingest::RequestOutcome& outcome) {
  api::Answer answer;
  answer.status = outcome.rejected.empty() ? 200 : outcome.accepted > 0 ? 207 : 400;
  answer.body = fmt::format("{{\"accepted\":{},\"rejected\":[", outcome.accepted);
  const char* separator = "";
  for (const ingest::RejectedEvent& event : outcome.rejected) {
    fmt::format_to(std::back_inserter(answer.body), "{}{{\"index\":{},\"error\":", separator,
                   event.index);
    query::append_json_string(answer.body, event.error);
    answer.body += '}';
    separator = ",";
  }
  fmt::format_to(std::back_inserter(answer.body), "],\"first_seq\":{},\"last_seq\":{}",
                 outcome.first_seq, outcome.last_seq);
  answer.body += outcome.duplicate ? ",\"duplicate\":true}" : "}";
  return answer;
}

int rpc_code_of(unsigned status) {
  constexpr unsigned too_many = 429;
  constexpr unsigned server_error = 500;
  return status == too_many       ? rpc_resource_exhausted
         : status >= server_error ? rpc_unavailable
                                  : rpc_invalid_argument;
}

}  // namespace

void PostForm::store(Store& store, std::string_view body, const EventRules& rules,
                     const ingest::RequestSender& sender,
                     std::function<void(Result<ingest::RequestOutcome>)> done) const {
  if (is_otlp) {
    ingest::store_otlp(store, body, otlp, rules, sender, std::move(done));
  } else {
    ingest::store_json(store, body, rules, sender, std::move(done));
  }
}

api::Answer PostForm::answer(const ingest::RequestOutcome& outcome) const {
  if (!is_otlp) {
    return answer_of(outcome);
  }
  api::Answer answer;
  answer.content_type = otlp == ingest::OtlpForm::json ? json_type : protobuf_type;
  answer.body = ingest::otlp_response(outcome, otlp);
  return answer;
}

api::Answer PostForm::error(api::Answer problem) const {
  if (is_otlp) {
    problem.content_type = otlp == ingest::OtlpForm::json ? json_type : protobuf_type;
    problem.body = ingest::otlp_status(rpc_code_of(problem.status), problem.detail, otlp);
  }
  return problem;
}

Result<PostForm> read_post_form(api::Endpoint endpoint, std::string_view content_type,
                                std::string_view content_encoding) {
  PostForm form;
  const std::string encoding = plain(content_encoding);
  form.is_gzip = encoding == "gzip" || encoding == "x-gzip";
  if (!form.is_gzip && !encoding.empty() && encoding != "identity") {
    return fail(ErrorCode::invalid_argument,
                fmt::format("Content-Encoding: must be gzip or absent, and is '{}'", encoding));
  }
  if (endpoint != api::Endpoint::post_otlp) {
    return form;
  }
  form.is_otlp = true;
  const std::string type = plain(content_type);
  form.otlp = type == protobuf_type ? ingest::OtlpForm::protobuf : ingest::OtlpForm::json;
  if (type != protobuf_type && type != json_type) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("Content-Type: must be {} or {}, and is '{}'", protobuf_type, json_type, type));
  }
  return form;
}

}  // namespace docket::server
