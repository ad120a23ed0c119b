#include "tools/load/oracle_table.hpp"

#include "engine/assert.hpp"

namespace docket::load {
namespace {

constexpr std::array<std::string_view, oracle_column_count> names{
    "log",    "actor",       "actor.kind", "actor.role", "actor.name", "verb",
    "target", "target.type", "ip",         "outcome",    "reason"};

std::string_view target_text(const TargetView& target, std::string& scratch) {
  scratch = target.type;
  if (!target.id.empty()) {
    scratch += ':';
    scratch += target.id;
  }
  return scratch;
}

}  // namespace

std::string_view column_name(OracleColumn column) {
  return names[static_cast<std::size_t>(column)];
}

std::uint32_t OracleTable::Column::intern(std::string_view value) {
  const auto found = known.find(value);
  if (found != known.end()) {
    return found->second;
  }
  const auto id = static_cast<std::uint32_t>(values.size());
  known.emplace(values.emplace_back(value), id);
  return id;
}

OracleTable::OracleTable(const Generator& generator, const FirstSeqs& first_seqs) {
  const std::uint64_t rows = generator.options().events;
  DOCKET_ASSERT(rows <= UINT32_MAX);
  ts_.reserve(rows);
  for (Column& column : columns_) {
    column.ids.reserve(rows);
    column.intern("");
  }
  GeneratedEvent room;
  std::string scratch;
  FirstSeqs retired = first_seqs;  // and how many of them are still to come, plus one
  for (std::uint32_t i = 0; i < rows; ++i) {
    generator.make(i, room);
    if (const auto found = retired.find(room.log()); found != retired.end() && found->second > 1) {
      --found->second;
      continue;
    }
    add(room, static_cast<std::uint32_t>(ts_.size()), scratch);
  }
}

void OracleTable::add(const GeneratedEvent& made, std::uint32_t row, std::string& scratch) {
  const EventView& event = made.event;
  const auto set = [this](OracleColumn column, std::string_view value) {
    at(column).ids.push_back(at(column).intern(value));
  };
  ts_.push_back(event.ts);
  set(OracleColumn::log, made.log());
  scratch = event.actor.kind;
  scratch += ':';
  scratch += event.actor.id;
  set(OracleColumn::actor, scratch);
  set(OracleColumn::actor_kind, event.actor.kind);
  set(OracleColumn::actor_role, event.actor.role);
  set(OracleColumn::actor_name, event.actor.name);
  set(OracleColumn::verb, event.verb);
  set(OracleColumn::target, target_text(event.target, scratch));
  set(OracleColumn::target_type, event.target.type);
  for (const TargetView& related : event.related) {
    Column& targets = at(OracleColumn::target);
    Column& types = at(OracleColumn::target_type);
    targets.further.push_back({row, targets.intern(target_text(related, scratch))});
    types.further.push_back({row, types.intern(related.type)});
  }
  set(OracleColumn::ip, event.ip ? format_ip(*event.ip) : std::string());
  set(OracleColumn::outcome, to_string(event.outcome));
  set(OracleColumn::reason, event.reason);
}

}  // namespace docket::load
