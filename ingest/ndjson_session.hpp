// NDJSON over TCP: one event object per line, answered by `{"durable":N}` and
// `{"line":K,"error":"..."}` lines. Internal to the server's sources.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ingest/event_json.hpp"
#include "ingest/record_session.hpp"

namespace docket::ingest {

// `durable` is the number of settled lines; see RecordSession. The error of a rejected line is
// written before any `durable` that covers it.
class NdjsonSession final : public RecordSession {
 public:
  explicit NdjsonSession(std::shared_ptr<Connection> connection);

 private:
  [[nodiscard]] Piece cut(std::string_view unread, bool at_end) override;
  [[nodiscard]] Result<EventDecoder::Decoded> decode(std::string_view line,
                                                     Nanos received) override;
  [[nodiscard]] std::optional<std::string_view> token_of(std::string_view line) const override {
    return token_of_line(line);
  }
  [[nodiscard]] SenderWay way() const override { return SenderWay::ndjson; }
  [[nodiscard]] std::string_view token_advice() const override {
    return R"(; the first line is to be {"token":"..."})";
  }
  void reject(std::uint64_t number, std::string_view error) override;
  void tell_failure(const std::string& why) override;
  void compose() override;

  EventDecoder decoder_;
  std::size_t scanned_ = 0;  // bytes of the unread input known to hold no newline
  bool skipping_ = false;    // inside a line that is too long, and rejected
  std::uint64_t told_durable_ = 0;
};

}  // namespace docket::ingest
