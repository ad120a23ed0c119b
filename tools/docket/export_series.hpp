// The files of a scheduled export and the cursor between its runs (docket export --resume).
//
// Each run writes one more file, which appears under its name once it is whole; the cursor says
// up to where all files together have the store. Whatever instant a run is killed at, and whoever
// takes complete files away meanwhile, no event is in two of them and none is left out:
//
//   1  FILE.part is written and synced, its name too.
//   2  The cursor names it, with its digest and the position that it reaches: it is promised.
//   3  FILE.part is renamed to FILE, the directory synced.
//   4  The cursor moves on to that position.
//
// I1  Up to 2 the cursor knows nothing of the part: the next run writes it anew.
// I2  From 2 on the part is there, or it has got its name (and may be gone since): never both, so
//     the next run can tell whether 3 has happened, and does the rest.
// I3  Every change of the cursor is atomic and durable before the next step.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/disk.hpp"
#include "engine/result.hpp"

namespace docket::cli {

// What every run of a series has to ask alike.
struct ExportQuestion {
  std::string query, zone, format;
  bool raw = false;
  friend bool operator==(const ExportQuestion&, const ExportQuestion&) = default;
};

// "audit.csv", 7 -> "audit.000007.csv".
[[nodiscard]] std::string numbered_file(const std::string& path, std::uint64_t number);

// One run. Not thread-safe. After an error of keep() or advance() it is of no more use.
class ExportSeries {
 public:
  // Locks and reads the cursor, or begins a series where there is none, does what a run that was
  // cut off had promised, and opens the part. Paths are absolute, as the next run may stand
  // elsewhere; `disk` must outlive it. Errors: busy (another run); invalid_argument (no cursor, or
  // one of another question); exists (the file that this run would make); newer_format; io.
  [[nodiscard]] static Result<ExportSeries> open(Disk& disk, const std::string& cursor,
                                                 const std::string& out,
                                                 const ExportQuestion& question);
  ExportSeries(ExportSeries&&) noexcept;
  ~ExportSeries();  // removes the part where it is not promised

  // The position to go on from; empty at first.
  [[nodiscard]] const std::string& after() const;
  // The file of a run before that this one has completed, where there was one.
  [[nodiscard]] const std::optional<std::string>& completed() const;

  // Appends to the part.
  [[nodiscard]] Result<void> write(std::string_view piece);
  // Steps 1 to 4; the file's name. `sha256` is that of everything written.
  [[nodiscard]] Result<std::string> keep(const std::string& position, const std::string& sha256);
  // Step 4 alone, where there was nothing to export.
  [[nodiscard]] Result<void> advance(const std::string& position);

 private:
  struct State;
  explicit ExportSeries(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace docket::cli
