#include <algorithm>
#include <array>
#include <cstring>

#include "engine/assert.hpp"
#include "engine/segment_reader.hpp"

namespace docket {

namespace {

constexpr std::uint32_t no_block = UINT32_MAX;

}  // namespace

struct EventReader::State {
  explicit State(const SegmentReader& s) : segment(s) {}

  const SegmentReader& segment;
  std::span<const BlockInfo> blocks;
  std::uint32_t block = no_block;  // the one at hand
  std::array<PackedInts, row_column_count> columns;
  std::shared_ptr<const RelatedColumn> related;
  std::shared_ptr<const Dictionaries> dictionaries;
  std::array<const StringTable*, dictionary_field_count> strings{};
  const StringTable* actor_ids = nullptr;
  const StringTable* actor_names = nullptr;
  const StringTable* target_ids = nullptr;
  const StringTable* target_names = nullptr;
  PackedInts actor_kinds, actor_roles, target_types;
  std::string ip;

  Result<void> enter(std::uint32_t number);
  Result<void> read(std::uint32_t row, Event& event, bool with_payload);
  Result<void> read_target(std::uint32_t id, Target& target) const;

  [[nodiscard]] std::uint64_t value(RowColumn column, std::uint32_t row) const {
    return columns[static_cast<std::size_t>(column)][row];
  }
  [[nodiscard]] Result<void> text(DictionaryField field, std::uint64_t id, std::string& out) const {
    return strings[static_cast<std::size_t>(field)]->read(static_cast<std::uint32_t>(id), out);
  }
};

Result<void> EventReader::State::enter(std::uint32_t number) {
  block = no_block;
  for (std::size_t c = 0; c < row_column_count; ++c) {
    DOCKET_ASSIGN(columns[c], segment.column(number, static_cast<RowColumn>(c)));
  }
  DOCKET_ASSIGN(related, segment.related(number));
  DOCKET_ASSIGN(auto loaded, segment.dictionaries(number));
  if (loaded != dictionaries) {
    for (std::size_t f = 0; f < dictionary_field_count; ++f) {
      DOCKET_ASSIGN(strings[f], loaded->strings(static_cast<DictionaryField>(f)));
    }
    DOCKET_ASSIGN(actor_ids, loaded->actor_ids());
    DOCKET_ASSIGN(actor_names, loaded->actor_names());
    DOCKET_ASSIGN(actor_kinds, loaded->actor_kinds());
    DOCKET_ASSIGN(actor_roles, loaded->actor_roles());
    DOCKET_ASSIGN(target_ids, loaded->target_ids());
    DOCKET_ASSIGN(target_names, loaded->target_names());
    DOCKET_ASSIGN(target_types, loaded->target_types());
    dictionaries = std::move(loaded);
  }
  block = number;
  return {};
}

Result<void> EventReader::State::read_target(std::uint32_t id, Target& target) const {
  DOCKET_TRY(text(DictionaryField::type, target_types[id], target.type));
  DOCKET_TRY(target_ids->read(id, target.id));
  return target_names->read(id, target.name);
}

Result<void> EventReader::State::read(std::uint32_t row, Event& event, bool with_payload) {
  if (blocks.empty()) {
    DOCKET_ASSIGN(blocks, segment.blocks());
  }
  DOCKET_ASSERT(row < segment.info().rows);
  const std::uint32_t number = block_of_row(blocks, row);
  if (number != block) {
    DOCKET_TRY(enter(number));
  }
  const BlockInfo& info = blocks[number];
  const std::uint32_t r = row - info.first_row;
  event.log = segment.info().log;
  event.seq = info.first_seq + r;
  event.received = static_cast<Nanos>(value(RowColumn::received, r));
  event.ts = static_cast<Nanos>(value(RowColumn::ts, r));
  DOCKET_TRY(text(DictionaryField::node, value(RowColumn::node, r), event.node));
  const auto actor = static_cast<std::uint32_t>(value(RowColumn::actor, r));
  DOCKET_TRY(text(DictionaryField::kind, actor_kinds[actor], event.actor.kind));
  DOCKET_TRY(actor_ids->read(actor, event.actor.id));
  DOCKET_TRY(actor_names->read(actor, event.actor.name));
  DOCKET_TRY(text(DictionaryField::role, actor_roles[actor], event.actor.role));
  DOCKET_TRY(text(DictionaryField::verb, value(RowColumn::verb, r), event.verb));
  DOCKET_TRY(read_target(static_cast<std::uint32_t>(value(RowColumn::target, r)), event.target));
  const bool has_related = !related->starts.empty();
  event.related.resize(has_related ? related->starts[r + 1] - related->starts[r] : 0);
  for (std::size_t i = 0; i < event.related.size(); ++i) {
    DOCKET_TRY(read_target(related->targets[related->starts[r] + i], event.related[i]));
  }
  event.affected = value(RowColumn::affected, r);
  event.ip.reset();
  if (const std::uint64_t id = value(RowColumn::ip, r); id != 0) {
    DOCKET_TRY(text(DictionaryField::ip, id, ip));
    if (ip.size() != 16) {
      return fail_corrupt("an address is not 16 bytes", segment.info().id.value, 0);
    }
    event.ip.emplace();
    std::memcpy(event.ip->bytes.data(), ip.data(), 16);
  }
  event.outcome = static_cast<Outcome>(value(RowColumn::outcome, r));
  DOCKET_TRY(text(DictionaryField::reason, value(RowColumn::reason, r), event.reason));
  DOCKET_TRY(text(DictionaryField::session, value(RowColumn::session, r), event.session));
  DOCKET_TRY(text(DictionaryField::request, value(RowColumn::request, r), event.request));
  event.payload.clear();
  if (with_payload && info.has_payload) {
    DOCKET_TRY(segment.payloads(number, std::span(&r, 1),
                                [&event](std::uint32_t, std::string_view payload) {
                                  event.payload.assign(payload);
                                  return true;
                                }));
  }
  return {};
}

EventReader::EventReader(const SegmentReader& segment) : state_(std::make_unique<State>(segment)) {}
EventReader::~EventReader() = default;
EventReader::EventReader(EventReader&&) noexcept = default;

Result<void> EventReader::read(std::uint32_t row, Event& event) {
  return state_->read(row, event, true);
}

Result<void> EventReader::read_without_payload(std::uint32_t row, Event& event) {
  return state_->read(row, event, false);
}

}  // namespace docket
