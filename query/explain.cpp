#include "query/explain.hpp"

#include <algorithm>
#include <memory>

#include "engine/read_account.hpp"
#include "query/counting.hpp"
#include "query/parser.hpp"
#include "query/planner.hpp"

namespace docket::query {
namespace {

using Kind = BoundNode::Kind;

// In the query's order, each once.
void collect_conditions(const Expression& expression,
                        std::vector<std::shared_ptr<const Expression>>& into) {
  for (const ExpressionPtr& child : expression.children) {
    if (child->kind != Expression::Kind::condition) {
      collect_conditions(*child, into);
    } else if (std::none_of(into.begin(), into.end(),
                            [&](const ExpressionPtr& known) { return *known == *child; })) {
      into.push_back(child);
    }
  }
}

[[nodiscard]] std::vector<ExpressionPtr> conditions_of(const ExpressionPtr& where) {
  std::vector<ExpressionPtr> conditions;
  if (where->kind == Expression::Kind::condition) {
    conditions.push_back(where);
  } else {
    collect_conditions(*where, conditions);
  }
  return conditions;
}

void add_postings(const LeafPostings& postings, std::uint64_t values, ConditionPlan& plan) {
  std::uint64_t rows = 0;
  for (const auto& bitmap : postings.bitmaps) {
    rows += bitmap->total();
  }
  plan.bitmaps += postings.bitmaps.size();
  plan.bitmap_rows += rows;
  plan.rare_values += values - postings.bitmaps.size();
  plan.rare_rows += postings.rows - rows;
}

// Adds the postings below `node`. Returns whether some of it is left to look for row by row.
bool add_node(const BoundNode& node, ConditionPlan& plan) {
  switch (node.kind) {
    case Kind::none:
    case Kind::all:
      return false;
    case Kind::ids:
    case Kind::payload:
      if (node.postings == nullptr) {
        return true;
      }
      add_postings(*node.postings, node.index_values().size(), plan);
      return false;
    case Kind::time:
    case Kind::seq:
      return true;
    case Kind::conjunction:
    case Kind::disjunction:
    case Kind::negation:
      break;
  }
  bool scanned = false;
  for (const BoundNode& child : node.children) {
    scanned = add_node(child, plan) || scanned;
  }
  return scanned;
}

[[nodiscard]] Result<ConditionPlan> plan_of(const SearcherParts& parts, const Query& query,
                                            const ExpressionPtr& condition) {
  ConditionPlan plan;
  plan.condition = print(*condition);
  Query alone = query;
  alone.where = condition;
  SearcherParts own{parts.snapshot, parts.catalog, parts.cancel, parts.workers, {}};
  Execution execution(own, alone);
  DOCKET_TRY(execution.for_each_scan([&plan](SegmentScan& scan) -> Result<void> {
    ++plan.segments;
    if (!scan.sealed()) {
      ++plan.scanned;
    } else if (scan.bound().is(Kind::none)) {
      ++plan.without;
    } else if (scan.bound().is(Kind::all)) {
      ++plan.every_row;
    } else if (add_node(scan.bound(), plan)) {
      ++plan.scanned;
    }
    return {};
  }));
  return plan;
}

}  // namespace

Result<Explanation> explain_query(SearcherParts& parts, const Query& query) {
  Explanation explanation;
  explanation.query = print(*query.where);
  {
    const ReadAccount account;
    SearcherParts own{parts.snapshot, parts.catalog, parts.cancel, parts.workers, {}};
    Execution execution(own, query);
    for (const auto& scan : execution.scans()) {
      const std::string& log = execution.log_name(scan->log());
      if (explanation.logs.empty() || explanation.logs.back() != log) {
        explanation.logs.push_back(log);
      }
    }
    DOCKET_TRY(execution.for_each_scan([&](SegmentScan& scan) -> Result<void> {
      DOCKET_ASSIGN(const std::uint64_t rows, count_rows(execution, scan));
      explanation.count += rows;
      return {};
    }));
    own.counters.rows_matched = explanation.count;
    explanation.gaps = execution.gaps();
    explanation.counters = own.counters;
    explanation.bytes_read = account.bytes();
    // The one that asks must learn of files that went away: it looks again.
    parts.counters.files_gone += own.counters.files_gone;
  }
  const std::vector<ExpressionPtr> conditions = conditions_of(query.where);
  const std::size_t shown = std::min(conditions.size(), explained_conditions_max);
  explanation.conditions_left_out = conditions.size() - shown;
  for (std::size_t i = 0; i < shown; ++i) {
    DOCKET_ASSIGN(ConditionPlan plan, plan_of(parts, query, conditions[i]));
    explanation.conditions.push_back(std::move(plan));
  }
  return explanation;
}

}  // namespace docket::query
