#include "ingest/ndjson_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ingest/json_text.hpp"

namespace docket::ingest {
namespace {

constexpr std::string_view too_long = "line: is longer than 1 MiB";

bool is_blank(std::string_view line) {
  return std::all_of(line.begin(), line.end(),
                     [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
}

}  // namespace

NdjsonSession::NdjsonSession(std::shared_ptr<Connection> connection)
    : RecordSession(std::move(connection)) {}

RecordSession::Piece NdjsonSession::cut(std::string_view unread, bool at_end) {
  const std::size_t newline = unread.find('\n', scanned_);
  const bool has_end = newline != std::string_view::npos;
  if (!has_end && (!at_end || unread.empty())) {
    if (skipping_ || unread.size() > record_bytes_max) {
      scanned_ = 0;
      const bool is_known = std::exchange(skipping_, true);
      return {is_known ? Piece::Kind::part : Piece::Kind::faulty, unread.size(), {}, too_long};
    }
    scanned_ = unread.size();
    return {};
  }
  scanned_ = 0;
  const std::string_view line = unread.substr(0, newline);
  const std::size_t bytes = has_end ? newline + 1 : unread.size();
  if (std::exchange(skipping_, false)) {
    return {Piece::Kind::filler, bytes, {}, {}};
  }
  if (is_blank(line)) {
    return {Piece::Kind::blank, bytes, {}, {}};
  }
  const bool fits = line.size() <= record_bytes_max;
  return {fits ? Piece::Kind::record : Piece::Kind::faulty, bytes, line, too_long};
}

Result<EventDecoder::Decoded> NdjsonSession::decode(std::string_view line, Nanos received) {
  return decoder_.decode(line, connection().core().options.rules, received);
}

void NdjsonSession::reject(std::uint64_t number, std::string_view error) {
  std::string answer = fmt::format(R"({{"line":{},"error":")", number);
  append_json_escaped(answer, error);
  answer += "\"}\n";
  connection().append(answer);
}

void NdjsonSession::tell_failure(const std::string& why) {
  reject(told_durable_ + 1, "not stored from here on: " + why);
}

void NdjsonSession::compose() {
  if (failed()) {
    return;
  }
  const std::uint64_t durable = settled_records();
  if (durable > told_durable_) {
    told_durable_ = durable;
    connection().append(fmt::format("{{\"durable\":{}}}\n", durable));
  }
}

}  // namespace docket::ingest
