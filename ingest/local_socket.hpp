// The file of a Unix socket that a server listens on. Internal to the server's and the client's
// sources, but for the prefix.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace docket::ingest {

// A stream socket of any kind: TCP or Unix.
using StreamSocket = boost::asio::generic::stream_protocol::socket;
using StreamEndpoint = boost::asio::generic::stream_protocol::endpoint;
using StreamAcceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

// What an address of a Unix socket begins with: `unix:/run/docket/ingest.sock`.
inline constexpr std::string_view local_prefix = "unix:";

// Error: invalid_argument, for a path that is empty or too long for the system (107 bytes).
[[nodiscard]] Result<StreamEndpoint> local_endpoint(const std::string& path);

// Where the other end of an accepted socket is: an IP address, or `unix:UID`, whose process it is;
// `unknown` when it has gone.
[[nodiscard]] std::string peer_of(StreamSocket& socket);

// Listens at a path, and takes the file away when it goes. Not thread-safe.
class LocalSocketFile {
 public:
  LocalSocketFile() = default;
  LocalSocketFile(const LocalSocketFile&) = delete;
  LocalSocketFile& operator=(const LocalSocketFile&) = delete;
  ~LocalSocketFile();

  // `acceptor` must not be open. A socket that a dead server left is replaced; one that a server
  // listens on, or any other file, is not touched and an error (busy, invalid_argument; io for all
  // else). Nobody can connect before the file has `mode`.
  [[nodiscard]] Result<void> listen(StreamAcceptor& acceptor, const std::string& path,
                                    std::uint32_t mode);
  // Takes the file away, unless another one has been put there.
  void remove();

 private:
  std::string path_;  // empty: nothing to take away
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace docket::ingest
