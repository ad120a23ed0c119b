// Standard output: buffered, through a pager on a terminal, quiet when its reader goes away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace docket::cli {

// What is known about the terminal; everything is off where stdout is none.
struct Terminal {
  bool is_terminal = false;
  bool colour = false;                 // NO_COLOR and TERM=dumb turn it off
  std::optional<std::size_t> columns;  // nullopt: lines may be of any length

  // Of this process: stdout, COLUMNS, TIOCGWINSZ, NO_COLOR, TERM.
  [[nodiscard]] static Terminal detect();
};

// Not thread-safe.
class Output {
 public:
  explicit Output(int descriptor) : descriptor_(descriptor) {}
  ~Output();  // flush() and the end of the pager
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // From now on through $PAGER (else `less -R`); nothing happens where that is empty or "cat".
  void start_pager();

  // After the reader has gone, everything written is dropped.
  void write(std::string_view text);
  void flush();
  // The reader has gone: there is nobody to do more work for.
  [[nodiscard]] bool gone() const { return gone_; }
  // Writing failed for another reason, such as a full disk: errno, or 0.
  [[nodiscard]] int failure() const { return failure_; }

 private:
  int descriptor_;
  int pager_ = -1;  // its process id
  bool gone_ = false;
  int failure_ = 0;
  std::string buffer_;
};

// `verified [####....] 25 % (1,000 of 4,000 events, 500/s, 6s left)`; without a total `exported 17
// KiB, 12/s`. Rate and time left are told once something has been done for a second.
[[nodiscard]] std::string progress_text(std::string_view what, std::uint64_t done,
                                        std::uint64_t total, std::string_view unit,
                                        std::int64_t elapsed_ns);

// Progress of long work on the terminal that stderr is; nothing where it is none.
class Progress {
 public:
  // `what` as in "exported"; `total` 0: unknown. Nothing is drawn where it is not `wanted`.
  Progress(std::string_view what, std::uint64_t total, bool wanted = true);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws once the work has taken half a second, and then at most ten times a second.
  void show(std::uint64_t done, std::string_view unit);

 private:
  std::string what_;
  std::uint64_t total_;
  bool enabled_;
  bool drawn_ = false;
  std::int64_t began_ns_;
  std::int64_t next_ns_;  // when to draw next
};

}  // namespace docket::cli
