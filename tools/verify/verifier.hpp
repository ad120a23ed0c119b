// Reads everything that a snapshot shows and says where it is not what it should be: every
// checksum, every id, the order of events, the files behind them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/disk.hpp"
#include "engine/log.hpp"
#include "engine/quarantine.hpp"
#include "engine/result.hpp"
#include "engine/snapshot.hpp"
#include "index/catalog.hpp"
#include "tools/verify/file_check.hpp"

namespace docket::verify {

struct Findings {
  std::uint64_t logs = 0, segments = 0, events = 0, bytes = 0;  // that were looked at
  std::vector<Damage> damage;                                   // and what could not be read now
  std::vector<Damage> remarks;                                  // no loss: it will be made anew
  // What recovery and sealing wrote down, by log: no damage of its own, its events are gaps.
  std::vector<std::pair<std::string, QuarantineRecord>> set_aside;

  void add(std::vector<Damage> found);
};

// Whether the store no longer has the segment, and that is no loss.
[[nodiscard]] bool is_retired(Store& store, const SegmentInfo& info);

// Not thread-safe. Writes nothing.
class Verifier {
 public:
  // Asked of a segment whose file is not there.
  using IsRetired = std::function<bool(const SegmentInfo& info)>;

  // `disk`, and `catalog` where given, must outlive it. With a catalog each index is compared with
  // the events it stands for, not only with its checksums.
  Verifier(Disk& disk, IsRetired is_retired, index::Catalog* catalog);

  // The files of the log in the data directory `directory`, its gaps, and the order of its
  // segments; not what is in the segments.
  void check_log(const std::string& directory, const LogSnapshot& log);
  // Every event, and where it is sealed its index. What `segment` has read before comes from its
  // cache: to read the file, the segment must have been opened for it.
  void check_segment(const std::shared_ptr<const SegmentReader>& segment);

  [[nodiscard]] Findings& findings() { return found_; }

 private:
  void note(const SegmentInfo& info, const Error& error, std::string_view part);
  void check_order(const LogSnapshot& log);
  void take_quarantine(const std::string& directory, const std::string& log);
  void check_blocks(const SegmentReader& segment);
  void check_strings(const SegmentInfo& info, const Result<const StringTable*>& table,
                     std::string_view name);
  void check_dictionaries(const SegmentInfo& info, const Dictionaries& dictionaries);
  void check_rows(const SegmentReader& segment, const BlockInfo& block, const std::string& name);
  void check_index(const std::shared_ptr<const SegmentReader>& segment);

  Disk& disk_;
  const IsRetired is_retired_;
  index::Catalog* const catalog_;
  Findings found_;
};

}  // namespace docket::verify
