#include "query/event_batch.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <tuple>
#include <unordered_map>

#include "engine/assert.hpp"

namespace docket::query {

namespace {

constexpr RowColumn id_columns[] = {RowColumn::actor,   RowColumn::verb,   RowColumn::target,
                                    RowColumn::ip,      RowColumn::reason, RowColumn::session,
                                    RowColumn::request, RowColumn::node};

// What a related target takes while it is read, its strings included, about.
constexpr std::size_t related_bytes = 100;
// Of which lengths are kept: more would be memory for rows that come in no order of time.
constexpr std::size_t blocks_at_hand_max = 64;

// Calls `visit` for each run of elements that `same` says belong to the first of them.
template <typename T, typename Same, typename Visit>
void for_each_run(std::span<const T> all, Same same, Visit visit) {
  while (!all.empty()) {
    std::size_t end = 1;
    while (end < all.size() && same(all.front(), all[end])) {
      ++end;
    }
    visit(all.first(end));
    all = all.subspan(end);
  }
}

}  // namespace

std::size_t rows_within(std::span<const StoredRow> rows, std::size_t bytes_max) {
  struct Block {
    const SegmentReader* segment = nullptr;
    std::uint32_t first_row = 0;
    std::uint32_t rows = 0;
    std::shared_ptr<const PayloadRuns> payloads;
    std::shared_ptr<const RelatedColumn> related;
  };
  // Rows in order of time alternate between segments, and between blocks of one.
  std::map<std::pair<const SegmentReader*, std::uint32_t>, Block> at_hand;
  const Block* block = nullptr;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto [segment, row] = rows[i];
    // A row before the first wraps around.
    if (block == nullptr || segment != block->segment || row - block->first_row >= block->rows) {
      const auto blocks = segment->blocks();
      if (!blocks) {
        continue;  // reading tells of it, as of what else cannot be read
      }
      if (at_hand.size() >= blocks_at_hand_max) {
        at_hand.clear();
      }
      const std::uint32_t number = block_of_row(*blocks, row);
      const auto [place, is_new] = at_hand.try_emplace({segment, number});
      if (is_new) {
        const BlockInfo& info = (*blocks)[number];
        place->second = {
            segment, info.first_row, info.rows,
            info.has_payload ? segment->payload_runs(number).value_or(nullptr) : nullptr,
            info.has_related ? segment->related(number).value_or(nullptr) : nullptr};
      }
      block = &place->second;
    }
    const std::uint32_t place = row - block->first_row;
    if (block->payloads != nullptr) {
      bytes += block->payloads->starts()[place + 1] - block->payloads->starts()[place];
    }
    if (block->related != nullptr && !block->related->starts.empty()) {
      const std::uint32_t targets =
          block->related->starts[place + 1] - block->related->starts[place];
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
  related_.clear();
  alone_.clear();
  views_.assign(rows.size(), StoredView());
  results_.assign(rows.size(), Result<const StoredView*>());
  places_.clear();
  // What is read in which order is to be the same whenever it is asked for: addresses are not.
  std::unordered_map<const SegmentReader*, std::uint32_t> groups;
  const SegmentReader* last = nullptr;
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SegmentReader* segment = rows[i].segment;
    const auto blocks = segment->blocks();
    if (!blocks) {
      results_[i] = fail(blocks.error());
      continue;
    }
    const std::uint32_t block = block_of_row(*blocks, rows[i].row);
    if (segment != last) {
      last = segment;
      group = groups.emplace(segment, static_cast<std::uint32_t>(groups.size())).first->second;
    }
    places_.push_back({segment, group, block, rows[i].row - (*blocks)[block].first_row,
                       static_cast<std::uint32_t>(i)});
  }
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) {
    return std::tie(a.group, a.block, a.row) < std::tie(b.group, b.block, b.row);
  });
  const auto share_dictionaries = [](const Place& a, const Place& b) {
    return a.segment == b.segment && (a.block == b.block || a.segment->info().sealed);
  };
  for_each_run(Places(places_), share_dictionaries, [&](Places together) { read_group(together); });
}

void EventBatch::read_group(Places places) {
  if (read_columns(places)) {
    for (const Place& place : places) {
      results_[place.view] = &views_[place.view];
    }
    return;
  }
  // Which rows are concerned, and how, is told by reading each of them.
  EventReader reader(*places.front().segment);
  for (const Place& place : places) {
    read_alone(place, reader);
  }
}

void EventBatch::read_alone(const Place& place, EventReader& reader) {
  auto& [event, viewed] = alone_.emplace_back();
  const auto blocks = place.segment->blocks();
  DOCKET_ASSERT(blocks.has_value());
  if (auto done = reader.read((*blocks)[place.block].first_row + place.row, event); !done) {
    results_[place.view] = fail(std::move(done).error());
    return;
  }
  results_[place.view] = &viewed.emplace(event).view();
}

Result<void> EventBatch::read_columns(Places places) {
  DOCKET_TRY(read_integers(places));
  DOCKET_ASSIGN(const auto shared, places.front().segment->dictionaries(places.front().block));
  const Dictionaries& dictionaries = *shared;
  DOCKET_TRY(read_actors(dictionaries, places));
  DOCKET_TRY(read_targets(dictionaries, places));
  DOCKET_TRY(read_addresses(dictionaries, places));
  for (const auto& [field, column, member] :
       {std::tuple(DictionaryField::verb, RowColumn::verb,
                   static_cast<std::string_view StoredView::*>(&StoredView::verb)),
        std::tuple(DictionaryField::reason, RowColumn::reason,
                   static_cast<std::string_view StoredView::*>(&StoredView::reason)),
        std::tuple(DictionaryField::session, RowColumn::session,
                   static_cast<std::string_view StoredView::*>(&StoredView::session)),
        std::tuple(DictionaryField::request, RowColumn::request,
                   static_cast<std::string_view StoredView::*>(&StoredView::request)),
        std::tuple(DictionaryField::node, RowColumn::node, &StoredView::node)}) {
    DOCKET_TRY(read_texts(dictionaries, field, column, member, places));
  }
  return read_payloads(places);
}

Result<void> EventBatch::read_integers(Places places) {
  for (const RowColumn column : id_columns) {
    ids(column).clear();
  }
  related_counts_.clear();
  related_ids_.clear();
  const SegmentReader& segment = *places.front().segment;
  const SegmentInfo& info = segment.info();
  DOCKET_ASSIGN(const std::span<const BlockInfo> blocks, segment.blocks());
  Result<void> done;
  const auto same_block = [](const Place& a, const Place& b) { return a.block == b.block; };
  for_each_run(places, same_block, [&](Places of_block) {
    if (done) {
      done = read_block(segment, info, blocks[of_block.front().block], of_block);
    }
  });
  return done;
}

Result<void> EventBatch::read_block(const SegmentReader& segment, const SegmentInfo& info,
                                    const BlockInfo& block, Places places) {
  const std::uint32_t number = places.front().block;
  DOCKET_ASSIGN(const PackedInts times, segment.column(number, RowColumn::ts));
  DOCKET_ASSIGN(const PackedInts received, segment.column(number, RowColumn::received));
  DOCKET_ASSIGN(const PackedInts affected, segment.column(number, RowColumn::affected));
  DOCKET_ASSIGN(const PackedInts outcomes, segment.column(number, RowColumn::outcome));
  for (const Place& place : places) {
    StoredView& view = views_[place.view];
    view.log = info.log;
    view.seq = block.first_seq + place.row;
    view.ts = static_cast<Nanos>(times[place.row]);
    view.received = static_cast<Nanos>(received[place.row]);
    view.affected = affected[place.row];
    view.outcome = static_cast<Outcome>(outcomes[place.row]);
  }
  for (const RowColumn column : id_columns) {
    DOCKET_ASSIGN(const PackedInts values, segment.column(number, column));
    std::vector<std::uint32_t>& into = ids(column);
    for (const Place& place : places) {
      into.push_back(static_cast<std::uint32_t>(values[place.row]));
    }
  }
  DOCKET_ASSIGN(const auto related, segment.related(number));
  const std::vector<std::uint32_t>& starts = related->starts;
  for (const Place& place : places) {
    const std::uint32_t begin = starts.empty() ? 0 : starts[place.row];
    const std::uint32_t end = starts.empty() ? 0 : starts[place.row + 1];
    related_counts_.push_back(end - begin);
    related_ids_.insert(related_ids_.end(), related->targets.begin() + begin,
                        related->targets.begin() + end);
  }
  return {};
}

Result<void> EventBatch::look_up(const StringTable& table, std::span<const std::uint32_t> ids,
                                 std::vector<std::string_view>& texts) {
  texts.resize(ids.size());
  return table.read_ascending(
      ids, [&](std::size_t i, std::string_view text) { texts[i] = arena_.add(text); });
}

Result<void> EventBatch::look_up_through(const PackedInts& numbers, const StringTable& table,
                                         std::span<const std::uint32_t> ids,
                                         std::vector<std::string_view>& texts) {
  numbers_.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    numbers_[i] = static_cast<std::uint32_t>(numbers[ids[i]]);
  }
  distinct_numbers_.take(numbers_, table.size());
  DOCKET_TRY(look_up(table, distinct_numbers_.ids(), texts_));
  texts.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    texts[i] = texts_[distinct_numbers_.place(i)];
  }
  return {};
}

Result<void> EventBatch::read_actors(const Dictionaries& dictionaries, Places places) {
  distinct_.take(ids(RowColumn::actor), dictionaries.actor_count());
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
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::uint32_t at = distinct_.place(i);
    views_[places[i].view].actor = {kind_texts_[at], id_texts_[at], name_texts_[at],
                                    role_texts_[at]};
  }
  return {};
}

Result<void> EventBatch::read_targets(const Dictionaries& dictionaries, Places places) {
  // Those of the rows, and behind them the related ones.
  std::vector<std::uint32_t>& all = ids(RowColumn::target);
  all.insert(all.end(), related_ids_.begin(), related_ids_.end());
  distinct_.take(all, dictionaries.target_count());
  DOCKET_ASSIGN(const StringTable* types, dictionaries.strings(DictionaryField::type));
  DOCKET_ASSIGN(const PackedInts type_of, dictionaries.target_types());
  DOCKET_ASSIGN(const StringTable* id_table, dictionaries.target_ids());
  DOCKET_ASSIGN(const StringTable* name_table, dictionaries.target_names());
  DOCKET_TRY(look_up_through(type_of, *types, distinct_.ids(), kind_texts_));
  DOCKET_TRY(look_up(*id_table, distinct_.ids(), id_texts_));
  DOCKET_TRY(look_up(*name_table, distinct_.ids(), name_texts_));
  const auto target = [&](std::size_t i) -> TargetView {
    const std::uint32_t at = distinct_.place(i);
    return {kind_texts_[at], id_texts_[at], name_texts_[at]};
  };
  std::vector<TargetView>& related = related_.emplace_back(related_ids_.size());
  for (std::size_t i = 0; i < related.size(); ++i) {
    related[i] = target(places.size() + i);
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    StoredView& view = views_[places[i].view];
    view.target = target(i);
    view.related = std::span(related).subspan(next, related_counts_[i]);
    next += related_counts_[i];
  }
  return {};
}

Result<void> EventBatch::read_addresses(const Dictionaries& dictionaries, Places places) {
  DOCKET_ASSIGN(const StringTable* table, dictionaries.strings(DictionaryField::ip));
  distinct_.take(ids(RowColumn::ip), table->size());
  DOCKET_TRY(look_up(*table, distinct_.ids(), texts_));
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (ids(RowColumn::ip)[i] == 0) {
      continue;
    }
    const std::string_view text = texts_[distinct_.place(i)];
    IpAddress address;
    if (text.size() != address.bytes.size()) {
      return fail(ErrorCode::corrupt, "an address is not 16 bytes");
    }
    std::memcpy(address.bytes.data(), text.data(), text.size());
    views_[places[i].view].ip = address;
  }
  return {};
}

Result<void> EventBatch::read_texts(const Dictionaries& dictionaries, DictionaryField field,
                                    RowColumn column, std::string_view StoredView::* member,
                                    Places places) {
  DOCKET_ASSIGN(const StringTable* table, dictionaries.strings(field));
  distinct_.take(ids(column), table->size());
  DOCKET_TRY(look_up(*table, distinct_.ids(), texts_));
  for (std::size_t i = 0; i < places.size(); ++i) {
    views_[places[i].view].*member = texts_[distinct_.place(i)];
  }
  return {};
}

Result<void> EventBatch::read_payloads(Places places) {
  const SegmentReader& segment = *places.front().segment;
  DOCKET_ASSIGN(const std::span<const BlockInfo> blocks, segment.blocks());
  Result<void> done;
  const auto same_block = [](const Place& a, const Place& b) { return a.block == b.block; };
  for_each_run(places, same_block, [&](Places of_block) {
    const std::uint32_t block = of_block.front().block;
    if (!done || !blocks[block].has_payload) {
      return;
    }
    std::vector<std::uint32_t>& rows = numbers_;
    rows.clear();
    for (const Place& place : of_block) {
      rows.push_back(place.row);
    }
    std::size_t next = 0;
    done = segment.payloads(block, rows, [&](std::uint32_t row, std::string_view payload) {
      while (of_block[next].row != row) {
        ++next;
      }
      views_[of_block[next].view].payload = arena_.add(payload);
      return true;
    });
  });
  return done;
}

}  // namespace docket::query
