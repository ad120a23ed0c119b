#include "tools/api/openapi.hpp"

#include <simdjson.h>

#include <map>
#include <set>

#include "tests/tools/api/store_fixture.hpp"
#include "tools/api/export.hpp"
#include "tools/api/tail.hpp"

namespace docket::api {
namespace {

namespace dom = simdjson::dom;

// Name and example of the query parameters of a path's GET; the example is empty where it has none.
std::map<std::string, std::string> query_parameters(const dom::element& document,
                                                    std::string_view path) {
  std::map<std::string, std::string> found;
  auto parameters = document["paths"][path]["get"]["parameters"];
  if (parameters.error() != simdjson::SUCCESS) {
    return found;
  }
  for (dom::element parameter : parameters.get_array()) {
    if (auto ref = parameter["$ref"]; ref.error() == simdjson::SUCCESS) {
      const std::string pointer(std::string_view(ref.value()).substr(1));
      parameter = document.at_pointer(pointer).value();
    }
    if (std::string_view(parameter["in"]) == "query") {
      auto example = parameter["example"];
      found[std::string(std::string_view(parameter["name"]))] =
          example.error() != simdjson::SUCCESS ? ""
          : example.value().is_string()        ? std::string(std::string_view(example.value()))
                                               : simdjson::minify(example.value());
    }
  }
  return found;
}

class OpenApiTest : public StoreFixture {
 protected:
  OpenApiTest() : document_(parser_.parse(simdjson::padded_string(openapi_text()))) {}

  // Whether a question with these parameters is refused for one that nobody knows.
  bool is_unknown(const Operation& operation, const Parameters& parameters) {
    std::string message;
    if (operation.endpoint == Endpoint::tail) {
      const auto opened = Tail::open(*service_, parameters, "");
      message = opened ? "" : opened.error().message;
    } else if (operation.endpoint == Endpoint::export_events) {
      const auto opened = Export::open(*service_, parameters, nullptr);
      message = opened ? "" : opened.error().message;
    } else {
      std::string path = operation.path;
      if (operation.endpoint == Endpoint::event) {
        path = "/api/v1/events/activity/1";
      }
      const Answer answer = get(path, parameters);
      message = answer.status == 200 ? "" : answer.body;
    }
    return message.find("is not known here") != std::string::npos;
  }

  dom::parser parser_;
  dom::element document_;
};

TEST_F(OpenApiTest, DescribesEveryOperationAndNoOther) {
  std::set<std::string> described;
  for (const auto& [path, methods] : document_["paths"].get_object()) {
    for (const auto& [method, operation] : methods.get_object()) {
      described.insert(std::string(method) + " " + std::string(path));
      EXPECT_EQ(operation["responses"].error(), simdjson::SUCCESS) << path;
    }
  }
  std::set<std::string> known;
  for (const Operation& operation : operations()) {
    known.insert((operation.allow == "POST" ? "post " : "get ") + operation.path);
  }
  EXPECT_EQ(described, known);
}

TEST_F(OpenApiTest, EachOperationTakesTheParametersDescribedAndNoOther) {
  add("activity", {event(1), event(2)});
  std::set<std::string> every{"nonsense"};
  for (const Operation& operation : operations()) {
    if (operation.allow != "POST") {
      for (const auto& [name, example] : query_parameters(document_, operation.path)) {
        every.insert(name);
      }
    }
  }
  EXPECT_GT(every.size(), 10U);
  for (const Operation& operation : operations()) {
    if (!operation.path.starts_with("/api/") || operation.allow == "POST") {
      continue;
    }
    const auto described = query_parameters(document_, operation.path);
    for (const std::string& name : every) {
      Parameters parameters;
      const auto found = described.find(name);
      parameters.set(name, found == described.end() ? "1" : found->second);
      EXPECT_EQ(is_unknown(operation, parameters), found == described.end())
          << operation.path << " " << name;
    }
  }
}

TEST_F(OpenApiTest, EveryExampleIsAccepted) {
  add("activity", {event(1), event(2)});
  for (const Operation& operation : operations()) {
    const bool is_answer = operation.path.starts_with("/api/") && operation.allow != "POST" &&
                           operation.endpoint != Endpoint::export_events &&
                           operation.endpoint != Endpoint::tail &&
                           operation.endpoint != Endpoint::event;
    if (!is_answer) {
      continue;
    }
    Parameters parameters;
    for (const auto& [name, example] : query_parameters(document_, operation.path)) {
      if (!example.empty()) {
        parameters.set(name, example);
      }
    }
    const Answer answer = get(operation.path, parameters);
    EXPECT_EQ(answer.status, 200U) << operation.path << " " << answer.body;
  }
}

TEST_F(OpenApiTest, IsServedAsItIsAndReadsNothing) {
  const Answer answer = get("/api/v1/openapi.json");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.body, openapi_text());
  EXPECT_FALSE(answer.read);
}

}  // namespace
}  // namespace docket::api
