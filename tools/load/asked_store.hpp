// A store to ask, in this process or over HTTP, with the same questions and the same answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/log.hpp"
#include "engine/result.hpp"
#include "index/catalog.hpp"
#include "tools/api/service.hpp"
#include "tools/load/access.hpp"
#include "tools/load/oracle_filter.hpp"

namespace docket::load {

// Asks the API's operations. Not thread-safe.
class AskedStore {
 public:
  // Reads the directory, also beside its running server. Errors: as Store::open.
  [[nodiscard]] static Result<std::unique_ptr<AskedStore>> directory(const std::string& path);
  // `url` is http://ADDRESS:PORT, or https:// where `access` has TLS. Error: invalid_argument; what
  // cannot be reached shows on asking.
  [[nodiscard]] static Result<std::unique_ptr<AskedStore>> server(std::string_view url,
                                                                  Access access = {});

  // Errors: what the store answered (a problem document's detail), or an answer not understood. A
  // gap in a count's answer is an error too: then nothing can be compared.
  [[nodiscard]] Result<std::uint64_t> count(const std::string& query);
  [[nodiscard]] Result<std::vector<OracleFacet>> facets(const std::string& query,
                                                        const std::vector<OracleColumn>& columns,
                                                        std::size_t top);
  // As retention has left them.
  [[nodiscard]] Result<FirstSeqs> first_seqs();
  // Calls `sink` with every event of `log`. Only for a directory.
  [[nodiscard]] Result<void> for_each(std::string_view log,
                                      const std::function<void(const Event&)>& sink);

 private:
  [[nodiscard]] Result<std::string> get(api::Endpoint endpoint, const api::Parameters& parameters);

  std::unique_ptr<Store> store_;
  std::unique_ptr<index::Catalog> catalog_;
  std::unique_ptr<api::Service> service_;  // null: ask over HTTP
  std::string address_;
  std::uint16_t port_ = 0;
  Access access_;
};

}  // namespace docket::load
