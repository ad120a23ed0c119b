// docket-load check: the store's answers against a scan of the same events made again.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/load/asked_store.hpp"
#include "tools/load/command_line.hpp"
#include "tools/load/commands.hpp"
#include "tools/load/ledger_check.hpp"
#include "tools/load/oracle_filter.hpp"
#include "tools/load/oracle_table.hpp"

namespace docket::load {
namespace {

constexpr std::size_t facet_top = 200;
// Facets of a filtered set cost a pass over every row on our side; every so many filters get one.
constexpr std::uint32_t filters_per_facet = 20;

const std::vector<OracleColumn> facet_columns{
    OracleColumn::log,  OracleColumn::actor,   OracleColumn::actor_kind,
    OracleColumn::verb, OracleColumn::target,  OracleColumn::target_type,
    OracleColumn::ip,   OracleColumn::outcome, OracleColumn::reason};

class Checker {
 public:
  Checker(const OracleTable& table, AskedStore& store) : table_(table), store_(store) {}

  Result<void> check_count(const OracleFilter& filter) {
    DOCKET_ASSIGN(const std::uint64_t count, store_.count(filter.text));
    ++compared_;
    if (count != filter.count) {
      mismatch(filter, fmt::format("count {} instead of {}", count, filter.count));
    }
    return {};
  }

  Result<void> check_facets(const OracleFilter& filter) {
    DOCKET_ASSIGN(const std::vector<OracleFacet> facets,
                  store_.facets(filter.text, facet_columns, facet_top));
    for (std::size_t i = 0; i < facet_columns.size(); ++i) {
      const OracleFacet right = facet_of(table_, filter, facet_columns[i], facet_top);
      const std::string_view name = column_name(facet_columns[i]);
      ++compared_;
      if (facets[i].distinct != right.distinct || facets[i].other != right.other) {
        mismatch(filter,
                 fmt::format("facet {}: {} distinct, {} other instead of {}, {}", name,
                             facets[i].distinct, facets[i].other, right.distinct, right.other));
      } else if (facets[i].values != right.values) {
        const auto [ours, theirs] = std::mismatch(right.values.begin(), right.values.end(),
                                                  facets[i].values.begin(), facets[i].values.end());
        mismatch(filter, theirs == facets[i].values.end() || ours == right.values.end()
                             ? fmt::format("facet {}: {} values instead of {}", name,
                                           facets[i].values.size(), right.values.size())
                             : fmt::format("facet {}: {} ({}) instead of {} ({})", name,
                                           theirs->value, theirs->count, ours->value, ours->count));
      }
    }
    return {};
  }

  [[nodiscard]] std::uint64_t compared() const { return compared_; }
  [[nodiscard]] std::uint64_t mismatches() const { return mismatches_; }

 private:
  void mismatch(const OracleFilter& filter, const std::string& what) {
    ++mismatches_;
    fmt::print("MISMATCH {}\n  query: {}\n", what, filter.text.empty() ? "(all)" : filter.text);
  }

  const OracleTable& table_;
  AskedStore& store_;
  std::uint64_t compared_ = 0;
  std::uint64_t mismatches_ = 0;
};

Result<int> check_answers(const CheckCommand& command, AskedStore& store) {
  const Generator generator(command.events);
  DOCKET_ASSIGN(const FirstSeqs first_seqs, store.first_seqs());
  const OracleTable table(generator, first_seqs);
  fmt::print("{} events made again, {} of them retired\n", grouped(command.events.events),
             grouped(command.events.events - table.rows()));
  Checker checker(table, store);
  const OracleFilter all = all_rows(table);
  DOCKET_TRY(checker.check_count(all));
  DOCKET_TRY(checker.check_facets(all));
  Random random(command.events.seed, 0xF117E5);
  std::uint64_t not_empty = 0;
  for (std::uint32_t i = 0; i < command.filters; ++i) {
    const OracleFilter filter = random_filter(table, random);
    not_empty += filter.count > 0 ? 1 : 0;
    DOCKET_TRY(checker.check_count(filter));
    if (i % filters_per_facet == 0) {
      DOCKET_TRY(checker.check_facets(filter));
    }
  }
  fmt::print("{} answers compared ({} filters, {} of them not empty): {} mismatches\n",
             grouped(checker.compared()), command.filters, not_empty, checker.mismatches());
  return checker.mismatches() == 0 ? 0 : 1;
}

Result<int> check_ledger(const CheckCommand& command, AskedStore& store) {
  DOCKET_ASSIGN(const std::vector<LedgerEntry> ledger, read_ledger(command.ledger));
  const Generator generator(command.events);
  DOCKET_ASSIGN(LedgerCheck check, LedgerCheck::make(generator, ledger));
  DOCKET_ASSIGN(const FirstSeqs first_seqs, store.first_seqs());
  for (const auto& [log, first_seq] : first_seqs) {
    check.retired_below(log, first_seq);
  }
  for (const std::string_view log : surface_names) {
    DOCKET_TRY(store.for_each(log, [&check](const Event& event) { check.see(event); }));
  }
  const LedgerFindings found = check.findings();
  fmt::print(
      "{} batches acknowledged with {} events, {} stored, {} retired: {} missing, {} changed, {} "
      "invented or twice\n",
      grouped(ledger.size()), grouped(found.acknowledged), grouped(found.stored),
      grouped(found.retired), found.missing, found.changed, found.invented);
  return found.clean() ? 0 : 1;
}

}  // namespace

int run_check(const CheckCommand& command) {
  auto store = command.data.empty() ? AskedStore::server(command.server, command.access)
                                    : AskedStore::directory(command.data);
  if (!store) {
    return report_failure(store.error().describe());
  }
  const Result<int> code =
      command.ledger.empty() ? check_answers(command, **store) : check_ledger(command, **store);
  return code ? *code : report_failure(code.error().describe());
}

}  // namespace docket::load
