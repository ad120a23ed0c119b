// What can be asked of a sealed segment and its index, cut into small questions, each with the
// parts of the files that it is answered from.
//
// A question that does not read a byte gives the same answer whatever that byte is. So when one bit
// is flipped, only those questions need to be asked again that read it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/segment_reader.hpp"
#include "tests/durability/flip_disk.hpp"

namespace docket::testing {

struct SegmentAnswer {
  std::uint64_t digest = 0;  // of all that was read
  bool is_told = false;      // that something is missing: an error with the segment's id, or a gap
  std::string complaint;     // what was said then
};

// Not thread-safe. The disk must outlive it.
class SegmentQuestions {
 public:
  // Asks everything once of the segment as it is; each of `queries` is a question for its count.
  SegmentQuestions(FlipDisk& disk, SegmentInfo info, const std::vector<std::string>& queries);

  // Asks again what reads that byte; of the counts `counts_max` at most, from the `which`th on. ""
  // where every answer is as it was or says that something is missing, else what is wrong.
  // `any_told` is set where a question to the segment itself says so.
  [[nodiscard]] std::string ask_again(const std::string& path, std::uint64_t byte,
                                      std::size_t counts_max, std::uint64_t which, bool& any_told);

  [[nodiscard]] const SegmentInfo& info() const { return info_; }

 private:
  using Reader = std::shared_ptr<const SegmentReader>;
  struct Question {
    std::string name;
    std::function<SegmentAnswer(const Reader&)> ask;
    std::vector<FlipDisk::Read> reads;  // beside those of the first question
    SegmentAnswer answer;
  };

  void add(std::vector<Question>& to, std::string name,
           std::function<SegmentAnswer(const Reader&)> ask);
  void add_blocks();
  void add_dictionaries();
  void add_count(const std::string& query);
  [[nodiscard]] SegmentAnswer ask(const Question& question) const;
  [[nodiscard]] std::string judge(const Question& question, const SegmentAnswer& answer) const;

  FlipDisk& disk_;
  const SegmentInfo info_;
  std::vector<Question> own_;     // of the segment; the first one reads the footer, as all do
  std::vector<Question> counts_;  // through the index
};

}  // namespace docket::testing
