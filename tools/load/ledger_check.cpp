#include "tools/load/ledger_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/load/ndjson_writer.hpp"

namespace docket::load {
namespace {

// Two events with one fingerprint have the same content, up to the odds of a 64-bit hash.
std::uint64_t fingerprint(std::string_view log, const EventView& event, std::string& line) {
  line.clear();
  append_ndjson(line, log, event);
  return std::hash<std::string_view>{}(line);
}

}  // namespace

Result<LedgerCheck> LedgerCheck::make(const Generator& generator,
                                      const std::vector<LedgerEntry>& ledger) {
  LedgerCheck check(generator);
  GeneratedEvent room;
  for (std::uint64_t i = 0; i < generator.options().events; ++i) {
    generator.make(i, room);
    ++check.unseen_[fingerprint(room.log(), room.event, check.line_)];
  }
  for (const LedgerEntry& entry : ledger) {
    DOCKET_TRY(check.expect(entry));
  }
  return check;
}

Result<void> LedgerCheck::expect(const LedgerEntry& entry) {
  GeneratedEvent room;
  auto& seqs = acknowledged_[entry.log];
  std::uint64_t index = entry.first_index;
  for (std::uint64_t row = 0; row < entry.rows; index += entry.stride) {
    if (index >= generator_->options().events) {
      return fail(ErrorCode::corrupt,
                  fmt::format("the ledger has {} events from {} on, the generator does not",
                              entry.rows, entry.first_index));
    }
    generator_->make(index, room);
    if (room.log() != entry.log) {
      continue;
    }
    const std::uint64_t seq = entry.first_seq + row;
    if (!seqs.emplace(seq, fingerprint(room.log(), room.event, line_)).second) {
      return fail(ErrorCode::corrupt, fmt::format("{}:{} was acknowledged twice", entry.log, seq));
    }
    ++findings_.acknowledged;
    ++row;
  }
  return {};
}

void LedgerCheck::see(const Event& event) {
  ++findings_.stored;
  const std::uint64_t content = fingerprint(event.log, view_of(event, scratch_), line_);
  if (--unseen_[content] < 0) {
    ++findings_.invented;
  }
  auto& seqs = acknowledged_[event.log];
  const auto expected = seqs.find(event.seq.value);
  if (expected != seqs.end()) {
    findings_.changed += expected->second == content ? 0 : 1;
    seqs.erase(expected);
  }
}

LedgerFindings LedgerCheck::findings() const {
  LedgerFindings findings = findings_;
  for (const auto& [log, seqs] : acknowledged_) {
    const auto first = first_seqs_.find(log);
    const std::uint64_t first_seq = first == first_seqs_.end() ? 0 : first->second;
    for (const auto& [seq, content] : seqs) {
      ++(seq < first_seq ? findings.retired : findings.missing);
    }
  }
  return findings;
}

}  // namespace docket::load
