#include "index/payload_terms.hpp"

#include <algorithm>

#include "index/escaped_strings.hpp"
#include "index/text_filter.hpp"

namespace docket::index {
namespace {

class Pass {
 public:
  explicit Pass(const SegmentReader& segment) : segment_(segment), changed_(segment.info().rows) {}

  [[nodiscard]] Result<void> add_block(std::uint32_t block, const BlockInfo& info) {
    DOCKET_ASSIGN(const std::shared_ptr<const PayloadRuns> runs, segment_.payload_runs(block));
    const auto first_rows = runs == nullptr ? std::span<const std::uint32_t>() : runs->first_rows();
    std::uint32_t row = 0;
    const auto without_payload = [&](std::uint32_t end) {
      for (; row < end; ++row) {
        changed_.add_row(info.first_row + row, {});
      }
    };
    for (std::size_t run = 0; run + 1 < first_rows.size(); ++run) {
      without_payload(first_rows[run]);
      DOCKET_ASSIGN(const std::string_view text, runs->read(run, buffer_));
      if (filter_) {
        filter_->add(text);
      }
      const std::uint32_t end = std::min(first_rows[run + 1], info.rows);
      const auto starts = runs->starts();
      const std::uint32_t begin = starts[first_rows[run]];
      for (; row < end; ++row) {
        const std::string_view payload =
            text.substr(starts[row] - begin, starts[row + 1] - starts[row]);
        changed_.add_row(info.first_row + row, payload);
        add_strings(payload);
      }
    }
    without_payload(info.rows);
    if (filter_ && !filter_->end_block(info.rows)) {
      filter_.reset();
    }
    return {};
  }

  [[nodiscard]] PayloadTerms finish() {
    PayloadTerms terms;
    terms.changed = changed_.finish();
    if (filter_ && !filter_->finish(terms.text_filter.emplace())) {
      terms.text_filter.reset();
    }
    return terms;
  }

 private:
  // A text is also found in what strings with escapes stand for.
  void add_strings(std::string_view payload) {
    if (filter_) {
      static_cast<void>(any_escaped_string(payload, [this](std::string_view text) {
        filter_->add(text);
        return false;
      }));
    }
  }

  const SegmentReader& segment_;
  ChangedFieldsCollector changed_;
  std::optional<TextFilterBuilder> filter_{std::in_place};
  PayloadBuffer buffer_;
};

}  // namespace

Result<PayloadTerms> payload_terms_of(const SegmentReader& segment) {
  DOCKET_ASSIGN(const std::span<const BlockInfo> blocks, segment.blocks());
  Pass pass(segment);
  for (std::uint32_t block = 0; block < blocks.size(); ++block) {
    const auto added = pass.add_block(block, blocks[block]);
    if (!added && added.error().code == ErrorCode::corrupt) {
      return PayloadTerms{};
    }
    DOCKET_TRY(added);
  }
  return pass.finish();
}

}  // namespace docket::index
