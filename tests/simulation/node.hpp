// The server's half of a node: a store, its indexes and the ingest listener, as docketd puts them
// together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/disk.hpp"
#include "engine/log.hpp"
#include "engine/result.hpp"
#include "index/catalog.hpp"
#include "ingest/server.hpp"

namespace docket::simulation {

inline constexpr std::uint16_t node_port = 7470;

class Node final : public StoreObserver {
 public:
  // `disk` must outlive it. Notices of the store go to `on_notice`.
  [[nodiscard]] static Result<std::unique_ptr<Node>> start(
      Disk& disk, const LogOptions& log, std::uint32_t threads,
      std::function<void(const std::string& kind, const std::string& detail)> on_notice);
  ~Node() override;

  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] index::Catalog& catalog() { return catalog_; }
  // As after SIGTERM: what was received is committed and answered.
  void stop();
  [[nodiscard]] std::uint64_t sealed() const { return sealed_; }

  void segment_sealed(const std::string& log, const std::shared_ptr<const SegmentReader>& segment,
                      const std::string& directory) override;
  void events_visible(const std::string& log, Seq last) override;
  void notice(const std::string& log, const std::string& kind, const std::string& detail) override;

 private:
  explicit Node(Disk& disk) : catalog_(disk, {}) {}

  index::Catalog catalog_;
  std::function<void(const std::string& kind, const std::string& detail)> on_notice_;
  std::uint64_t sealed_ = 0;
  std::unique_ptr<Store> store_;
  std::unique_ptr<ingest::Server> ingest_;
};

}  // namespace docket::simulation
