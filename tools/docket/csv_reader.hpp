// Docket CSV back into events.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"

namespace docket::cli {

// Takes RFC 4180 text piece by piece and gives its records. Not thread-safe.
class CsvReader {
 public:
  // The first line of the record, counted from 1, and its cells.
  using Sink =
      std::function<Result<void>(std::uint64_t line, const std::vector<std::string>& cells)>;

  // Errors: invalid_argument for a record larger than record_bytes_max, or a quote where none
  // belongs, naming the line; and the sink's own.
  [[nodiscard]] Result<void> take(std::string_view piece, const Sink& sink);
  // The text has ended. Error: invalid_argument when it ended within quotes.
  [[nodiscard]] Result<void> finish(const Sink& sink);

  // Two payloads of the largest size, every byte a quote.
  static constexpr std::size_t record_bytes_max = std::size_t{4} << 20;

 private:
  enum class State : std::uint8_t { cell_start, plain, quoted, quote_in_quoted, after_cr };

  [[nodiscard]] Result<void> step(char c, const Sink& sink);
  [[nodiscard]] Result<void> end_record(const Sink& sink);
  void end_cell();

  State state_ = State::cell_start;
  std::vector<std::string> cells_;
  std::string cell_;
  std::size_t record_bytes_ = 0;
  std::uint64_t line_ = 1;
  std::uint64_t record_line_ = 1;
};

// Which column of a file stands for what; from its heading. Error: invalid_argument naming an
// unknown, repeated or missing column.
class CsvColumns {
 public:
  [[nodiscard]] static Result<CsvColumns> from_heading(const std::vector<std::string>& cells);

  // The record as one JSON event object. `raw`: cells are as they are; else a ' before what a
  // spreadsheet would run is taken off. Error: invalid_argument, "column: rule".
  [[nodiscard]] Result<std::string> to_json(const std::vector<std::string>& cells, bool raw) const;

 private:
  std::vector<std::size_t> order_;  // place in the contract's order of each column of the file
};

}  // namespace docket::cli
