// Rebuilding what is derived: an index from its segment, a copy of a manifest from the other or
// from the segments, the list of logs, the store's marker. Files that hold events are never
// written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/result.hpp"
#include "engine/segment_reader.hpp"
#include "index/catalog.hpp"
#include "tools/verify/verifier.hpp"

namespace docket::verify {

struct Repaired {
  std::string path;
  std::string why;
};

// Not thread-safe. The caller holds the directory's lock. What cannot be repaired is left as it is,
// for a Verifier to find. Errors: io, no_space, newer_format.
class Repair {
 public:
  // Both must outlive it; the catalog writes.
  Repair(Disk& disk, index::Catalog& catalog) : disk_(disk), catalog_(catalog) {}

  // The marker, each log's copies of the manifest, and those of the list of logs, which is made of
  // the logs that are there where both are lost; to be done before the store is opened.
  [[nodiscard]] Result<void> repair_layout(const std::string& directory);
  // The index of a sealed segment that has been checked: built anew where it is missing, or where
  // `found` has damage of it, which is taken out. An index of a damaged segment stays as it is.
  [[nodiscard]] Result<void> repair_index(const std::shared_ptr<const SegmentReader>& segment,
                                          Findings& found);

  [[nodiscard]] const std::vector<Repaired>& repaired() const { return repaired_; }

 private:
  [[nodiscard]] Result<void> repair_list(const std::string& directory,
                                         const std::vector<std::string>& logs);
  [[nodiscard]] Result<void> repair_manifests(const std::string& directory, const std::string& log);

  Disk& disk_;
  index::Catalog& catalog_;
  std::vector<Repaired> repaired_;
};

}  // namespace docket::verify
