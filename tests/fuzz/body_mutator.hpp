// Changes to a body (engine/FORMAT.md) that keep most of it in order, so that a fuzzer gets behind
// the first check: a field of a directory entry, an item of a packed column, a whole section.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "engine/bytes.hpp"
#include "engine/section.hpp"
#include "tests/fuzz/repair.hpp"

namespace docket::testing {

class BodyMutator {
 public:
  explicit BodyMutator(std::uint64_t seed) : dice_(seed) {}

  // Makes one change to the body that starts at `at` of `bytes` and puts its checksums right.
  // False: there is no body whose directory could be followed. What stands behind the body stays.
  bool mutate(std::vector<std::byte>& bytes, std::size_t at) {
    auto body = std::span(bytes).subspan(std::min(at, bytes.size()));
    const std::size_t directory = directory_size(body);
    if (directory == 0 || directory > body.size() || directory == body_header_bytes) {
      return false;
    }
    const std::size_t sections = (directory - body_header_bytes) / section_entry_bytes;
    const std::size_t chosen = below(sections);
    std::byte* const entry = body.data() + body_header_bytes + chosen * section_entry_bytes;
    std::size_t offset = directory;
    for (std::size_t i = 0; i < chosen; ++i) {
      offset +=
          load_le<std::uint32_t>(body.data() + body_header_bytes + i * section_entry_bytes + 8);
    }
    const std::size_t length = load_le<std::uint32_t>(entry + 8);
    switch (below(8)) {
      case 0:
        store_le(body.data(), near(load_le<std::uint32_t>(body.data())));  // rows
        break;
      case 1:
        store_le(entry, near(load_le<std::uint8_t>(entry)));  // which section it is
        break;
      case 2:
        store_le(entry + 1, static_cast<std::uint8_t>(below(5)));  // codec
        break;
      case 3:
        store_le(entry + 2, near(load_le<std::uint8_t>(entry + 2)));  // width
        break;
      case 4:
        store_le(entry + 4, near(load_le<std::uint32_t>(entry + 4)));  // items
        break;
      case 5:
        store_le(entry + 16, near(load_le<std::uint64_t>(entry + 16)));  // base
        break;
      case 6:
        change_item(entry, body, offset, length);
        break;
      default:
        resize(bytes, at, chosen, offset, length);
    }
    body = std::span(bytes).subspan(at);
    repair_body(body);
    return true;
  }

  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : dice_() % bound; }

 private:
  // Close by, or one of the edges.
  template <typename Number>
  Number near(Number value) {
    switch (below(6)) {
      case 0:
        return static_cast<Number>(value + 1);
      case 1:
        return static_cast<Number>(value - 1);
      case 2:
        return Number{0};
      case 3:
        return static_cast<Number>(~Number{0});
      case 4:
        return static_cast<Number>(value ^ (Number{1} << below(sizeof(Number) * 8)));
      default:
        return static_cast<Number>(dice_());
    }
  }

  // One item of a packed column, or one byte of anything else.
  void change_item(const std::byte* entry, std::span<std::byte> body, std::size_t offset,
                   std::size_t length) {
    if (offset >= body.size() || length == 0) {
      return;
    }
    const auto section = body.subspan(offset, std::min(length, body.size() - offset));
    const auto codec = load_le<std::uint8_t>(entry + 1);
    const std::size_t width = load_le<std::uint8_t>(entry + 2);
    const std::size_t items = load_le<std::uint32_t>(entry + 4);
    if (codec == static_cast<std::uint8_t>(Codec::ints) && width != 0 && items != 0) {
      const std::size_t item = below(items);
      for (std::size_t bit = item * width; bit < (item + 1) * width && bit / 8 < section.size();
           ++bit) {
        const std::byte mask{static_cast<unsigned char>(1U << bit % 8)};
        section[bit / 8] = below(2) == 0 ? section[bit / 8] | mask : section[bit / 8] & ~mask;
      }
      return;
    }
    std::byte& byte = section[below(section.size())];
    byte = static_cast<std::byte>(near(std::to_integer<std::uint8_t>(byte)));
  }

  // A section grows or shrinks by a few bytes, and its directory entry with it.
  void resize(std::vector<std::byte>& bytes, std::size_t at, std::size_t chosen, std::size_t offset,
              std::size_t length) {
    const std::size_t place = std::min(bytes.size(), at + offset + below(length + 1));
    const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(place);
    const std::size_t count = 1 + below(8);
    const bool grows = below(2) == 0;
    const std::size_t removed = std::min(count, bytes.size() - place);
    if (grows) {
      bytes.insert(here, count, static_cast<std::byte>(dice_()));
    } else {
      bytes.erase(here, here + static_cast<std::ptrdiff_t>(removed));
    }
    std::byte* const entry = bytes.data() + at + body_header_bytes + chosen * section_entry_bytes;
    if (at + body_header_bytes + (chosen + 1) * section_entry_bytes <= bytes.size()) {
      const std::size_t less = std::min(length, removed);
      store_le(entry + 8, static_cast<std::uint32_t>(grows ? length + count : length - less));
    }
  }

  std::mt19937_64 dice_;
};

}  // namespace docket::testing

// What a target's LLVMFuzzerCustomMutator() is made of: every other time one of the bodies that
// `bodies_in` finds in the input is changed, else libFuzzer makes a change of its own.
#ifdef DOCKET_FUZZ_ENGINE
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace docket::testing {

template <typename BodiesIn>
std::size_t mutate_bodies(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed,
                          const BodiesIn& bodies_in) {
  BodyMutator mutator(seed);
  const auto input = std::as_bytes(std::span(data, size));
  std::vector<std::byte> bytes(input.begin(), input.end());
  const std::vector<std::size_t> bodies = bodies_in(std::span<const std::byte>(bytes));
  if (bodies.empty() || mutator.below(2) == 0 ||
      !mutator.mutate(bytes, bodies[mutator.below(bodies.size())]) || bytes.size() > max_size) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::transform(bytes.begin(), bytes.end(), data,
                 [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return bytes.size();
}

}  // namespace docket::testing
#endif
