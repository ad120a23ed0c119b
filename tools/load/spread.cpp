#include "tools/load/spread.hpp"

#include <algorithm>
#include <cstddef>

#include "engine/assert.hpp"

namespace docket::load {

Spread spread_of(std::vector<double> values) {
  DOCKET_ASSERT(!values.empty());
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

}  // namespace docket::load
