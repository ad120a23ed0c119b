// What a server answers to lines of NDJSON: {"durable":N} and {"line":K,"error":"..."}.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace docket::load {

// Takes the bytes as they come. Not thread-safe.
class NdjsonAnswers {
 public:
  // Lines settled so far are those of somebody else, such as a token: they count no longer.
  void begin() { begun_ = settled_; }
  // Error: invalid_argument for a line that is neither answer, or a durable count that falls.
  [[nodiscard]] Result<void> take(std::string_view bytes);

  [[nodiscard]] std::uint64_t settled() const { return settled_ - begun_; }  // stored or rejected
  [[nodiscard]] std::uint64_t rejected() const { return rejected_; }
  [[nodiscard]] const std::string& first_error() const { return first_error_; }  // as answered

 private:
  [[nodiscard]] Result<void> take_line(std::string_view line);

  std::string rest_;  // of a line whose end has not come
  std::uint64_t settled_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t rejected_ = 0;
  std::string first_error_;
};

}  // namespace docket::load
