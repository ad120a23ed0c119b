#include "query/event_batch.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "engine/assert.hpp"

namespace docket::query {

namespace {

struct TextColumn {
  RowColumn column;
  DictionaryField field;
  std::string_view StoredView::* member;
};
constexpr std::array text_columns = {
    TextColumn{RowColumn::verb, DictionaryField::verb,
               static_cast<std::string_view StoredView::*>(&StoredView::verb)},
    TextColumn{RowColumn::reason, DictionaryField::reason,
               static_cast<std::string_view StoredView::*>(&StoredView::reason)},
    TextColumn{RowColumn::session, DictionaryField::session,
               static_cast<std::string_view StoredView::*>(&StoredView::session)},
    TextColumn{RowColumn::request, DictionaryField::request,
               static_cast<std::string_view StoredView::*>(&StoredView::request)},
    TextColumn{RowColumn::node, DictionaryField::node, &StoredView::node},
};

// What a related target takes while it is read, its strings included, about.
constexpr std::size_t related_bytes = 100;
// Of which lengths are kept: more would be memory for rows that come in no order of time.
constexpr std::size_t blocks_at_hand_max = 64;
// Rows whose blocks are looked up before they are needed, so that what is on the device comes
// meanwhile.
constexpr std::size_t looked_up_ahead = 256;

// Unpacking a column costs so much less a value than looking at single ones.
constexpr std::size_t worth_unpacking = 4;

// into[i] becomes the value of row rows[i] - first_row; `rows` ascend.
template <typename Value>
void take_values(const PackedInts& column, std::span<const std::uint32_t> rows,
                 std::uint32_t first_row, Value* into) {
  if (column.width() == 0) {
    std::fill_n(into, rows.size(), static_cast<Value>(column.base()));
    return;
  }
  const std::uint32_t begin = rows.front() - first_row;
  const std::uint32_t end = rows.back() - first_row + 1;
  if constexpr (sizeof(Value) >= sizeof(std::uint32_t)) {
    if (rows.size() == end - begin) {
      column.unpack(begin, end, into);
      return;
    }
    if (rows.size() * worth_unpacking >= end - begin) {
      std::array<Value, 1024> some;
      std::size_t next = 0;
      for (std::uint32_t from = begin; from < end; from += some.size()) {
        const auto to = std::min(end, from + static_cast<std::uint32_t>(some.size()));
        column.unpack(from, to, some.data());
        for (; next < rows.size() && rows[next] - first_row < to; ++next) {
          into[next] = some[rows[next] - first_row - from];
        }
      }
      return;
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    into[i] = static_cast<Value>(column[rows[i] - first_row]);
  }
}

// Calls `visit` with the number of each block that has some of the rows, and these; stops where it
// fails. `rows` ascend.
template <typename Visit>
Result<void> for_each_block(std::span<const BlockInfo> blocks, std::span<const std::uint32_t> rows,
                            Visit visit) {
  std::size_t first = 0;
  while (first < rows.size()) {
    const std::uint32_t block = block_of_row(blocks, rows[first]);
    const std::uint32_t end_row = blocks[block].first_row + blocks[block].rows;
    std::size_t end = first + 1;
    while (end < rows.size() && rows[end] < end_row) {
      ++end;
    }
    DOCKET_TRY(visit(block, first, rows.subspan(first, end - first)));
    first = end;
  }
  return {};
}

}  // namespace

std::size_t rows_within(std::span<const StoredRow> rows, std::size_t bytes_max) {
  struct Lengths {
    std::shared_ptr<const PayloadRuns> payloads;
    std::shared_ptr<const RelatedColumn> related;
  };
  struct Block {
    const SegmentReader* segment = nullptr;
    std::uint32_t number = 0;
    BlockInfo info;
    std::optional<Lengths> lengths;  // while they are at hand
  };
  // Rows in order of time alternate between segments, and between blocks of one.
  std::map<std::pair<const SegmentReader*, std::uint32_t>, Block> known;
  std::vector<Block*> block_of;  // of the rows that have been looked up; nullptr: it has none
  block_of.reserve(std::min(rows.size(), looked_up_ahead));
  Block* last = nullptr;
  const auto look_up = [&](const StoredRow& row) -> Block* {
    // A row before the first wraps around.
    if (last != nullptr && row.segment == last->segment &&
        row.row - last->info.first_row < last->info.rows) {
      return last;
    }
    const auto blocks = row.segment->blocks();
    if (!blocks) {
      return nullptr;  // reading tells of it, as of what else cannot be read
    }
    const std::uint32_t number = block_of_row(*blocks, row.row);
    const auto [place, is_new] = known.try_emplace({row.segment, number});
    last = &place->second;
    if (is_new) {
      *last = {row.segment, number, (*blocks)[number], {}};
      row.segment->will_read(number);
    }
    return last;
  };
  std::vector<Block*> at_hand;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    while (block_of.size() < std::min(rows.size(), i + looked_up_ahead)) {
      block_of.push_back(look_up(rows[block_of.size()]));
    }
    if (block_of[i] == nullptr) {
      continue;
    }
    auto& [segment, number, info, lengths] = *block_of[i];
    if (!lengths) {
      if (at_hand.size() == blocks_at_hand_max) {
        for (Block* const other : at_hand) {
          other->lengths.reset();
        }
        at_hand.clear();
      }
      at_hand.push_back(block_of[i]);
      lengths = {info.has_payload ? segment->payload_runs(number).value_or(nullptr) : nullptr,
                 info.has_related ? segment->related(number).value_or(nullptr) : nullptr};
    }
    const std::uint32_t place = rows[i].row - info.first_row;
    if (lengths->payloads != nullptr) {
      bytes += lengths->payloads->starts()[place + 1] - lengths->payloads->starts()[place];
    }
    if (lengths->related != nullptr && !lengths->related->starts.empty()) {
      const std::uint32_t targets =
          lengths->related->starts[place + 1] - lengths->related->starts[place];
      bytes += targets * related_bytes;
    }
    if (i != 0 && bytes > bytes_max) {
      return i;
    }
  }
  return rows.size();
}

void EventBatch::read(std::span<const StoredRow> rows) {
  arena_.clear();
  alone_.clear();
  groups_used_ = 0;
  rows_.assign(rows.size(), Place());
  sort_out(rows);
  for (std::size_t i = 0; i < segments_; ++i) {
    read_segment(*by_segment_[i].first, by_segment_[i].second, rows);
  }
}

// What is read in which order is to be the same whenever it is asked for: addresses are not.
void EventBatch::sort_out(std::span<const StoredRow> rows) {
  segments_ = 0;
  std::unordered_map<const SegmentReader*, std::size_t> known;
  const SegmentReader* last = nullptr;
  std::vector<std::uint32_t>* of_last = nullptr;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].segment != last) {
      last = rows[i].segment;
      const auto [place, is_new] = known.try_emplace(last, segments_);
      if (is_new) {
        by_segment_.resize(std::max(by_segment_.size(), segments_ + 1));
        by_segment_[segments_].first = last;
        by_segment_[segments_].second.clear();
        ++segments_;
      }
      of_last = &by_segment_[place->second].second;
    }
    of_last->push_back(static_cast<std::uint32_t>(i));
  }
}

void EventBatch::read_segment(const SegmentReader& segment, std::span<const std::uint32_t> which,
                              std::span<const StoredRow> rows) {
  const auto blocks = segment.blocks();
  if (!blocks) {
    for (const std::uint32_t i : which) {
      rows_[i] = {alone, static_cast<std::uint32_t>(alone_.size())};
      alone_.emplace_back(blocks.error());
    }
    return;
  }
  // Rows of a batch mostly are all of a range, nearly in order.
  numbers_.resize(which.size());
  std::uint32_t least = UINT32_MAX;
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < which.size(); ++i) {
    numbers_[i] = rows[which[i]].row;
    least = std::min(least, numbers_[i]);
    most = std::max(most, numbers_[i]);
  }
  for (std::uint32_t& number : numbers_) {
    number -= least;
  }
  order_.take(numbers_, most - least + 1);
  DOCKET_ASSERT(order_.ids().size() == which.size());  // none twice
  views_.resize(which.size());
  for (std::size_t i = 0; i < which.size(); ++i) {
    views_[order_.place(i)] = which[i];
    numbers_[i] = order_.ids()[i] + least;
  }
  const auto read_group = [&](std::size_t first, SegmentRows some) {
    const std::span<const std::uint32_t> views = std::span(views_).subspan(first, some.size());
    const auto number = static_cast<std::uint32_t>(groups_used_);
    if (!read_columns(segment, block_of_row(*blocks, some.front()), some, next_group())) {
      // Which rows are concerned, and how, is told by reading each of them.
      read_alone(segment, some, views);
      return;
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      rows_[views[i]] = {number, static_cast<std::uint32_t>(i)};
    }
  };
  if (segment.info().sealed) {
    read_group(0, numbers_);
    return;
  }
  // Each block has dictionaries of its own.
  static_cast<void>(for_each_block(
      *blocks, numbers_, [&](std::uint32_t, std::size_t first, SegmentRows some) -> Result<void> {
        read_group(first, some);
        return {};
      }));
}

EventBatch::Group& EventBatch::next_group() {
  if (groups_used_ == groups_.size()) {
    groups_.emplace_back();
  }
  return groups_[groups_used_++];
}

void EventBatch::read_alone(const SegmentReader& segment, SegmentRows rows,
                            std::span<const std::uint32_t> views) {
  EventReader reader(segment);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows_[views[i]] = {alone, static_cast<std::uint32_t>(alone_.size())};
    auto event = std::make_unique<Event>();
    if (auto done = reader.read(rows[i], *event); done) {
      alone_.emplace_back(std::move(event));
    } else {
      alone_.emplace_back(std::move(done).error());
    }
  }
}

Result<void> EventBatch::view(std::size_t i, StoredView& into) const {
  const auto [number, row] = rows_[i];
  if (number == alone) {
    const Single& single = alone_[row];
    if (!single.viewed) {
      return fail(single.error);
    }
    into = single.viewed->view();
    return {};
  }
  const Group& group = groups_[number];
  into.log = group.log;
  into.seq = Seq(group.seqs[row]);
  into.ts = static_cast<Nanos>(group.times[row]);
  into.received = static_cast<Nanos>(group.received[row]);
  into.affected = group.affected[row];
  into.outcome = static_cast<Outcome>(group.outcomes[row]);
  into.actor = group.actors[group.actor[row]];
  into.target = group.targets[group.target[row]];
  into.ip = group.addresses[group.address[row]];
  for (std::size_t column = 0; column < text_columns.size(); ++column) {
    into.*text_columns[column].member = group.texts[column][group.text[column][row]];
  }
  const std::uint32_t related = group.related_starts[row];
  into.related = std::span(group.related).subspan(related, group.related_starts[row + 1] - related);
  into.payload = group.payloads.empty() ? std::string_view() : group.payloads[row];
  return {};
}

void EventBatch::fetch(std::size_t i) const {
  // Rows come in order of time, targets mostly in none.
  if (i < rows_.size() && rows_[i].group != alone) {
    const Group& group = groups_[rows_[i].group];
    const char* const target =
        reinterpret_cast<const char*>(&group.targets[group.target[rows_[i].row]]);
    __builtin_prefetch(target);
    __builtin_prefetch(target + sizeof(TargetView) - 1);
    __builtin_prefetch(&group.addresses[group.address[rows_[i].row]]);
  }
  // By now what was fetched then is there, and tells where the strings are.
  const std::size_t near = i - far / 2;
  if (i >= far / 2 && near < rows_.size() && rows_[near].group != alone) {
    const Group& group = groups_[rows_[near].group];
    const TargetView& target = group.targets[group.target[rows_[near].row]];
    __builtin_prefetch(target.id.data());
    __builtin_prefetch(target.name.data());
    if (!group.payloads.empty() && !group.payloads[rows_[near].row].empty()) {
      __builtin_prefetch(group.payloads[rows_[near].row].data());
    }
  }
}

Result<void> EventBatch::read_columns(const SegmentReader& segment, std::uint32_t block,
                                      SegmentRows rows, Group& group) {
  static_assert(text_columns.size() == text_column_count);
  DOCKET_ASSIGN(const std::span<const BlockInfo> blocks, segment.blocks());
  group.log = segment.info().log;
  for (auto* column : {&group.seqs, &group.times, &group.received, &group.affected}) {
    column->resize(rows.size());
  }
  group.outcomes.resize(rows.size());
  for (auto* column : {&group.actor, &group.target, &group.address}) {
    column->resize(rows.size());
  }
  for (auto& column : group.text) {
    column.resize(rows.size());
  }
  group.related_starts.resize(rows.size() + 1);
  group.related_starts[0] = 0;
  related_ids_.clear();
  group.payloads.clear();
  DOCKET_TRY(
      for_each_block(blocks, rows, [&](std::uint32_t number, std::size_t first, SegmentRows some) {
        return read_block(segment, number, some, first, group);
      }));
  DOCKET_ASSIGN(const auto shared, segment.dictionaries(block));
  const Dictionaries& dictionaries = *shared;
  DOCKET_TRY(read_actors(dictionaries, group));
  DOCKET_TRY(read_targets(dictionaries, group));
  DOCKET_TRY(read_addresses(dictionaries, group));
  for (std::size_t column = 0; column < text_columns.size(); ++column) {
    DOCKET_ASSIGN(const StringTable* table, dictionaries.strings(text_columns[column].field));
    take_distinct(group.text[column], table->size());
    DOCKET_TRY(look_up(*table, distinct_.ids(), group.texts[column]));
  }
  return for_each_block(
      blocks, rows, [&](std::uint32_t number, std::size_t first, SegmentRows some) {
        return blocks[number].has_payload ? read_payloads(segment, number, some, first, group)
                                          : Result<void>();
      });
}

Result<void> EventBatch::read_block(const SegmentReader& segment, std::uint32_t number,
                                    SegmentRows rows, std::size_t first, Group& group) {
  DOCKET_ASSIGN(const std::span<const BlockInfo> blocks, segment.blocks());
  const BlockInfo& block = blocks[number];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    group.seqs[first + i] = (block.first_seq + (rows[i] - block.first_row)).value;
  }
  const auto take = [&](RowColumn column, auto& into) -> Result<void> {
    DOCKET_ASSIGN(const PackedInts values, segment.column(number, column));
    take_values(values, rows, block.first_row, into.data() + first);
    return {};
  };
  DOCKET_TRY(take(RowColumn::ts, group.times));
  DOCKET_TRY(take(RowColumn::received, group.received));
  DOCKET_TRY(take(RowColumn::affected, group.affected));
  DOCKET_TRY(take(RowColumn::outcome, group.outcomes));
  DOCKET_TRY(take(RowColumn::actor, group.actor));
  DOCKET_TRY(take(RowColumn::target, group.target));
  DOCKET_TRY(take(RowColumn::ip, group.address));
  for (std::size_t column = 0; column < text_columns.size(); ++column) {
    DOCKET_TRY(take(text_columns[column].column, group.text[column]));
  }
  DOCKET_ASSIGN(const auto related, segment.related(number));
  const std::vector<std::uint32_t>& starts = related->starts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!starts.empty()) {
      const std::uint32_t row = rows[i] - block.first_row;
      related_ids_.insert(related_ids_.end(), related->targets.begin() + starts[row],
                          related->targets.begin() + starts[row + 1]);
    }
    group.related_starts[first + i + 1] = static_cast<std::uint32_t>(related_ids_.size());
  }
  return {};
}

void EventBatch::take_distinct(std::vector<std::uint32_t>& ids, std::uint32_t limit) {
  distinct_.take(ids, limit);
  std::copy(distinct_.places().begin(), distinct_.places().end(), ids.begin());
}

Result<void> EventBatch::look_up(const StringTable& table, std::span<const std::uint32_t> ids,
                                 std::vector<std::string_view>& texts) {
  texts.resize(ids.size());
  return table.read_ascending(ids, [&](std::size_t first, std::span<const std::string_view> some) {
    arena_.add_all(some, texts.data() + first);
  });
}

Result<void> EventBatch::look_up_through(const PackedInts& numbers, const StringTable& table,
                                         std::span<const std::uint32_t> ids,
                                         std::vector<std::string_view>& texts) {
  numbers_through_.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    numbers_through_[i] = static_cast<std::uint32_t>(numbers[ids[i]]);
  }
  distinct_numbers_.take(numbers_through_, table.size());
  DOCKET_TRY(look_up(table, distinct_numbers_.ids(), texts_));
  texts.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    texts[i] = texts_[distinct_numbers_.place(i)];
  }
  return {};
}

Result<void> EventBatch::read_actors(const Dictionaries& dictionaries, Group& group) {
  take_distinct(group.actor, dictionaries.actor_count());
  DOCKET_ASSIGN(const StringTable* kinds, dictionaries.strings(DictionaryField::kind));
  DOCKET_ASSIGN(const StringTable* roles, dictionaries.strings(DictionaryField::role));
  DOCKET_ASSIGN(const PackedInts kind_of, dictionaries.actor_kinds());
  DOCKET_ASSIGN(const PackedInts role_of, dictionaries.actor_roles());
  DOCKET_ASSIGN(const StringTable* id_table, dictionaries.actor_ids());
  DOCKET_ASSIGN(const StringTable* name_table, dictionaries.actor_names());
  DOCKET_TRY(look_up_through(kind_of, *kinds, distinct_.ids(), kind_texts_));
  DOCKET_TRY(look_up_through(role_of, *roles, distinct_.ids(), role_texts_));
  DOCKET_TRY(look_up(*id_table, distinct_.ids(), id_texts_));
  DOCKET_TRY(look_up(*name_table, distinct_.ids(), name_texts_));
  group.actors.resize(distinct_.ids().size());
  for (std::size_t i = 0; i < group.actors.size(); ++i) {
    group.actors[i] = {kind_texts_[i], id_texts_[i], name_texts_[i], role_texts_[i]};
  }
  return {};
}

Result<void> EventBatch::read_targets(const Dictionaries& dictionaries, Group& group) {
  // Those of the rows, and behind them the related ones.
  const std::size_t rows = group.target.size();
  group.target.insert(group.target.end(), related_ids_.begin(), related_ids_.end());
  take_distinct(group.target, dictionaries.target_count());
  DOCKET_ASSIGN(const StringTable* types, dictionaries.strings(DictionaryField::type));
  DOCKET_ASSIGN(const PackedInts type_of, dictionaries.target_types());
  DOCKET_ASSIGN(const StringTable* id_table, dictionaries.target_ids());
  DOCKET_ASSIGN(const StringTable* name_table, dictionaries.target_names());
  DOCKET_TRY(look_up_through(type_of, *types, distinct_.ids(), kind_texts_));
  DOCKET_TRY(look_up(*id_table, distinct_.ids(), id_texts_));
  DOCKET_TRY(look_up(*name_table, distinct_.ids(), name_texts_));
  group.targets.resize(distinct_.ids().size());
  for (std::size_t i = 0; i < group.targets.size(); ++i) {
    group.targets[i] = {kind_texts_[i], id_texts_[i], name_texts_[i]};
  }
  group.related.resize(related_ids_.size());
  for (std::size_t i = 0; i < group.related.size(); ++i) {
    group.related[i] = group.targets[group.target[rows + i]];
  }
  return {};
}

Result<void> EventBatch::read_addresses(const Dictionaries& dictionaries, Group& group) {
  DOCKET_ASSIGN(const StringTable* table, dictionaries.strings(DictionaryField::ip));
  take_distinct(group.address, table->size());
  DOCKET_TRY(look_up(*table, distinct_.ids(), texts_));
  group.addresses.resize(texts_.size());
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    if (distinct_.ids()[i] == 0) {
      group.addresses[i].reset();
      continue;
    }
    IpAddress& address = group.addresses[i].emplace();
    if (texts_[i].size() != address.bytes.size()) {
      return fail(ErrorCode::corrupt, "an address is not 16 bytes");
    }
    std::memcpy(address.bytes.data(), texts_[i].data(), texts_[i].size());
  }
  return {};
}

Result<void> EventBatch::read_payloads(const SegmentReader& segment, std::uint32_t block,
                                       SegmentRows rows, std::size_t first, Group& group) {
  DOCKET_ASSIGN(const std::span<const BlockInfo> blocks, segment.blocks());
  group.payloads.resize(group.seqs.size());
  in_block_.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    in_block_[i] = rows[i] - blocks[block].first_row;
  }
  std::size_t next = 0;
  return segment.payloads(block, in_block_, [&](std::uint32_t row, std::string_view payload) {
    while (in_block_[next] != row) {
      ++next;
    }
    group.payloads[first + next] = arena_.add(payload);
    return true;
  });
}

}  // namespace docket::query
