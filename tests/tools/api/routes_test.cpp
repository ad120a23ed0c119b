#include "tools/api/routes.hpp"

#include <gtest/gtest.h>

#include <set>

namespace docket::api {
namespace {

TEST(Routes, AnEventIsNamedByLogAndSeq) {
  const Route route = find_route("GET", "/api/v1/events/activity/17");
  ASSERT_EQ(route.kind, Route::Kind::found);
  EXPECT_EQ(route.endpoint, Endpoint::event);
  EXPECT_EQ(route.log, "activity");
  EXPECT_EQ(route.seq, "17");
}

TEST(Routes, UnknownPathsAreNotFoundWhateverTheMethod) {
  for (const char* path :
       {"/", "/api", "/api/v1", "/api/v1/", "/api/v1/counts", "/api/v1/count/", "/api/v2/count",
        "/api/v1/events/", "/api/v1/events/activity", "/api/v1/events/activity/",
        "/api/v1/events//1", "/api/v1/events/a/1/2", "//healthz", "/HEALTHZ"}) {
    EXPECT_EQ(find_route("GET", path).kind, Route::Kind::no_such_path) << path;
    EXPECT_EQ(find_route("POST", path).kind, Route::Kind::no_such_path) << path;
  }
}

TEST(Routes, AKnownPathNamesTheMethodsItKnows) {
  const Route route = find_route("POST", "/api/v1/search");
  EXPECT_EQ(route.kind, Route::Kind::no_such_method);
  EXPECT_EQ(route.allow, "GET, HEAD");
  EXPECT_EQ(find_route("GET", "/api/v1/events").allow, "POST");
  EXPECT_EQ(find_route("HEAD", "/api/v1/export").kind, Route::Kind::no_such_method);
  EXPECT_EQ(find_route("HEAD", "/api/v1/count").kind, Route::Kind::found);
  // A method is compared as a whole: neither a part of a listed one nor two of them.
  EXPECT_EQ(find_route("GE", "/healthz").kind, Route::Kind::no_such_method);
  EXPECT_EQ(find_route("GET, HEAD", "/healthz").kind, Route::Kind::no_such_method);
  EXPECT_EQ(find_route("", "/healthz").kind, Route::Kind::no_such_method);
}

TEST(Routes, NothingEditsOrDeletes) {
  for (const char* method : {"PUT", "PATCH", "DELETE", "PROPFIND", "MERGE", "UNLINK"}) {
    for (const char* path :
         {"/api/v1/events", "/api/v1/events/activity/1", "/api/v1/logs", "/api/v1/segments",
          "/api/v1/retention", "/api/v1/search", "/api/v1/export"}) {
      EXPECT_EQ(find_route(method, path).kind, Route::Kind::no_such_method) << method << path;
    }
  }
  // The one call that is not a read appends.
  for (const char* path : {"/api/v1/logs", "/api/v1/segments", "/api/v1/retention",
                           "/api/v1/events/activity/1", "/healthz"}) {
    EXPECT_EQ(find_route("POST", path).kind, Route::Kind::no_such_method) << path;
  }
  EXPECT_EQ(find_route("POST", "/api/v1/events").kind, Route::Kind::found);
}

TEST(Routes, PathsLeadBackToTheirOperation) {
  for (const Endpoint endpoint : {Endpoint::search, Endpoint::count, Endpoint::facets,
                                  Endpoint::histogram, Endpoint::export_events, Endpoint::stats}) {
    EXPECT_EQ(find_route("GET", path_of(endpoint)).endpoint, endpoint);
  }
}

TEST(Routes, EveryEndpointHasOnePath) {
  std::set<std::size_t> places;
  for (const Operation& operation : operations()) {
    places.insert(static_cast<std::size_t>(operation.endpoint));
  }
  EXPECT_EQ(operations().size(), endpoint_count);
  EXPECT_EQ(places.size(), endpoint_count);
  EXPECT_EQ(*places.rbegin(), endpoint_count - 1);
}

}  // namespace
}  // namespace docket::api
