#include "ingest/intake_counts.hpp"

#include <algorithm>

namespace docket::ingest {

std::size_t reject_reason_of(std::string_view error) {
  static constexpr std::array<std::string_view, 8> forms{
      "json", "line", "message", "otlp", "record", "syslog", "pri", "timestamp"};
  const std::string_view field = error.substr(0, error.find_first_of(".[: "));
  if (std::ranges::find(forms, field) != forms.end()) {
    return 0;
  }
  const auto* const found = std::ranges::find(reject_reasons, field);
  return found == reject_reasons.end() ? reject_reasons.size() - 1
                                       : static_cast<std::size_t>(found - reject_reasons.begin());
}

IntakeNumbers IntakeCounts::numbers() const {
  IntakeNumbers numbers;
  for (std::size_t way = 0; way < sender_way_count; ++way) {
    numbers.accepted[way] = accepted_[way].load(std::memory_order_relaxed);
    for (std::size_t reason = 0; reason < reject_reasons.size(); ++reason) {
      numbers.rejected[way][reason] = rejected_[way][reason].load(std::memory_order_relaxed);
    }
  }
  return numbers;
}

}  // namespace docket::ingest
