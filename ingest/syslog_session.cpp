#include "ingest/syslog_session.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "ingest/syslog_event.hpp"

namespace docket::ingest {
namespace {

constexpr std::string_view too_long = "message: is longer than 1 MiB";
constexpr std::string_view cut_short = "message: the connection ended within it";
// Nobody counts so many octets; so this is no count.
constexpr std::size_t count_digits_max = 9;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What senders put between messages, or behind the last byte of one.
bool is_filler(char c) {
  return c == '\n' || c == '\r' || c == '\0';
}

std::string_view without_filler(std::string_view message) {
  while (!message.empty() && is_filler(message.back())) {
    message.remove_suffix(1);
  }
  return message;
}

}  // namespace

bool begins_syslog(std::byte first) {
  const char c = static_cast<char>(first);
  return is_digit(c) || c == '<';
}

SyslogSession::SyslogSession(std::shared_ptr<Connection> connection)
    : RecordSession(std::move(connection)) {}

RecordSession::Piece SyslogSession::cut(std::string_view unread, bool at_end) {
  if (unread.empty()) {
    return {};
  }
  if (framing_ == Framing::unknown) {
    framing_ = is_digit(unread[0]) ? Framing::octets : Framing::lines;
  }
  return framing_ == Framing::octets ? cut_octets(unread, at_end) : cut_line(unread, at_end);
}

RecordSession::Piece SyslogSession::cut_octets(std::string_view unread, bool at_end) {
  if (skip_bytes_ > 0) {
    const std::size_t bytes = std::min(skip_bytes_, unread.size());
    skip_bytes_ -= bytes;
    return {Piece::Kind::filler, bytes, {}, {}};
  }
  if (is_filler(unread[0])) {
    return {Piece::Kind::filler, 1, {}, {}};
  }
  const auto digits =
      static_cast<std::size_t>(std::ranges::find_if_not(unread, is_digit) - unread.begin());
  if (digits == 0 || unread[0] == '0' || digits > count_digits_max ||
      (digits < unread.size() && unread[digits] != ' ')) {
    return {Piece::Kind::unusable, 0, {}, "syslog: expected the count of a message's octets"};
  }
  std::size_t count = 0;
  std::from_chars(unread.data(), unread.data() + digits, count);
  const std::size_t header = digits + 1;
  if (unread.size() >= header && count > record_bytes_max) {
    skip_bytes_ = count;
    return {Piece::Kind::faulty, header, {}, too_long};
  }
  if (unread.size() < header || unread.size() - header < count) {
    return at_end ? Piece{Piece::Kind::faulty, unread.size(), {}, cut_short} : Piece{};
  }
  return {Piece::Kind::record, header + count, without_filler(unread.substr(header, count)), {}};
}

RecordSession::Piece SyslogSession::cut_line(std::string_view unread, bool at_end) {
  const std::size_t newline = unread.find('\n', scanned_);
  const bool has_end = newline != std::string_view::npos;
  if (!has_end && !at_end) {
    if (skipping_ || unread.size() > record_bytes_max) {
      scanned_ = 0;
      const bool is_known = std::exchange(skipping_, true);
      return {is_known ? Piece::Kind::part : Piece::Kind::faulty, unread.size(), {}, too_long};
    }
    scanned_ = unread.size();
    return {};
  }
  scanned_ = 0;
  const std::string_view line = without_filler(unread.substr(0, newline));
  const std::size_t bytes = has_end ? newline + 1 : unread.size();
  if (std::exchange(skipping_, false) || line.empty()) {
    return {Piece::Kind::filler, bytes, {}, {}};
  }
  const bool fits = line.size() <= record_bytes_max;
  return {fits ? Piece::Kind::record : Piece::Kind::faulty, bytes, line, too_long};
}

Result<EventDecoder::Decoded> SyslogSession::decode(std::string_view message, Nanos received) {
  // One for all connections of the thread: what is decoded is copied before the next one comes.
  thread_local SyslogDecoder decoder;
  return decoder.decode(message, connection().core().options.rules, received, connection().peer());
}

void SyslogSession::reject(std::uint64_t, std::string_view error) {
  connection().core().tell_observer(connection().peer(), connection().peer(),
                                    "syslog message: " + std::string(error));
}

void SyslogSession::tell_failure(const std::string& why) {
  connection().core().tell_observer(connection().peer(), connection().peer(),
                                    "syslog messages may not be stored: " + why);
}

}  // namespace docket::ingest
