// Random filters, as text for the store and as a scan for the oracle.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/load/oracle_table.hpp"
#include "tools/load/random.hpp"

namespace docket::load {

struct OracleFilter {
  std::string text;                 // in the query language
  std::vector<std::uint8_t> match;  // 1 for each row that it finds
  std::uint64_t count = 0;
};

// One to four conditions on values that occur (so that most filters find something), joined by AND,
// now and then by OR or negated, with several values, prefixes, address ranges and time bounds.
[[nodiscard]] OracleFilter random_filter(const OracleTable& table, Random& random);
// The empty query: every row.
[[nodiscard]] OracleFilter all_rows(const OracleTable& table);

struct OracleFacet {
  struct Value {
    std::string value;
    std::uint64_t count = 0;
    friend bool operator==(const Value&, const Value&) = default;
  };
  std::vector<Value> values;  // the first `top`, by count, most first, then by value
  std::uint64_t distinct = 0;
  std::uint64_t other = 0;
};
// A row counts once for each distinct value it has; absent values do not count.
[[nodiscard]] OracleFacet facet_of(const OracleTable& table, const OracleFilter& filter,
                                   OracleColumn column, std::size_t top);

}  // namespace docket::load
