// What must not be stored is taken out of a batch as it is admitted.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.hpp"

namespace docket {

// Each says whether something is to stand in the place of the text, and then what. That must keep
// the rule of its field: the payload's bound and form, UTF-8, not longer than the text was.
struct ContentFilter {
  // Called for payloads that are proven only.
  std::function<bool(std::string_view payload, std::string& instead)> payload;
  // Names, roles, reasons, sessions and requests; each distinct one of a batch once.
  std::function<bool(std::string_view text, std::string& instead)> text;
};

// As admit_batch(). A batch in which the filter finds something is encoded again without it.
[[nodiscard]] Result<AdmittedBatch> admit_filtered_batch(std::vector<std::byte> wire,
                                                         const EventRules& rules, Nanos received,
                                                         const PayloadCheck& is_json_object,
                                                         const ContentFilter& filter);

}  // namespace docket
