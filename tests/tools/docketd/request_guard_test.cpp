#include "tools/docketd/request_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::server {
namespace {

using ::testing::HasSubstr;

RequestHead get(std::string_view target, std::string_view host = "127.0.0.1:7480") {
  RequestHead head;
  head.method = "GET";
  head.target = target;
  head.host = host;
  return head;
}

unsigned status_of(const AdmittedRequest& request) {
  return request.refusal ? request.refusal->status : 200;
}

TEST(RequestGuard, AKnownRequestIsAdmittedWithItsParameters) {
  const AdmittedRequest request = admit_request(get("/api/v1/count?q=verb%3AEDIT"), true);
  ASSERT_FALSE(request.refusal);
  EXPECT_EQ(request.route.endpoint, api::Endpoint::count);
  EXPECT_EQ(request.parameters.value("q"), "verb:EDIT");
}

TEST(RequestGuard, OnLoopbackOnlyNamesOfThisMachineAreServed) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:7480", "localhost:7480", "[::1]:7480", "[::1]",
                           "10.1.2.3:80", "docket.localhost", "LOCALHOST", "LocalHost.:7480",
                           "localhost.", "docket.Localhost.", ""}) {
    EXPECT_EQ(status_of(admit_request(get("/healthz", host), true)), 200U) << host;
  }
  for (const char* host :
       {"evil.example", "evil.example:7480", "127.0.0.1.evil.example", "localhost.evil.example",
        "[evil", "notlocalhost", "localhost..", ".", ":7480"}) {
    EXPECT_EQ(status_of(admit_request(get("/healthz", host), true)), 421U) << host;
    EXPECT_EQ(status_of(admit_request(get("/healthz", host), false)), 200U) << host;
  }
}

TEST(RequestGuard, UnknownPathsMethodsAndTargetsAreProblems) {
  EXPECT_EQ(status_of(admit_request(get("/nowhere"), true)), 404U);
  EXPECT_EQ(status_of(admit_request(get("/%zz"), true)), 400U);
  RequestHead head = get("/api/v1/events/activity/1");
  head.method = "DELETE";
  const AdmittedRequest request = admit_request(head, true);
  ASSERT_EQ(status_of(request), 405U);
  EXPECT_EQ(request.refusal->allow, "GET, HEAD");
  EXPECT_THAT(request.refusal->body, HasSubstr("\"status\":405"));
}

TEST(RequestGuard, PagesOfAnotherOriginMayNotSend) {
  RequestHead head = get("/api/v1/events");
  head.method = "POST";
  head.has_body = true;
  EXPECT_EQ(status_of(admit_request(head, true)), 200U);
  head.origin = "http://127.0.0.1:7480";
  EXPECT_EQ(status_of(admit_request(head, true)), 200U);
  for (const char* origin : {"http://evil.example", "null", "http://127.0.0.1:81",
                             "http://127.0.0.1:7480.evil.example"}) {
    head.origin = origin;
    for (const char* target : {"/api/v1/events", "/v1/logs"}) {
      head.target = target;
      EXPECT_EQ(status_of(admit_request(head, true)), 403U) << origin;
      EXPECT_EQ(status_of(admit_request(head, false)), 403U) << origin;
    }
  }
}

TEST(RequestGuard, AQuestionWithABodyIsRefused) {
  RequestHead head = get("/api/v1/count");
  head.has_body = true;
  EXPECT_EQ(status_of(admit_request(head, true)), 400U);
}

}  // namespace
}  // namespace docket::server
