#include "tests/support/memory_segment.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

#include "engine/assert.hpp"

namespace docket::testing {
namespace {

using ActorTuple = std::tuple<std::string, std::string, std::string, std::string>;
using TargetTuple = std::tuple<std::string, std::string, std::string>;

[[nodiscard]] Error damage(const std::string& part) {
  return Error{ErrorCode::corrupt, part + " is damaged", 0, 0, 0};
}

[[nodiscard]] PackedInts packed(std::span<const std::uint64_t> values) {
  std::uint64_t base = values.empty() ? 0 : values[0];
  std::uint64_t top = base;
  for (const std::uint64_t value : values) {
    base = std::min(base, value);
    top = std::max(top, value);
  }
  std::vector<std::uint64_t> rest;
  for (const std::uint64_t value : values) {
    rest.push_back(value - base);
  }
  const auto width = static_cast<std::uint32_t>(std::bit_width(top - base));
  std::vector<std::byte> bytes;
  pack_bits(std::span<const std::uint64_t>(rest), width, bytes);
  bytes.resize(bytes.size() + 8);
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return PackedInts(std::shared_ptr<const std::byte>(owner, owner->data()),
                    static_cast<std::uint32_t>(values.size()), width, base, 1);
}

// Times are packed as differences from the earliest, which may be negative.
[[nodiscard]] PackedInts packed_times(const std::vector<Nanos>& times) {
  const Nanos base = times.empty() ? 0 : *std::min_element(times.begin(), times.end());
  std::vector<std::uint64_t> rest;
  std::uint64_t top = 0;
  for (const Nanos time : times) {
    rest.push_back(static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(base));
    top = std::max(top, rest.back());
  }
  const auto width = static_cast<std::uint32_t>(std::bit_width(top));
  std::vector<std::byte> bytes;
  pack_bits(std::span<const std::uint64_t>(rest), width, bytes);
  bytes.resize(bytes.size() + 8);
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return PackedInts(std::shared_ptr<const std::byte>(owner, owner->data()),
                    static_cast<std::uint32_t>(times.size()), width,
                    static_cast<std::uint64_t>(base), 1);
}

class MemoryStrings final : public StringTable {
 public:
  std::vector<std::string> strings{std::string()};
  bool damaged = false;

  [[nodiscard]] std::uint32_t size() const override {
    return static_cast<std::uint32_t>(strings.size());
  }
  [[nodiscard]] Result<void> read(std::uint32_t id, std::string& out) const override {
    DOCKET_ASSERT(id < strings.size());
    if (damaged) {
      return fail(damage("a dictionary"));
    }
    out = strings[id];
    return {};
  }
  [[nodiscard]] Result<void> scan(
      std::uint32_t begin, std::uint32_t end,
      const std::function<bool(std::uint32_t id, std::string_view text)>& visit) const override {
    DOCKET_ASSERT(begin <= end && end <= strings.size());
    if (damaged) {
      return fail(damage("a dictionary"));
    }
    for (std::uint32_t id = begin; id < end && visit(id, strings[id]); ++id) {
    }
    return {};
  }
  [[nodiscard]] Result<void> read_ascending(std::span<const std::uint32_t> ids,
                                            const VisitTexts& visit) const override {
    if (damaged) {
      return fail(damage("a dictionary"));
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::string_view text = strings.at(ids[i]);
      visit(i, std::span(&text, 1));
    }
    return {};
  }
};

// Gives entries numbers from 1 on: in their order, or in that of their first appearance.
template <typename Entry>
class Numbers {
 public:
  void add(const Entry& entry) {
    if (numbers_.emplace(entry, 0).second) {
      in_order_.push_back(entry);
    }
  }
  void close(bool sorted) {
    if (sorted) {
      std::sort(in_order_.begin(), in_order_.end());
    }
    for (std::size_t i = 0; i < in_order_.size(); ++i) {
      numbers_[in_order_[i]] = static_cast<std::uint32_t>(i + 1);
    }
  }
  [[nodiscard]] std::uint32_t of(const Entry& entry) const { return numbers_.at(entry); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return in_order_; }

 private:
  std::map<Entry, std::uint32_t> numbers_;
  std::vector<Entry> in_order_;
};

[[nodiscard]] std::string ip_text(const Event& event) {
  return event.ip ? std::string(reinterpret_cast<const char*>(event.ip->bytes.data()), 16)
                  : std::string();
}

}  // namespace

class MemoryDictionaries final : public Dictionaries {
 public:
  MemoryDictionaries(std::span<const Event> events, bool sorted) : sorted_(sorted) {
    for (const Event& event : events) {
      add(event);
    }
    for (std::size_t field = 0; field < dictionary_field_count; ++field) {
      numbers_[field].close(sorted);
      for (const std::string& text : numbers_[field].entries()) {
        strings_[field].strings.push_back(text);
      }
    }
    fill_actors();
    fill_targets();
  }

  [[nodiscard]] std::uint32_t id(DictionaryField field, const std::string& text) const {
    return text.empty() ? 0 : numbers_[static_cast<std::size_t>(field)].of(text);
  }
  [[nodiscard]] std::uint32_t id(const Actor& a) const {
    return actors_.of(ActorTuple(a.kind, a.id, a.name, a.role));
  }
  [[nodiscard]] std::uint32_t id(const Target& t) const {
    return targets_.of(TargetTuple(t.type, t.id, t.name));
  }
  void damage_strings(DictionaryField field) {
    strings_[static_cast<std::size_t>(field)].damaged = true;
  }

  [[nodiscard]] bool sorted() const override { return sorted_; }
  [[nodiscard]] Result<const StringTable*> strings(DictionaryField field) const override {
    return &strings_[static_cast<std::size_t>(field)];
  }
  [[nodiscard]] std::uint32_t actor_count() const override { return actor_ids_.size(); }
  [[nodiscard]] Result<const StringTable*> actor_ids() const override { return &actor_ids_; }
  [[nodiscard]] Result<const StringTable*> actor_names() const override { return &actor_names_; }
  [[nodiscard]] Result<PackedInts> actor_kinds() const override { return actor_kinds_; }
  [[nodiscard]] Result<PackedInts> actor_roles() const override { return actor_roles_; }
  [[nodiscard]] std::uint32_t target_count() const override { return target_ids_.size(); }
  [[nodiscard]] Result<const StringTable*> target_ids() const override { return &target_ids_; }
  [[nodiscard]] Result<const StringTable*> target_names() const override { return &target_names_; }
  [[nodiscard]] Result<PackedInts> target_types() const override { return target_types_; }

 private:
  void add_text(DictionaryField field, const std::string& text) {
    if (!text.empty()) {
      numbers_[static_cast<std::size_t>(field)].add(text);
    }
  }
  void add_target(const Target& target) {
    targets_.add(TargetTuple(target.type, target.id, target.name));
    add_text(DictionaryField::type, target.type);
  }
  void add(const Event& event) {
    actors_.add(ActorTuple(event.actor.kind, event.actor.id, event.actor.name, event.actor.role));
    add_text(DictionaryField::kind, event.actor.kind);
    add_text(DictionaryField::role, event.actor.role);
    add_target(event.target);
    for (const Target& target : event.related) {
      add_target(target);
    }
    add_text(DictionaryField::verb, event.verb);
    add_text(DictionaryField::reason, event.reason);
    add_text(DictionaryField::session, event.session);
    add_text(DictionaryField::request, event.request);
    add_text(DictionaryField::node, event.node);
    add_text(DictionaryField::ip, ip_text(event));
  }
  void fill_actors() {
    actors_.close(sorted_);
    std::vector<std::uint64_t> kinds{0};
    std::vector<std::uint64_t> roles{0};
    for (const auto& [kind, actor_id, name, role] : actors_.entries()) {
      kinds.push_back(id(DictionaryField::kind, kind));
      roles.push_back(id(DictionaryField::role, role));
      actor_ids_.strings.push_back(actor_id);
      actor_names_.strings.push_back(name);
    }
    actor_kinds_ = packed(kinds);
    actor_roles_ = packed(roles);
  }
  void fill_targets() {
    targets_.close(sorted_);
    std::vector<std::uint64_t> types{0};
    for (const auto& [type, target_id, name] : targets_.entries()) {
      types.push_back(id(DictionaryField::type, type));
      target_ids_.strings.push_back(target_id);
      target_names_.strings.push_back(name);
    }
    target_types_ = packed(types);
  }

  bool sorted_;
  std::array<Numbers<std::string>, dictionary_field_count> numbers_;
  std::array<MemoryStrings, dictionary_field_count> strings_;
  Numbers<ActorTuple> actors_;
  Numbers<TargetTuple> targets_;
  MemoryStrings actor_ids_, actor_names_, target_ids_, target_names_;
  PackedInts actor_kinds_, actor_roles_, target_types_;
};

struct MemorySegment::Block {
  std::array<PackedInts, row_column_count> columns;
  std::shared_ptr<RelatedColumn> related = std::make_shared<RelatedColumn>();
  std::vector<std::string> payloads;
  std::shared_ptr<MemoryDictionaries> dictionaries;
};

MemorySegment::MemorySegment(const std::string& log, SegmentId id, Seq first_seq,
                             std::span<const Event> events) {
  info_.log = log;
  info_.id = id;
  info_.first_seq = first_seq;
  info_.last_seq = first_seq + events.size() - 1;
  info_.rows = static_cast<std::uint32_t>(events.size());
  info_.path = log + "/" + std::to_string(id.value) + ".seg";
  for (const Event& event : events) {
    const bool first = &event == events.data();
    info_.ts_min = first ? event.ts : std::min(info_.ts_min, event.ts);
    info_.ts_max = first ? event.ts : std::max(info_.ts_max, event.ts);
    info_.received_max = first ? event.received : std::max(info_.received_max, event.received);
  }
}

std::shared_ptr<MemorySegment> MemorySegment::sealed(const std::string& log, SegmentId id,
                                                     Seq first_seq, std::span<const Event> events,
                                                     std::uint32_t block_rows) {
  std::shared_ptr<MemorySegment> segment(new MemorySegment(log, id, first_seq, events));
  segment->info_.sealed = true;
  segment->info_.digest = id.value * 1'000'003 + first_seq.value * 97 + events.size();
  const auto dictionaries = std::make_shared<MemoryDictionaries>(events, true);
  for (std::size_t at = 0; at < events.size(); at += block_rows) {
    segment->add_block(events.subspan(at, std::min<std::size_t>(block_rows, events.size() - at)),
                       dictionaries);
  }
  return segment;
}

std::shared_ptr<MemorySegment> MemorySegment::active(
    const std::string& log, SegmentId id, Seq first_seq, std::span<const Event> events,
    const std::vector<std::uint32_t>& block_sizes) {
  std::shared_ptr<MemorySegment> segment(new MemorySegment(log, id, first_seq, events));
  std::size_t next_size = 0;
  for (std::size_t at = 0; at < events.size();) {
    const std::size_t rows = std::min<std::size_t>(block_sizes[next_size], events.size() - at);
    next_size += next_size + 1 < block_sizes.size() ? 1 : 0;
    segment->add_block(events.subspan(at, rows),
                       std::make_shared<MemoryDictionaries>(events.subspan(at, rows), false));
    at += rows;
  }
  return segment;
}

void MemorySegment::add_block(std::span<const Event> events,
                              std::shared_ptr<MemoryDictionaries> dictionaries) {
  BlockInfo info;
  info.first_row =
      block_infos_.empty() ? 0 : block_infos_.back().first_row + block_infos_.back().rows;
  info.first_seq = info_.first_seq + info.first_row;
  info.rows = static_cast<std::uint32_t>(events.size());
  auto block = std::make_shared<Block>();
  block->dictionaries = std::move(dictionaries);
  const MemoryDictionaries& ids = *block->dictionaries;
  std::array<std::vector<std::uint64_t>, row_column_count> values;
  std::vector<Nanos> ts;
  std::vector<Nanos> received;
  const auto put = [&](RowColumn column, std::uint64_t value) {
    values[static_cast<std::size_t>(column)].push_back(value);
  };
  block->related->starts.push_back(0);
  for (const Event& event : events) {
    info.ts_min = ts.empty() ? event.ts : std::min(info.ts_min, event.ts);
    info.ts_max = ts.empty() ? event.ts : std::max(info.ts_max, event.ts);
    ts.push_back(event.ts);
    received.push_back(event.received);
    put(RowColumn::actor, ids.id(event.actor));
    put(RowColumn::verb, ids.id(DictionaryField::verb, event.verb));
    put(RowColumn::target, ids.id(event.target));
    put(RowColumn::affected, event.affected);
    put(RowColumn::ip, ids.id(DictionaryField::ip, ip_text(event)));
    put(RowColumn::outcome, static_cast<std::uint64_t>(event.outcome));
    put(RowColumn::reason, ids.id(DictionaryField::reason, event.reason));
    put(RowColumn::session, ids.id(DictionaryField::session, event.session));
    put(RowColumn::request, ids.id(DictionaryField::request, event.request));
    put(RowColumn::node, ids.id(DictionaryField::node, event.node));
    for (const Target& target : event.related) {
      block->related->targets.push_back(ids.id(target));
    }
    block->related->starts.push_back(static_cast<std::uint32_t>(block->related->targets.size()));
    block->payloads.push_back(event.payload);
    info.has_related = info.has_related || !event.related.empty();
    info.has_payload = info.has_payload || !event.payload.empty();
  }
  for (std::size_t column = 0; column < row_column_count; ++column) {
    block->columns[column] = packed(values[column]);
  }
  block->columns[static_cast<std::size_t>(RowColumn::ts)] = packed_times(ts);
  block->columns[static_cast<std::size_t>(RowColumn::received)] = packed_times(received);
  if (!info.has_related) {
    block->related->starts.clear();
  }
  block_infos_.push_back(info);
  blocks_.push_back(std::move(block));
}

void MemorySegment::damage_strings(std::uint32_t block, DictionaryField field) {
  blocks_[block]->dictionaries->damage_strings(field);
}

Result<std::span<const BlockInfo>> MemorySegment::blocks() const {
  if (directory_damaged_) {
    return fail(damage("the directory"));
  }
  return std::span<const BlockInfo>(block_infos_);
}

Result<PackedInts> MemorySegment::column(std::uint32_t block, RowColumn column) const {
  DOCKET_ASSERT(block < blocks_.size());
  if (columns_.contains({block, column})) {
    return fail(damage("a column"));
  }
  return blocks_[block]->columns[static_cast<std::size_t>(column)];
}

Result<std::shared_ptr<const RelatedColumn>> MemorySegment::related(std::uint32_t block) const {
  DOCKET_ASSERT(block < blocks_.size());
  if (related_.contains(block)) {
    return fail(damage("the column of related targets"));
  }
  return std::shared_ptr<const RelatedColumn>(blocks_[block]->related);
}

Result<void> MemorySegment::payloads(
    std::uint32_t block, std::span<const std::uint32_t> rows,
    const std::function<bool(std::uint32_t row, std::string_view payload)>& visit) const {
  DOCKET_ASSERT(block < blocks_.size());
  if (payloads_.contains(block)) {
    return fail(damage("a payload"));
  }
  for (const std::uint32_t row : rows) {
    const std::string& payload = blocks_[block]->payloads[row];
    if (!payload.empty() && !visit(row, payload)) {
      break;
    }
  }
  return {};
}

namespace {

class MemoryRuns final : public PayloadRuns {
 public:
  MemoryRuns(const std::vector<std::string>& payloads, bool damaged) : damaged_(damaged) {
    constexpr std::size_t run_bytes = 8192;
    std::size_t in_run = run_bytes;
    for (std::uint32_t row = 0; row < payloads.size(); ++row) {
      if (in_run >= run_bytes) {
        first_rows_.push_back(row);
        in_run = 0;
      }
      starts_.push_back(static_cast<std::uint32_t>(text_.size()));
      text_ += payloads[row];
      in_run += payloads[row].size();
    }
    first_rows_.push_back(static_cast<std::uint32_t>(payloads.size()));
    starts_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
  [[nodiscard]] std::span<const std::uint32_t> first_rows() const override { return first_rows_; }
  [[nodiscard]] std::span<const std::uint32_t> starts() const override { return starts_; }
  // From the buffer, so that whoever looks at it too long is found out.
  [[nodiscard]] Result<RunTexts> read(std::span<const std::size_t> runs,
                                      PayloadBuffer& buffer) const override {
    if (damaged_) {
      return fail(damage("a payload"));
    }
    RunTexts texts;
    std::string all;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const std::uint32_t begin = starts_[first_rows_[runs[i]]];
      texts[i] = std::string_view(text_).substr(begin, starts_[first_rows_[runs[i] + 1]] - begin);
      all += texts[i];
    }
    const auto bytes = std::as_bytes(std::span(all));
    buffer.raw.assign(bytes.begin(), bytes.end());
    const char* at = reinterpret_cast<const char*>(buffer.raw.data());
    for (std::size_t i = 0; i < runs.size(); ++i) {
      texts[i] = std::string_view(at, texts[i].size());
      at += texts[i].size();
    }
    return texts;
  }

 private:
  bool damaged_;
  std::vector<std::uint32_t> first_rows_, starts_;
  std::string text_;
};

}  // namespace

Result<std::shared_ptr<const PayloadRuns>> MemorySegment::payload_runs(std::uint32_t block) const {
  DOCKET_ASSERT(block < blocks_.size());
  if (!block_infos_[block].has_payload) {
    return nullptr;
  }
  return std::make_shared<const MemoryRuns>(blocks_[block]->payloads, payloads_.contains(block));
}

Result<std::shared_ptr<const Dictionaries>> MemorySegment::dictionaries(std::uint32_t block) const {
  DOCKET_ASSERT(block < blocks_.size());
  if (dictionaries_.contains(block)) {
    return fail(damage("the dictionaries"));
  }
  return std::shared_ptr<const Dictionaries>(blocks_[block]->dictionaries);
}

}  // namespace docket::testing
