// The whole filtered set, oldest first, in constant memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/snapshot.hpp"
#include "tools/api/event_format.hpp"
#include "tools/api/service.hpp"

namespace docket::api {

struct ExportSummary {
  std::uint64_t rows = 0;
  std::string sha256;  // of every byte given to the sink
  std::vector<Gap> gaps;
  std::string position;  // how far each log has been looked at: the `after` of the next export
};

// One export over the snapshot taken by open(). Not thread-safe.
class Export {
 public:
  // Reads `q`, `tz`, `format` (an EventFormat; csv where absent) `raw`, and `after`: an earlier
  // export's position, whose events and those before them are left out. `cancel` may be null.
  [[nodiscard]] static Result<Export> open(const Service& service, const Parameters& parameters,
                                           const std::atomic<bool>* cancel,
                                           const Scope& scope = {});

  [[nodiscard]] std::string_view content_type() const;
  [[nodiscard]] std::string_view file_name() const;

  // Gives the text to `sink` in pieces of about 128 KiB until it returns false (then the error is
  // `cancelled`). To be called once.
  [[nodiscard]] Result<ExportSummary> run(const std::function<bool(std::string_view)>& sink);
  // What has been given to the sink so far, for the record, also after an error.
  [[nodiscard]] ReadRecord record() const;

 private:
  Export(OpenSearch search, std::string text)
      : search_(std::move(search)), text_(std::move(text)) {}

  OpenSearch search_;
  std::string text_;  // the query as asked
  EventFormat format_ = EventFormat::csv;
  bool raw_ = false;
  std::uint64_t rows_ = 0;
  std::vector<Gap> gaps_;
};

}  // namespace docket::api
