// What repeated runs of one kind say together: the middle one, and how far they lie apart.
#pragma once

#include <vector>

namespace docket::load {

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;

  // How far the runs lie apart, as a share of the median; 0 for one run.
  [[nodiscard]] double relative() const { return median > 0 ? (max - min) / median : 0; }
};

// Precondition: not empty. The median of an even number is the mean of the two in the middle.
[[nodiscard]] Spread spread_of(std::vector<double> values);

}  // namespace docket::load
