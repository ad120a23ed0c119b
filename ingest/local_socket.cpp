#include "ingest/local_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>

namespace docket::ingest {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

std::string address_of(const StreamEndpoint& from) {
  asio::ip::tcp::endpoint endpoint;
  if (from.size() > endpoint.capacity()) {
    return "unknown";
  }
  std::memcpy(endpoint.data(), from.data(), from.size());
  return endpoint.address().to_string();
}

// Whether a server listens there. Only a refused connection says that none does.
Result<bool> is_served(const StreamEndpoint& endpoint, const std::string& path) {
  asio::io_context io;
  StreamSocket socket(io);
  error_code error;
  socket.connect(endpoint, error);
  if (!error) {
    return true;
  }
  if (error == asio::error::connection_refused) {
    return false;
  }
  return fail_errno("cannot tell whether a server listens on " + path, error.value());
}

// Takes away what a dead server left.
Result<void> make_way(const StreamEndpoint& endpoint, const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? Result<void>() : fail_errno("cannot look at " + path, errno);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return fail(ErrorCode::invalid_argument, "cannot listen on " + path + ": it is no socket");
  }
  DOCKET_ASSIGN(const bool served, is_served(endpoint, path));
  if (served) {
    return fail(ErrorCode::busy, "cannot listen on " + path + ": another server does");
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail_errno("cannot replace " + path, errno);
  }
  return {};
}

}  // namespace

Result<StreamEndpoint> local_endpoint(const std::string& path) {
  if (path.empty() || path.size() > path_bytes_max) {
    return fail(
        ErrorCode::invalid_argument,
        "a socket's path must be 1 to " + std::to_string(path_bytes_max) + " bytes: " + path);
  }
  return StreamEndpoint(asio::local::stream_protocol::endpoint(path));
}

std::string peer_of(StreamSocket& socket) {
  error_code error;
  const StreamEndpoint endpoint = socket.remote_endpoint(error);
  if (error) {
    return "unknown";
  }
  if (endpoint.data()->sa_family != AF_UNIX) {
    return address_of(endpoint);
  }
  ucred credentials{};
  socklen_t bytes = sizeof credentials;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) {
    return "unknown";
  }
  return std::string(local_prefix) + std::to_string(credentials.uid);
}

LocalSocketFile::~LocalSocketFile() {
  remove();
}

Result<void> LocalSocketFile::listen(StreamAcceptor& acceptor, const std::string& path,
                                     std::uint32_t mode) {
  DOCKET_ASSIGN(const StreamEndpoint endpoint, local_endpoint(path));
  DOCKET_TRY(make_way(endpoint, path));
  const auto failed = [&path](int number) {
    return fail_errno("cannot listen on " + path, number);
  };
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) {
    return failed(error.value());
  }
  acceptor.bind(endpoint, error);
  if (error) {
    return failed(error.value());
  }
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    return failed(errno);
  }
  path_ = path;
  device_ = status.st_dev;
  inode_ = status.st_ino;
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    return failed(errno);
  }
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error ? failed(error.value()) : Result<void>();
}

void LocalSocketFile::remove() {
  struct stat status{};
  if (!path_.empty() && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_) {
    static_cast<void>(::unlink(path_.c_str()));
  }
  path_.clear();
}

}  // namespace docket::ingest
