// The forms in which events are posted, and in which they are answered. No Beast here, so that it
// can be tested by itself.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/log.hpp"
#include "engine/result.hpp"
#include "ingest/event_json.hpp"
#include "ingest/otlp.hpp"
#include "tools/api/answer.hpp"
#include "tools/api/routes.hpp"

namespace docket::server {

struct PostForm {
  bool is_gzip = false;
  bool is_otlp = false;
  ingest::OtlpForm otlp = ingest::OtlpForm::json;

  // As ingest::store_json().
  void store(Store& store, std::string_view body, const EventRules& rules,
             const ingest::RequestSender& sender,
             std::function<void(Result<ingest::RequestOutcome>)> done) const;
  [[nodiscard]] api::Answer answer(const ingest::RequestOutcome& outcome) const;
  // An OTLP exporter gets a google.rpc.Status in place of the problem document.
  [[nodiscard]] api::Answer error(api::Answer problem) const;
};

// By the values of Content-Type and Content-Encoding, empty where absent. Events are JSON whatever
// their type says; OTLP is application/x-protobuf or application/json. Error: invalid_argument,
// "Content-Type: what is taken".
[[nodiscard]] Result<PostForm> read_post_form(api::Endpoint endpoint, std::string_view content_type,
                                              std::string_view content_encoding);

}  // namespace docket::server
