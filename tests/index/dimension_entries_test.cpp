// What a segment may hold that no builder of ours has made: columns of another length, ids that
// their dictionaries do not have. Checksums do not tell; an index must not be built from it.
#include "index/dimension_entries.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>

#include "index/index_builder.hpp"
#include "tests/support/memory_segment.hpp"
#include "tests/support/random_events.hpp"

namespace docket::index {
namespace {

using docket::testing::MemorySegment;
using docket::testing::RandomEvents;

PackedInts all_of(std::uint32_t size, std::uint64_t value) {
  return PackedInts(nullptr, size, 0, value, 1);
}

// Another's dictionaries, with other kinds or types in their tables.
class OtherDictionaries final : public Dictionaries {
 public:
  explicit OtherDictionaries(std::shared_ptr<const Dictionaries> behind)
      : behind_(std::move(behind)) {}

  std::optional<PackedInts> kinds, types;

  [[nodiscard]] bool sorted() const override { return behind_->sorted(); }
  [[nodiscard]] Result<const StringTable*> strings(DictionaryField field) const override {
    return behind_->strings(field);
  }
  [[nodiscard]] std::uint32_t actor_count() const override { return behind_->actor_count(); }
  [[nodiscard]] Result<const StringTable*> actor_ids() const override {
    return behind_->actor_ids();
  }
  [[nodiscard]] Result<const StringTable*> actor_names() const override {
    return behind_->actor_names();
  }
  [[nodiscard]] Result<PackedInts> actor_kinds() const override {
    return kinds ? Result<PackedInts>(*kinds) : behind_->actor_kinds();
  }
  [[nodiscard]] Result<PackedInts> actor_roles() const override { return behind_->actor_roles(); }
  [[nodiscard]] std::uint32_t target_count() const override { return behind_->target_count(); }
  [[nodiscard]] Result<const StringTable*> target_ids() const override {
    return behind_->target_ids();
  }
  [[nodiscard]] Result<const StringTable*> target_names() const override {
    return behind_->target_names();
  }
  [[nodiscard]] Result<PackedInts> target_types() const override {
    return types ? Result<PackedInts>(*types) : behind_->target_types();
  }

 private:
  const std::shared_ptr<const Dictionaries> behind_;
};

// Another's segment, with other columns, related targets or dictionaries in its second block.
class OtherSegment final : public SegmentReader {
 public:
  explicit OtherSegment(std::shared_ptr<MemorySegment> behind)
      : other_info(behind->info()), behind_(std::move(behind)) {}

  SegmentInfo other_info;
  std::map<RowColumn, PackedInts> columns;
  std::shared_ptr<const RelatedColumn> other_related;
  std::shared_ptr<const Dictionaries> other_dictionaries;

  [[nodiscard]] const SegmentInfo& info() const override { return other_info; }
  [[nodiscard]] Result<std::span<const BlockInfo>> blocks() const override {
    return behind_->blocks();
  }
  [[nodiscard]] Result<PackedInts> column(std::uint32_t block, RowColumn column) const override {
    const auto other = columns.find(column);
    return block == 1 && other != columns.end() ? Result<PackedInts>(other->second)
                                                : behind_->column(block, column);
  }
  [[nodiscard]] Result<std::shared_ptr<const RelatedColumn>> related(
      std::uint32_t block) const override {
    return block == 1 && other_related ? Result<std::shared_ptr<const RelatedColumn>>(other_related)
                                       : behind_->related(block);
  }
  [[nodiscard]] Result<std::shared_ptr<const PayloadRuns>> payload_runs(
      std::uint32_t block) const override {
    return behind_->payload_runs(block);
  }
  [[nodiscard]] Result<void> payloads(
      std::uint32_t block, std::span<const std::uint32_t> rows,
      const std::function<bool(std::uint32_t row, std::string_view payload)>& visit)
      const override {
    return behind_->payloads(block, rows, visit);
  }
  [[nodiscard]] Result<std::shared_ptr<const Dictionaries>> dictionaries(
      std::uint32_t block) const override {
    return other_dictionaries ? Result<std::shared_ptr<const Dictionaries>>(other_dictionaries)
                              : behind_->dictionaries(block);
  }

 private:
  const std::shared_ptr<MemorySegment> behind_;
};

class DimensionEntriesTest : public ::testing::Test {
 protected:
  // What an index of it cannot be built for.
  static std::string said(const SegmentReader& segment) {
    const auto built = build_index(segment);
    return built ? "" : built.error().message;
  }
  static std::string said_of(RowColumn column, const PackedInts& values) {
    OtherSegment segment(make());
    segment.columns[column] = values;
    return said(segment);
  }
  static std::shared_ptr<MemorySegment> make() {
    return MemorySegment::sealed("activity", SegmentId(3), Seq(1), RandomEvents(1).take(200), rows);
  }

  static constexpr std::uint32_t rows = 100;  // of a block
  static constexpr const char* no_entry =
      "a row refers to an entry that its dictionary does not have";
  static constexpr const char* no_kind =
      "a table refers to a kind that its dictionary does not have";
};

TEST_F(DimensionEntriesTest, AnIdMustBeOneOfItsDictionary) {
  const auto sound = make();
  const auto dictionaries = sound->dictionaries(0).value();
  const auto size_of = [&](DictionaryField field) {
    return dictionaries->strings(field).value()->size();
  };
  const std::map<RowColumn, std::uint32_t> sizes = {
      {RowColumn::verb, size_of(DictionaryField::verb)},
      {RowColumn::ip, size_of(DictionaryField::ip)},
      {RowColumn::session, size_of(DictionaryField::session)},
      {RowColumn::request, size_of(DictionaryField::request)},
      {RowColumn::reason, size_of(DictionaryField::reason)},
      {RowColumn::node, size_of(DictionaryField::node)},
      {RowColumn::outcome, 3},
      {RowColumn::actor, dictionaries->actor_count()},
      {RowColumn::target, dictionaries->target_count()},
  };
  for (const auto& [column, size] : sizes) {
    EXPECT_EQ(said_of(column, all_of(rows, size - 1)), "") << static_cast<int>(column);
    EXPECT_EQ(said_of(column, all_of(rows, size)), no_entry) << static_cast<int>(column);
  }
}

TEST_F(DimensionEntriesTest, ARelatedTargetMustBeOneOfTheTable) {
  OtherSegment segment(make());
  const std::uint32_t targets = segment.dictionaries(0).value()->target_count();
  auto related = std::make_shared<RelatedColumn>();
  related->starts.assign(rows + 1, 1);
  related->starts[0] = 0;
  related->targets = {targets - 1};
  segment.other_related = related;
  EXPECT_EQ(said(segment), "");
  related->targets = {targets};
  EXPECT_EQ(said(segment), no_entry);
}

TEST_F(DimensionEntriesTest, AColumnHasAsManyValuesAsItsBlockHasRows) {
  for (const std::uint32_t size : {rows - 1, rows + 1}) {
    EXPECT_EQ(said_of(RowColumn::verb, all_of(size, 0)),
              "a column has more or fewer values than its block has rows");
  }
  OtherSegment segment(make());
  segment.other_info.rows = 150;
  EXPECT_EQ(said(segment), "a column has more or fewer values than its block has rows")
      << "blocks of more rows than the segment";
}

TEST_F(DimensionEntriesTest, AKindOrTypeMustBeOneOfItsDictionary) {
  OtherSegment segment(make());
  const auto behind = segment.dictionaries(0).value();
  const std::uint32_t kinds = behind->strings(DictionaryField::kind).value()->size();
  const std::uint32_t types = behind->strings(DictionaryField::type).value()->size();
  const auto said_with = [&](std::optional<PackedInts> of_actors,
                             std::optional<PackedInts> of_targets) {
    auto other = std::make_shared<OtherDictionaries>(behind);
    other->kinds = std::move(of_actors);
    other->types = std::move(of_targets);
    segment.other_dictionaries = std::move(other);
    return said(segment);
  };
  const std::uint32_t actors = behind->actor_count();
  const std::uint32_t targets = behind->target_count();
  EXPECT_EQ(said_with(all_of(actors, kinds - 1), all_of(targets, types - 1)), "");
  EXPECT_EQ(said_with(all_of(actors, kinds), std::nullopt), no_kind);
  EXPECT_EQ(said_with(std::nullopt, all_of(targets, types)), no_kind);
  EXPECT_EQ(said_with(all_of(actors - 1, 0), std::nullopt), no_kind) << "an actor without a kind";
  EXPECT_EQ(said_with(std::nullopt, all_of(targets - 1, 0)), no_kind);
}

TEST_F(DimensionEntriesTest, APartThatCannotBeReadIsNamedAndNoIndexIsBuilt) {
  for (const RowColumn column :
       {RowColumn::verb, RowColumn::outcome, RowColumn::actor, RowColumn::target, RowColumn::ts}) {
    const auto segment = make();
    segment->damage_column(1, column);
    EXPECT_EQ(said(*segment), "a column is damaged") << static_cast<int>(column);
  }
  const std::map<std::string, void (*)(MemorySegment&)> parts = {
      {"the directory is damaged", [](MemorySegment& segment) { segment.damage_directory(); }},
      {"the column of related targets is damaged",
       [](MemorySegment& segment) { segment.damage_related(1); }},
      {"the dictionaries is damaged",
       [](MemorySegment& segment) { segment.damage_dictionaries(0); }},
  };
  for (const auto& [what, damage] : parts) {
    const auto segment = make();
    damage(*segment);
    EXPECT_EQ(said(*segment), what);
  }
  OtherSegment empty(make());
  empty.other_info.rows = 0;
  EXPECT_EQ(said(empty), "a sealed segment without rows");
}

TEST_F(DimensionEntriesTest, WhatTheVisitorCannotDoEndsIt) {
  const auto segment = make();
  for (const Dimension last : all_dimensions) {
    if (last == Dimension::changed) {
      continue;  // no column has it: changed_fields
    }
    std::set<Dimension> visited;
    const auto done = for_each_dimension(
        *segment, [&](Dimension dimension, const DimensionEntries&) -> Result<void> {
          visited.insert(dimension);
          return dimension == last ? fail(ErrorCode::overloaded, "no more") : Result<void>();
        });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, "no more");
    EXPECT_TRUE(visited.contains(last));
  }
}

}  // namespace
}  // namespace docket::index
