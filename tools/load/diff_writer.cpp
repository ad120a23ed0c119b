#include "tools/load/diff_writer.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace docket::load {
namespace {

std::string_view any_of(std::span<const std::string_view> choices, Random& random) {
  return choices[random.below(choices.size())];
}

// One value of the field as JSON text.
void write_value(const DiffField& field, Random& random, TextCursor& out) {
  switch (field.form) {
    case DiffField::Form::number:
      out.number(field.low + random.below(field.steps) * field.step);
      break;
    case DiffField::Form::choice:
      out.text(any_of(field.choices, random));
      break;
    case DiffField::Form::flag:
      out.text(random.one_in(2) ? "true" : "false");
      break;
    case DiffField::Form::words: {
      const std::uint64_t count = field.low + random.below(field.steps);
      out.text("\"");
      for (std::uint64_t i = 0; i < count; ++i) {
        out.text(i == 0 ? "" : " ");
        out.text(any_of(words(), random));
      }
      // Now and then a quotation, so that escapes are met.
      out.text(random.one_in(40) ? " \\\"now\\\"\"" : "\"");
      break;
    }
    case DiffField::Form::address:
      out.text("\"");
      out.text(any_of(words(), random));
      out.text(".");
      out.text(any_of(words(), random));
      out.text("@");
      out.text(any_of(mail_domains(), random));
      out.text("\"");
      break;
  }
}

void write_changes(std::span<const DiffField> fields, std::size_t first, std::size_t count,
                   Random& random, TextCursor& out) {
  out.text(R"({"changes":[)");
  for (std::size_t i = 0; i < count; ++i) {
    const DiffField& field = fields[(first + i) % fields.size()];
    out.text(i == 0 ? R"({"field":")" : R"(,{"field":")");
    out.text(field.name);
    out.text(R"(","old":)");
    write_value(field, random, out);
    out.text(R"(,"new":)");
    write_value(field, random, out);
    out.text("}");
  }
  out.text("]}");
}

void write_before_after(std::span<const DiffField> fields, std::size_t first, std::size_t count,
                        Random& random, TextCursor& out) {
  for (const bool before : {true, false}) {
    out.text(before ? R"({"before":{)" : R"(},"after":{)");
    for (std::size_t i = 0; i < count; ++i) {
      const DiffField& field = fields[(first + i) % fields.size()];
      out.text(i == 0 ? "\"" : ",\"");
      out.text(field.name);
      out.text("\":");
      write_value(field, random, out);
    }
  }
  out.text("}}");
}

}  // namespace

void write_diff(std::uint8_t type, Random& random, TextCursor& out) {
  const std::span<const DiffField> fields = diff_fields(type);
  const std::size_t first = random.below(fields.size());
  if (random.below(100) < 70) {
    write_changes(fields, first, random.one_in(10) ? 4 : 2 + random.below(2), random, out);
  } else {
    write_before_after(fields, first, 3 + random.below(2), random, out);
  }
}

}  // namespace docket::load
