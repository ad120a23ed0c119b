#include "tests/fuzz/simdjson_payload.hpp"

#include <simdjson.h>

namespace docket::testing {

namespace ondemand = simdjson::ondemand;

namespace {

// Well short of the depth that simdjson only asserts.
constexpr std::size_t depth_max = 512;
static_assert(depth_max + 2 < simdjson::DEFAULT_MAX_DEPTH);

bool is_json_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty() && is_json_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// Every function returns false at the first syntax error; `end` is set to where a value ends.
class Walk {
 public:
  explicit Walk(const char* end) : end_(end) {}

  bool members(ondemand::object& object, const char* start, std::size_t depth, SimdjsonValue& into,
               const char*& end) {
    into.kind = SimdjsonValue::Kind::object;
    const char* last = start + 1;
    for (auto member : object) {
      std::string_view key;
      ondemand::value value;
      SimdjsonValue& child = into.children.emplace_back();
      if (member.unescaped_key().get(key) != simdjson::SUCCESS) {
        return false;
      }
      child.key = key;
      if (member.value().get(value) != simdjson::SUCCESS || !add(value, depth + 1, child, last)) {
        return false;
      }
    }
    return close(start, last, '}', into, end);
  }

 private:
  bool elements(ondemand::array& array, const char* start, std::size_t depth, SimdjsonValue& into,
                const char*& end) {
    into.kind = SimdjsonValue::Kind::array;
    const char* last = start + 1;
    for (auto element : array) {
      ondemand::value value;
      SimdjsonValue& child = into.children.emplace_back();
      if (element.get(value) != simdjson::SUCCESS || !add(value, depth + 1, child, last)) {
        return false;
      }
    }
    return close(start, last, ']', into, end);
  }

  bool add(ondemand::value value, std::size_t depth, SimdjsonValue& into, const char*& end) {
    if (depth > depth_max) {
      return false;
    }
    const std::string_view token = without_trailing_space(value.raw_json_token());
    ondemand::json_type type{};
    if (token.empty() || value.type().get(type) != simdjson::SUCCESS) {
      return false;
    }
    switch (type) {
      case ondemand::json_type::object: {
        ondemand::object object;
        return value.get_object().get(object) == simdjson::SUCCESS &&
               members(object, token.data(), depth, into, end);
      }
      case ondemand::json_type::array: {
        ondemand::array array;
        return value.get_array().get(array) == simdjson::SUCCESS &&
               elements(array, token.data(), depth, into, end);
      }
      case ondemand::json_type::string: {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) {
          return false;
        }
        into.kind = SimdjsonValue::Kind::string;
        into.text = text;
        break;
      }
      default:
        into.text = token;
    }
    into.raw = token;
    end = token.data() + token.size();
    return true;
  }

  // A container ends at the first bracket behind its last child: only white space lies between.
  bool close(const char* start, const char* last, char bracket, SimdjsonValue& into,
             const char*& end) const {
    while (last < end_ && is_json_space(*last)) {
      ++last;
    }
    if (last >= end_ || *last != bracket) {
      return false;
    }
    end = last + 1;
    into.raw = into.text = std::string(start, end);
    return true;
  }

  const char* end_;
};

}  // namespace

std::optional<SimdjsonValue> simdjson_payload(std::string_view payload) {
  if (payload.empty()) {
    return std::nullopt;
  }
  const simdjson::padded_string padded(payload);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  const char* start = padded.data();
  while (is_json_space(*start)) {
    ++start;
  }
  const char* const end = padded.data() + payload.size();
  const char* behind = nullptr;
  SimdjsonValue root;
  if (!Walk(end).members(object, start, 0, root, behind) ||
      !without_trailing_space(std::string_view(behind, static_cast<std::size_t>(end - behind)))
           .empty()) {
    return std::nullopt;
  }
  return root;
}

}  // namespace docket::testing
