// Batches for the tests of the engine: from events to bytes and back, and bytes changed on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/batch.hpp"
#include "engine/event.hpp"
#include "engine/section.hpp"

namespace docket::testing {

// A time of receipt that RandomEvents' events are not in the future of.
inline constexpr Nanos receipt_time = 1'800'000'000'000'000'000;

// A small valid event; different for each `n`, with a payload where n is a multiple of 3 and two
// related targets where it is one of 4.
[[nodiscard]] Event plain_event(std::uint64_t n);
[[nodiscard]] std::vector<Event> plain_events(std::uint64_t count, std::uint64_t from = 0);

[[nodiscard]] EncodedBatch encode(const std::vector<Event>& events);
// Fails the test where the body cannot be decoded.
[[nodiscard]] std::vector<Event> events_of(std::span<const std::byte> body);
// Accepts UTF-8 that starts with '{' and ends with '}': enough for these tests.
[[nodiscard]] bool looks_like_object(std::string_view payload);

// A body taken apart, so that a test can make it lie.
struct LooseSection {
  SectionEntry entry;
  std::vector<std::byte> bytes;
};
struct LooseBody {
  std::uint32_t rows = 0;
  std::vector<LooseSection> sections;

  // The section must be there.
  [[nodiscard]] LooseSection& operator[](Section section);
  void remove(Section section);
  // Puts it where it belongs in the order; sets sizes and leaves the rest of the entry as it is.
  void insert(LooseSection section);
};
[[nodiscard]] LooseBody take_apart(std::span<const std::byte> body);
// With checksums and byte counts that match, whatever else may be wrong.
[[nodiscard]] std::vector<std::byte> put_together(const LooseBody& body);
// Makes the checksums of sections and chunks match as far as the directory can be followed.
void repair_checksums(std::span<std::byte> body);

// Sections of one kind each. `codec` follows from the content.
[[nodiscard]] LooseSection ints_section(Section section, const std::vector<std::uint64_t>& values);
[[nodiscard]] LooseSection strings_section(Section section,
                                           const std::vector<std::string>& strings);

void flip_bit(std::span<std::byte> bytes, std::size_t bit);

}  // namespace docket::testing
