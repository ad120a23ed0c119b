#include "index/index_verifier.hpp"

#include <string>
#include <vector>

#include "index/index_builder.hpp"

namespace docket::index {
namespace {

[[nodiscard]] std::string place_of(const SectionEntry& entry) {
  const auto dimension = entry.dimension < dimension_count
                             ? dimension_name(static_cast<Dimension>(entry.dimension))
                             : std::string_view("?");
  switch (entry.kind) {
    case SectionKind::value_page:
      return "values of " + std::string(dimension) + " from " + std::to_string(entry.first) + " on";
    case SectionKind::row_bitmap:
      return "rows of value " + std::to_string(entry.first) + " of " + std::string(dimension);
    case SectionKind::name_filter:
      return "names of the " + std::string(dimension) + " table";
    case SectionKind::time_sorted:
      return "order of time";
    case SectionKind::block_counts:
      return "counts by block of " + std::string(dimension);
    case SectionKind::changed_names:
      return "names of changed fields";
    case SectionKind::text_filter:
      return "text filter";
  }
  return "a section of no known kind";
}

}  // namespace

Result<void> verify_index(const SegmentIndex& index, const SegmentReader& segment) {
  // Building is deterministic: an index is right exactly when it is what building gives now.
  DOCKET_ASSIGN(std::vector<std::byte> bytes, build_index(segment));
  DOCKET_ASSIGN(
      const std::shared_ptr<const SegmentIndex> expected,
      SegmentIndex::open(memory_source(std::move(bytes)), std::make_shared<SectionCache>(0)));
  const std::vector<SectionEntry>& ours = index.table();
  const std::vector<SectionEntry>& theirs = expected->table();
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    DOCKET_TRY(index.check_section(i));
    if (ours[i].kind != theirs[i].kind || ours[i].dimension != theirs[i].dimension ||
        ours[i].first != theirs[i].first || ours[i].checksum != theirs[i].checksum ||
        ours[i].bytes != theirs[i].bytes) {
      return fail_corrupt("index: the " + place_of(theirs[i]) + " differ from the segment",
                          segment.info().id.value, ours[i].offset);
    }
  }
  if (ours.size() != theirs.size() || !index.same_facts(*expected)) {
    return fail_corrupt("index: its header differs from the segment", segment.info().id.value, 0);
  }
  return {};
}

}  // namespace docket::index
