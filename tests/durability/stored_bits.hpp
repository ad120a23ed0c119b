// A store of two sealed segments and an active one, over a megabyte with manifests and indexes, in
// which bits are flipped one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/event.hpp"
#include "engine/log.hpp"
#include "tests/durability/flip_disk.hpp"
#include "tests/durability/segment_questions.hpp"
#include "tools/verify/file_check.hpp"

namespace docket::testing {

// How much is looked at beside what the bit touches; each is dear.
struct Thoroughness {
  bool recover = false;  // by a store that writes, on a copy, where a hot file or manifest is hit
  bool everything = false;  // every event and count of the store is asked, and all of it verified
};

// Not thread-safe.
class StoredBits {
 public:
  explicit StoredBits(std::uint64_t seed);

  // The files and how many bytes each has; not the lock.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& files() const { return files_; }
  // Flips the bit, looks, and flips it back. "" where no answer is wrong without saying so and the
  // damage is found in its file; else what is wrong.
  [[nodiscard]] std::string try_flip(const std::string& path, std::uint64_t bit,
                                     const Thoroughness& thoroughness);
  // Bits of which nothing was read and nothing found: engine/FORMAT.md, "What cannot be told".
  [[nodiscard]] bool is_exempt(const std::string& path, std::uint64_t bit) const;
  [[nodiscard]] std::uint64_t exempt_bits() const;

 private:
  // The log as a reader sees it before it reads a row.
  struct Shape {
    std::vector<SegmentInfo> sealed;
    std::vector<std::pair<SegmentInfo, std::vector<BlockInfo>>> hot;
    std::vector<Gap> gaps;
    Seq last_seq;
  };

  [[nodiscard]] static Result<Shape> shape_of(Store& store);
  [[nodiscard]] std::string look_at_sealed(const std::string& path, std::uint64_t bit, bool& found);
  [[nodiscard]] std::string look_at_rest(const std::string& path, std::uint64_t bit);
  [[nodiscard]] std::string compare_shape(const Shape& now) const;
  [[nodiscard]] std::string recover(const std::string& path);
  [[nodiscard]] std::string compare_everything(const std::string& path, bool is_found);
  [[nodiscard]] std::string compare_events(Store& store) const;
  [[nodiscard]] bool finds(const std::vector<verify::Damage>& damage,
                           const std::string& path) const;

  FlipDisk disk_;
  std::map<std::string, std::uint64_t> files_;
  std::map<Seq, Event> events_;
  std::vector<std::string> queries_;
  std::map<std::string, std::uint64_t> counts_;
  std::vector<std::unique_ptr<SegmentQuestions>> segments_;
  Shape shape_;
  std::string hot_path_;
  std::uint64_t mark_at_ = 0;  // of the last mark in the hot file
  std::uint64_t flips_ = 0;
};

}  // namespace docket::testing
