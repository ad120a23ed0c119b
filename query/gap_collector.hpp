// The gaps of one answer, from what the store knows and from what could not be read on the way.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/result.hpp"
#include "engine/snapshot.hpp"

namespace docket::query {

// Not thread-safe.
class GapCollector {
 public:
  void add(const Gap& gap) { gaps_.insert(gap); }
  void add(const std::string& log, Seq first, Seq last, const Error& error) {
    gaps_.insert(Gap{log, first, last, error.describe()});
  }
  // Ascending, each once; neighbours with one reason are one gap.
  [[nodiscard]] std::vector<Gap> gaps() const;

 private:
  std::set<Gap> gaps_;
};

}  // namespace docket::query
