// Syslog over TCP: messages framed by octet counting or by newlines (RFC 6587). Nothing is
// answered. Internal to the server's sources.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ingest/record_session.hpp"

namespace docket::ingest {

// Whether a connection that begins with this byte speaks syslog.
[[nodiscard]] bool begins_syslog(std::byte first);

// The first byte says how the messages of the connection are framed: a digit begins the count of
// its octets, `<` the message itself. A message that is rejected is told to the observer, there is
// nobody else to tell. See RecordSession.
class SyslogSession final : public RecordSession {
 public:
  explicit SyslogSession(std::shared_ptr<Connection> connection);

 private:
  enum class Framing : std::uint8_t { unknown, octets, lines };

  [[nodiscard]] Piece cut(std::string_view unread, bool at_end) override;
  [[nodiscard]] Piece cut_octets(std::string_view unread, bool at_end);
  [[nodiscard]] Piece cut_line(std::string_view unread, bool at_end);
  [[nodiscard]] Result<EventDecoder::Decoded> decode(std::string_view message,
                                                     Nanos received) override;
  [[nodiscard]] std::optional<std::string_view> token_of(std::string_view) const override {
    return std::nullopt;
  }
  [[nodiscard]] SenderWay way() const override { return SenderWay::syslog; }
  [[nodiscard]] std::string_view token_advice() const override {
    return "; syslog has no place for one, but a client's certificate can stand for it";
  }
  void reject(std::uint64_t number, std::string_view error) override;
  void tell_failure(const std::string& why) override;
  void compose() override {}

  Framing framing_ = Framing::unknown;
  std::size_t scanned_ = 0;     // bytes of the unread input known to hold no newline
  bool skipping_ = false;       // inside a line that is too long, and rejected
  std::size_t skip_bytes_ = 0;  // of a counted message that is too long, and rejected
};

}  // namespace docket::ingest
