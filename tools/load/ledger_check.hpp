// The promise of an acknowledgement, checked: what was acknowledged is stored, once, unchanged, or
// retired, and nothing is stored that was not sent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/event.hpp"
#include "tools/load/generator.hpp"
#include "tools/load/ledger.hpp"

namespace docket::load {

struct LedgerFindings {
  std::uint64_t acknowledged = 0;  // events in the ledger
  std::uint64_t stored = 0;        // events seen
  std::uint64_t retired = 0;       // acknowledged, and below the log's first seq
  // Faults; all zero in a store that keeps its promise.
  std::uint64_t missing = 0;   // acknowledged and not stored under its seq
  std::uint64_t changed = 0;   // under an acknowledged seq stands another event
  std::uint64_t invented = 0;  // stored more often than it was sent, or never sent

  [[nodiscard]] bool clean() const { return missing + changed + invented == 0; }
};

// Give it every stored event, in any order, then ask for the findings. Not thread-safe.
class LedgerCheck {
 public:
  // `generator` must outlive it. Error: corrupt, when the ledger speaks of events that the
  // generator does not make, or acknowledges one seq twice.
  [[nodiscard]] static Result<LedgerCheck> make(const Generator& generator,
                                                const std::vector<LedgerEntry>& ledger);
  void see(const Event& event);
  // Retention has taken the events of `log` below `first_seq`: they need not be seen.
  void retired_below(const std::string& log, std::uint64_t first_seq) {
    first_seqs_[log] = first_seq;
  }
  [[nodiscard]] LedgerFindings findings() const;

 private:
  explicit LedgerCheck(const Generator& generator) : generator_(&generator) {}
  [[nodiscard]] Result<void> expect(const LedgerEntry& entry);

  const Generator* generator_;
  std::unordered_map<std::uint64_t, std::int64_t> unseen_;  // by content: sent minus seen
  // By log and seq: the content acknowledged under it.
  std::unordered_map<std::string, std::unordered_map<std::uint64_t, std::uint64_t>> acknowledged_;
  std::unordered_map<std::string, std::uint64_t> first_seqs_;
  std::vector<TargetView> scratch_;
  std::string line_;
  LedgerFindings findings_;
};

}  // namespace docket::load
