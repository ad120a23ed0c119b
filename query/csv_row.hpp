// A row of CSV by wide vectors, for render_csv.cpp. Internal to query/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/processor.hpp"
#include "query/stored_view.hpp"

namespace docket::query {

// Appends a text as a cell, whatever is in it; `raw` as of append_csv().
void append_csv_cell(std::string& out, std::string_view text, bool raw);

#if defined(__x86_64__)

// A row's cells behind its first one, put together beside `out`: most are short and need nothing
// done to them, which costs one look at 64 bytes at a time. Those that do need something go to
// append_csv_cell(), so that what is written is the same with and without this.
class WideCsvRow {
 public:
  WideCsvRow(std::string& out, bool raw) : out_(out), raw_(raw) {}
  WideCsvRow(const WideCsvRow&) = delete;  // it has its buffer in itself
  WideCsvRow& operator=(const WideCsvRow&) = delete;

  DOCKET_WIDE_VECTORS void add(std::string_view text);
  void add(std::uint64_t number);
  void add(const std::optional<IpAddress>& address);
  // Ends the row; nothing can be added any more.
  void finish();

 private:
  static constexpr std::size_t step_bytes = 64;  // looked at together, and written together
  // A text longer than that is left to append_csv_cell().
  static constexpr std::size_t text_bytes_max = 2048;
  // What a text may take beside each of its bytes twice: a comma, quotes, what is written beyond.
  static constexpr std::size_t beside_text = 3 + step_bytes;
  // There is always room for a row of short cells: a long one flushes where it would take of that.
  static constexpr std::size_t cells_max = 20;
  static constexpr std::size_t short_cells_bytes = cells_max * (2 * step_bytes + beside_text);
  static constexpr std::size_t buffer_bytes = 8192;
  static_assert(short_cells_bytes + 2 * text_bytes_max + beside_text <= buffer_bytes);

  [[nodiscard]] bool may_be_guarded(char first) const;
  DOCKET_WIDE_VECTORS void add_long(std::string_view text);
  DOCKET_WIDE_VECTORS void add_in_quotes(std::string_view text);
  void add_unusual(std::string_view text);
  void flush();

  std::string& out_;
  bool raw_;
  char* to_ = buffer_;
  char buffer_[buffer_bytes];
};

#endif

}  // namespace docket::query
