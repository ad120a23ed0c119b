// Malformed frames and lines: valid ones, changed. What a server must outlive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/load/generator.hpp"
#include "tools/load/random.hpp"

namespace docket::load {

// What one sender sends: a pure function of (generator, seed, stream). Not thread-safe.
//
// A change hits the header, the prefix or the body. Where checksums are put right behind it (in all
// but one in `break_every`), the frame gets as far as its form allows: to the frame's parsers, the
// directory of sections, the columns, the rules of events. Most of those leave the connection open,
// so that many can follow one another on it. A changed event may still be a valid one.
class Malformed {
 public:
  // How often a frame is made that is certain to end its connection.
  static constexpr std::uint64_t break_every = 512;

  Malformed(const Generator& generator, std::uint64_t seed, std::uint64_t stream);

  // Appends preface and hello, so that frames may follow.
  void append_greeting(std::vector<std::byte>& out, const std::string& node,
                       const std::string& token = "") const;
  // Appends one frame. False: its checksum or header is wrong, the connection ends with it.
  bool append_frame(std::vector<std::byte>& out);
  // Appends one line with its newline, and no other newline in it.
  void append_line(std::string& out);

 private:
  void change(std::vector<std::byte>& bytes, std::size_t from);
  void change_text(std::string& line);
  void break_frame(std::vector<std::byte>& frame);

  Random random_;
  std::vector<std::vector<std::byte>> bodies_;  // of valid batches
  std::vector<std::string> lines_;              // valid events
  std::vector<std::byte> body_;                 // of the frame at hand, prefix included
};

// Writes the checksums of all sections and chunks that lie within the bytes of a batch's body.
void repair_checksums(std::vector<std::byte>& frame, std::size_t body_at);

}  // namespace docket::load
