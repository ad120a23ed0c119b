#include "tools/load/asked_store.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <utility>

#include "engine/disk.hpp"
#include "engine/timestamp.hpp"
#include "query/parser.hpp"
#include "tools/api/routes.hpp"
#include "tools/docketd/address.hpp"
#include "tools/load/http_get.hpp"

namespace docket::load {
namespace {

template <typename Read>
Result<void> read_answer(const std::string& json, const Read& read) {
  try {
    simdjson::dom::parser parser;
    const simdjson::dom::element answer = parser.parse(json);
    if (answer["gaps"].get_array().value().size() > 0) {
      return fail(ErrorCode::corrupt, "the answer has gaps: " + json.substr(0, 400));
    }
    read(answer);
    return {};
  } catch (const simdjson::simdjson_error& error) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("answer not understood ({}): {}", error.what(), json.substr(0, 400)));
  }
}

}  // namespace

Result<std::unique_ptr<AskedStore>> AskedStore::directory(const std::string& path) {
  auto asked = std::make_unique<AskedStore>();
  StoreOptions options;
  options.read_only = true;
  DOCKET_ASSIGN(asked->store_, Store::open(posix_disk(), path, options));
  index::CatalogOptions catalog;
  catalog.read_only = true;
  asked->catalog_ = std::make_unique<index::Catalog>(posix_disk(), catalog);
  asked->service_ =
      std::make_unique<api::Service>(*asked->store_, *asked->catalog_, api::ServiceOptions{});
  return asked;
}

Result<std::unique_ptr<AskedStore>> AskedStore::server(std::string_view url, Access access) {
  const std::string_view scheme = access.tls ? "https://" : "http://";
  if (!url.starts_with(scheme)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' is not {}ADDRESS:PORT", url, scheme));
  }
  url.remove_prefix(scheme.size());
  url = url.substr(0, url.find('/'));
  DOCKET_ASSIGN(const docket::server::Address address, docket::server::parse_address(url));
  auto asked = std::make_unique<AskedStore>();
  asked->address_ = address.host;
  asked->port_ = address.port;
  asked->access_ = std::move(access);
  return asked;
}

Result<std::string> AskedStore::get(api::Endpoint endpoint, const api::Parameters& parameters) {
  const std::string_view path = api::path_of(endpoint);
  if (service_ == nullptr) {
    return http_get(address_, port_, fmt::format("{}?{}", path, parameters.encode()), access_);
  }
  const api::Answer answer = service_->get(api::find_route("GET", path), parameters, nullptr);
  return answer.status == 200 ? Result<std::string>(answer.body)
                              : fail(ErrorCode::invalid_argument, answer.body);
}

Result<std::uint64_t> AskedStore::count(const std::string& query) {
  DOCKET_ASSIGN(const std::string json, get(api::Endpoint::count, {{"q", query}}));
  std::uint64_t count = 0;
  DOCKET_TRY(read_answer(
      json, [&](const simdjson::dom::element& answer) { count = answer["count"].get_uint64(); }));
  return count;
}

Result<std::vector<OracleFacet>> AskedStore::facets(const std::string& query,
                                                    const std::vector<OracleColumn>& columns,
                                                    std::size_t top) {
  std::string by;
  for (const OracleColumn column : columns) {
    by += by.empty() ? "" : ",";
    by += column_name(column);
  }
  DOCKET_ASSIGN(
      const std::string json,
      get(api::Endpoint::facets, {{"q", query}, {"by", by}, {"top", std::to_string(top)}}));
  std::vector<OracleFacet> facets;
  DOCKET_TRY(read_answer(json, [&](const simdjson::dom::element& answer) {
    for (const OracleColumn column : columns) {
      const simdjson::dom::object facet = answer["facets"][column_name(column)];
      OracleFacet& read = facets.emplace_back();
      read.distinct = facet["distinct"].get_uint64();
      read.other = facet["other"].get_uint64();
      for (const simdjson::dom::element value : facet["values"].get_array()) {
        read.values.push_back(
            {std::string(value["value"].get_string().value()), value["count"].get_uint64()});
      }
    }
  }));
  return facets;
}

Result<FirstSeqs> AskedStore::first_seqs() {
  DOCKET_ASSIGN(const std::string json, get(api::Endpoint::stats, {}));
  try {
    simdjson::dom::parser parser;
    FirstSeqs first;
    for (const simdjson::dom::element log : parser.parse(json)["logs"].get_array()) {
      first[std::string(log["log"].get_string().value())] = log["first_seq"].get_uint64();
    }
    return first;
  } catch (const simdjson::simdjson_error& error) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("answer not understood ({}): {}", error.what(), json.substr(0, 400)));
  }
}

Result<void> AskedStore::for_each(std::string_view log,
                                  const std::function<void(const Event&)>& sink) {
  if (service_ == nullptr) {
    return fail(ErrorCode::invalid_argument, "events are read from a directory");
  }
  DOCKET_ASSIGN(const query::Query query,
                query::parse(fmt::format("log:{}", log), {now_ns(), query::TimeZone::utc()}));
  DOCKET_ASSIGN(StoreSnapshot snapshot, store_->snapshot());
  query::Searcher searcher(std::move(snapshot), *catalog_);
  DOCKET_ASSIGN(const auto gaps,
                searcher.for_each(query, query::Order::oldest_first, [&sink](const Event& event) {
                  sink(event);
                  return true;
                }));
  if (!gaps.empty()) {
    return fail(ErrorCode::corrupt,
                fmt::format("{} has a gap from seq {} to {}: {}", log, gaps.front().first_seq.value,
                            gaps.front().last_seq.value, gaps.front().reason));
  }
  return {};
}

}  // namespace docket::load
