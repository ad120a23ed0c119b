// Binding: a query's conditions become sets of ids of one set of dictionaries.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "engine/result.hpp"
#include "engine/segment_reader.hpp"
#include "index/segment_index.hpp"
#include "query/bound_node.hpp"
#include "query/compiled_query.hpp"

namespace docket::query {

// The rows that a query is bound for: a sealed segment, or one block of an active one. Dictionaries
// and index are fetched when a condition asks for them: many queries need neither.
class BindScope {
 public:
  using FindIndex = std::function<std::shared_ptr<const index::SegmentIndex>()>;

  // `segment` must outlive the scope. `find_index` may be empty, and may return null.
  BindScope(const SegmentReader& segment, std::uint32_t block, FindIndex find_index)
      : segment_(segment), block_(block), find_index_(std::move(find_index)) {}

  std::string_view log;
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;
  Nanos ts_min = 0;
  Nanos ts_max = 0;

  // Both live as long as the scope.
  [[nodiscard]] Result<const Dictionaries*> dictionaries() const;
  [[nodiscard]] const index::SegmentIndex* index() const;
  // Of the whole segment.
  [[nodiscard]] Result<std::span<const BlockInfo>> blocks() const;

 private:
  const SegmentReader& segment_;
  std::uint32_t block_;
  FindIndex find_index_;
  mutable std::shared_ptr<const Dictionaries> dictionaries_;
  mutable std::shared_ptr<const index::SegmentIndex> index_;
  mutable bool looked_for_index_ = false;
};

// Does not touch rows. What is certain in the scope (no such value, all within the time) is folded,
// so that a query that finds nothing comes back as `none`; dictionaries that no longer matter then
// are not read. Errors: io, corrupt.
[[nodiscard]] Result<BoundNode> bind(const CompiledNode& node, const BindScope& scope);

// Whether an event of `log` could match, by the conditions on log alone.
[[nodiscard]] bool log_may_match(const CompiledNode& node, std::string_view log);

}  // namespace docket::query
