// How many rows have each number of a dictionary, in about a byte a number: a question over many
// segments keeps the counts of all of them until their values are merged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace docket::query {

class Tally {
 public:
  struct Entry {
    std::uint32_t number = 0;
    std::uint32_t count = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // Gives the entries out in their order. The tally must outlive it and stay as it is.
  class Reader {
   public:
    explicit Reader(const Tally& tally) : tally_(&tally) {}
    // The next entry; false at the end.
    [[nodiscard]] bool next(Entry& into);

   private:
    [[nodiscard]] std::uint32_t long_number();

    const Tally* tally_;
    std::size_t at_ = 0;
    std::uint32_t expected_ = 0;  // the next number, if none is passed over
  };

  // Numbers ascend. Precondition: count > 0.
  void add(std::uint32_t number, std::uint32_t count);
  // Gives back memory that was taken for more entries.
  void shrink() { bytes_.shrink_to_fit(); }
  // Keeps the entries whose number is in [begin, end) and gives back the memory of the others.
  void keep(std::uint32_t begin, std::uint32_t end);

  [[nodiscard]] std::size_t entries() const { return entries_; }
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_.capacity(); }

 private:
  void put_long(std::uint32_t value);

  // A byte an entry: how many numbers were passed over and the count less one, in two and six bits;
  // where all bits of one are set, what is beyond follows in bytes of seven bits.
  static constexpr std::uint32_t passed_max = 3;
  static constexpr std::uint32_t more_max = 63;

  std::vector<std::uint8_t> bytes_;
  std::size_t entries_ = 0;
  std::uint32_t expected_ = 0;
};

}  // namespace docket::query
