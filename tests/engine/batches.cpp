#include "tests/engine/batches.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/bytes.hpp"
#include "tests/fuzz/repair.hpp"

namespace docket::testing {

Event plain_event(std::uint64_t n) {
  Event event;
  event.ts = 1'777'000'000'000'000'000 + static_cast<Nanos>(n) * 1'000'000;
  event.actor = {n % 5 == 0 ? "admin" : "user", std::to_string(n % 7),
                 "Person " + std::to_string(n % 7), n % 2 == 0 ? "owner" : ""};
  event.verb = n % 3 == 0 ? "DELETE" : "EDIT";
  event.target = {"Contact", "c-" + std::to_string(n), "Contact " + std::to_string(n)};
  if (n % 3 == 0) {
    event.payload = R"({"n":)" + std::to_string(n) + "}";
  }
  if (n % 4 == 0) {
    event.related = {{"List", "list-" + std::to_string(n % 11), "A list"}, event.target};
  }
  if (n % 2 == 0) {
    event.ip = parse_ip("10.0.0." + std::to_string(n % 250));
    event.session = "s" + std::to_string(n % 13);
  }
  event.affected = n % 10 == 0 ? n + 2 : 1;
  event.outcome = static_cast<Outcome>(n % 3);
  event.reason = n % 3 == 2 ? "rate_limited" : "";
  return event;
}

std::vector<Event> plain_events(std::uint64_t count, std::uint64_t from) {
  std::vector<Event> events;
  for (std::uint64_t n = from; n < from + count; ++n) {
    events.push_back(plain_event(n));
  }
  return events;
}

EncodedBatch encode(const std::vector<Event>& events) {
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (const Event& event : events) {
    builder.add(view_of(event, related));
  }
  return builder.finish();
}

std::vector<Event> events_of(std::span<const std::byte> body) {
  std::vector<Event> events;
  const auto decoded = decode_batch(body, [&events](const Event& e) { events.push_back(e); });
  EXPECT_TRUE(decoded) << decoded.error().describe();
  return events;
}

bool looks_like_object(std::string_view payload) {
  return payload.size() >= 2 && payload.front() == '{' && payload.back() == '}' && is_utf8(payload);
}

LooseSection& LooseBody::operator[](Section section) {
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [section](const auto& s) { return s.entry.section == section; });
  EXPECT_NE(found, sections.end()) << "no section " << static_cast<int>(section);
  return *found;
}

void LooseBody::remove(Section section) {
  std::erase_if(sections, [section](const auto& s) { return s.entry.section == section; });
}

void LooseBody::insert(LooseSection section) {
  const auto after = std::find_if(sections.begin(), sections.end(), [&section](const auto& s) {
    return s.entry.section >= section.entry.section;
  });
  sections.insert(after, std::move(section));
}

LooseBody take_apart(std::span<const std::byte> body) {
  const auto directory = parse_directory(body);
  EXPECT_TRUE(directory) << directory.error().describe();
  LooseBody loose;
  loose.rows = directory->rows;
  for (const SectionEntry& entry : directory->entries) {
    const auto bytes = body.subspan(entry.offset, entry.bytes);
    loose.sections.push_back({entry, {bytes.begin(), bytes.end()}});
  }
  return loose;
}

std::vector<std::byte> put_together(const LooseBody& body) {
  std::vector<std::byte> out;
  append_le(out, body.rows);
  append_le(out, static_cast<std::uint16_t>(body.sections.size()));
  append_le(out, std::uint16_t{0});
  for (const LooseSection& section : body.sections) {
    const SectionEntry& entry = section.entry;
    append_le(out, static_cast<std::uint8_t>(entry.section));
    append_le(out, static_cast<std::uint8_t>(entry.codec));
    append_le(out, entry.width);
    append_le(out, entry.scale_exponent);
    append_le(out, entry.items);
    append_le(out, static_cast<std::uint32_t>(section.bytes.size()));
    append_le(out, std::uint32_t{0});
    append_le(out, entry.base);
  }
  for (const LooseSection& section : body.sections) {
    append_bytes(out, section.bytes);
  }
  repair_checksums(out);
  return out;
}

void repair_checksums(std::span<std::byte> body) {
  repair_body(body);
}

LooseSection ints_section(Section section, const std::vector<std::uint64_t>& values) {
  LooseSection out;
  out.entry.section = section;
  out.entry.items = static_cast<std::uint32_t>(values.size());
  std::uint64_t most = 0;
  for (const std::uint64_t value : values) {
    most = std::max(most, value);
  }
  out.entry.width = static_cast<std::uint8_t>(bits_for(most));
  pack_bits(std::span<const std::uint64_t>(values), out.entry.width, out.bytes);
  return out;
}

LooseSection strings_section(Section section, const std::vector<std::string>& strings) {
  std::vector<std::uint32_t> lengths;
  std::string all;
  for (const std::string& text : strings) {
    lengths.push_back(static_cast<std::uint32_t>(text.size()));
    all += text;
  }
  LooseSection out;
  out.entry = encode_strings(lengths, as_byte_span(all), out.bytes);
  out.entry.section = section;
  return out;
}

void flip_bit(std::span<std::byte> bytes, std::size_t bit) {
  bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
}

}  // namespace docket::testing
