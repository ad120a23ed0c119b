// The manifest of one log: which sealed segments there are, what is lost, what is retired, who has
// sent what. engine/FORMAT.md, "Manifest".
//
//   I1  Two copies, "manifest.a" and "manifest.b", are replaced one after the other, each
//   atomically;
//       the valid one with the higher generation counts.
//   I2  A segment is listed only after its file is durable, and its file is removed only after a
//       manifest that does not list it is durable.
//   I3  A start that does not find the same manifest in both copies writes both anew before it
//       removes a file.
//   I4  It names a segment, and reserves the seqs it will give, before the first of them is given:
//   a
//       file that is gone is missed, and no seq is given twice.
//   I5  Both copies lost: it is rebuilt from the segments' footers and the store's list of logs;
//   what
//       only it knew (damage found before, how many events were retired) is lost with them and
//       nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/producers.hpp"
#include "engine/segment_reader.hpp"
#include "engine/snapshot.hpp"

namespace docket {

struct Manifest {
  std::uint64_t generation = 0;
  std::string log;
  std::vector<SegmentInfo> segments;  // sealed, ascending by id; without log and path
  std::vector<SegmentId> unsealed;    // prepared, active or waiting to be sealed; ascending
  std::vector<Gap> gaps;              // ascending; without log
  Seq next_seq{1};                    // behind the last sealed, lost or retired event
  SegmentId next_segment{1};          // above every id ever used
  std::uint64_t retired_events = 0;
  Seq retired_below{1};     // every seq below it is retired
  Seq proven;               // every seq up to it had been stored when the log was last stopped
  Seq reserved{1};          // no seq at or above it has been given
  ProducerTable producers;  // as of next_seq
};

[[nodiscard]] std::vector<std::byte> encode_manifest(const Manifest& manifest);
// Errors: corrupt, newer_format.
[[nodiscard]] Result<Manifest> decode_manifest(std::span<const std::byte> bytes);

struct LoadedManifest {
  Manifest manifest;
  bool is_in_both_copies = false;  // byte for byte; else the loss of one would lose it
};
// The newest valid copy of `log` in `directory`; not_found when there is none at all, corrupt when
// there are only damaged ones. `damaged` names the copies that could not be read, or are another
// log's.
[[nodiscard]] Result<LoadedManifest> load_manifest(Disk& disk, const std::string& directory,
                                                   std::string_view log,
                                                   std::vector<std::string>& damaged);
// Raises the generation and writes both copies durably.
[[nodiscard]] Result<void> save_manifest(Disk& disk, const std::string& directory,
                                         Manifest& manifest);

}  // namespace docket
