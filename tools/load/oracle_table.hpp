// The generated events once more, in columns, to count by looking at every one of them.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tools/load/generator.hpp"

namespace docket::load {

// The columns that filters and facets are taken of. `target` and `target_type` have further values
// for an event's related targets.
enum class OracleColumn : std::uint8_t {
  log,
  actor,  // kind:id
  actor_kind,
  actor_role,
  actor_name,
  verb,
  target,  // Type:id, or the type where it stands alone
  target_type,
  ip,
  outcome,
  reason,
};
inline constexpr std::size_t oracle_column_count = 11;
// As named in the query language.
[[nodiscard]] std::string_view column_name(OracleColumn column);

// The first seq of each log that is not retired.
using FirstSeqs = std::map<std::string, std::uint64_t, std::less<>>;

// Immutable once made. About 45 bytes an event.
class OracleTable {
 public:
  // Without what is retired: event n of a log has seq n there, when all were sent in order.
  explicit OracleTable(const Generator& generator, const FirstSeqs& first_seqs = {});

  [[nodiscard]] std::uint64_t rows() const { return ts_.size(); }
  [[nodiscard]] const std::vector<Nanos>& ts() const { return ts_; }
  // Ids into values(column), by row. Id 0 is the empty string: absent.
  [[nodiscard]] const std::vector<std::uint32_t>& ids(OracleColumn column) const {
    return columns_[static_cast<std::size_t>(column)].ids;
  }
  [[nodiscard]] const std::deque<std::string>& values(OracleColumn column) const {
    return columns_[static_cast<std::size_t>(column)].values;
  }
  // Further values of `target` and `target_type`: (row, id), ascending by row.
  struct Further {
    std::uint32_t row = 0;
    std::uint32_t id = 0;
  };
  [[nodiscard]] const std::vector<Further>& further(OracleColumn column) const {
    return columns_[static_cast<std::size_t>(column)].further;
  }

 private:
  struct Column {
    std::vector<std::uint32_t> ids;
    std::deque<std::string> values;  // stable addresses for the keys of `known`
    std::unordered_map<std::string_view, std::uint32_t> known;
    std::vector<Further> further;

    std::uint32_t intern(std::string_view value);
  };

  Column& at(OracleColumn column) { return columns_[static_cast<std::size_t>(column)]; }
  void add(const GeneratedEvent& event, std::uint32_t row, std::string& scratch);

  std::vector<Nanos> ts_;
  std::array<Column, oracle_column_count> columns_;
};

}  // namespace docket::load
