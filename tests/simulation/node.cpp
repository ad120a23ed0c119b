#include "tests/simulation/node.hpp"

#include <utility>

namespace docket::simulation {

Result<std::unique_ptr<Node>> Node::start(
    Disk& disk, const LogOptions& log, std::uint32_t threads,
    std::function<void(const std::string&, const std::string&)> on_notice) {
  std::unique_ptr<Node> node(new Node(disk));
  node->on_notice_ = std::move(on_notice);
  StoreOptions options;
  options.log = log;
  options.cache_bytes = std::uint64_t{1} << 20;
  options.free_space_floor = 0;
  options.observer = node.get();
  DOCKET_ASSIGN(node->store_, Store::open(disk, "data", options));
  ingest::ServerOptions ingest;
  ingest.port = node_port;
  ingest.threads = threads;
  ingest.memory_bytes = std::size_t{4} << 20;
  ingest.idle_ms = 60'000;
  DOCKET_ASSIGN(node->ingest_, ingest::Server::start(*node->store_, ingest));
  return node;
}

Node::~Node() {
  stop();
}

void Node::stop() {
  if (ingest_) {
    ingest_->stop(10'000);
    ingest_.reset();
  }
  if (store_) {
    static_cast<void>(store_->close());
  }
}

void Node::segment_sealed(const std::string& /*log*/,
                          const std::shared_ptr<const SegmentReader>& segment,
                          const std::string& /*directory*/) {
  ++sealed_;
  // Where it cannot be built now, it is built when it is asked for.
  static_cast<void>(catalog_.build(segment));
}

void Node::events_visible(const std::string& /*log*/, Seq /*last*/) {}

void Node::notice(const std::string& log, const std::string& kind, const std::string& detail) {
  on_notice_(kind, log + ": " + detail);
}

}  // namespace docket::simulation
