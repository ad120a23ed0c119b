// OTLP in JSON (the "JSON Protobuf Encoding" of the OTLP specification).
#include <algorithm>
#include <charconv>
#include <string>

#include "ingest/json_cursor.hpp"
#include "ingest/json_index.hpp"
#include "ingest/otlp_reader.hpp"

namespace docket::ingest {
namespace {

using Attributes = std::vector<OtlpAttribute>;

constexpr const char* too_much = "record: has a value of more than 2 MiB, or 256 attributes";
constexpr const char* too_deep = "record: has a value nested more than 32 deep";
constexpr const char* no_value = "record: has a value of another form than its name says";
constexpr const char* no_number = "record: has a number of another form";

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

// Faults of the grammar end the reading (false); a value of the wrong form is a fault of its
// record, the first of which is kept.
class Reader {
 public:
  explicit Reader(const OtlpTaker& take) : take_(take) {}

  Result<void> request(std::string_view body);

 private:
  template <typename Each>
  bool members(JsonCursor& at, const Each& each);
  template <typename Each>
  bool items(JsonCursor& at, const Each& each);
  static bool skip(JsonCursor& at) {
    std::string_view raw;
    return at.take_value(raw);
  }

  bool resource_logs(JsonCursor& at);
  bool scope_logs(JsonCursor& at, const Attributes& resource, const char* resource_fault);
  bool scope(JsonCursor& at, OtlpScope& scope);
  bool record(JsonCursor& at);
  bool record_member(JsonCursor& at, std::string_view name);
  bool attributes(JsonCursor& at, Attributes& into);
  bool attribute(JsonCursor& at, Attributes& into);
  bool value(JsonCursor& at, std::string& out, std::size_t depth);
  bool value_member(JsonCursor& at, std::string_view name, std::string& out, std::size_t depth);
  bool values(JsonCursor& at, std::string& out, std::size_t depth, bool are_pairs);
  bool pair(JsonCursor& at, std::string& out, std::size_t depth);

  bool text(JsonCursor& at, std::string& into);
  bool number(JsonCursor& at, std::uint64_t& into);
  bool id(JsonCursor& at, std::string& into);

  void note(const char* fault) { fault_ = fault_ == nullptr ? fault : fault_; }
  bool fits(std::size_t bytes) {
    if (bytes_ + bytes > otlp_bytes_max) {
      note(too_much);
    }
    return fault_ == nullptr;
  }

  const OtlpTaker& take_;
  OtlpRecord record_;
  std::size_t bytes_ = 0;        // of the part at hand
  const char* fault_ = nullptr;  // of the part at hand
  Result<void> taken_;           // what the taker said; an error ends the reading
};

// `each(name, at)` steps over the member's value. What is no object is read over.
template <typename Each>
bool Reader::members(JsonCursor& at, const Each& each) {
  if (!at.take('{')) {
    return skip(at);
  }
  if (at.take('}')) {
    return true;
  }
  std::string name;
  do {
    std::string_view raw;
    name.clear();
    if (!at.take_string(raw) || !append_unescaped(name, raw) || !at.take(':') || !each(name, at)) {
      return false;
    }
  } while (at.take(','));
  return at.take('}');
}

template <typename Each>
bool Reader::items(JsonCursor& at, const Each& each) {
  if (!at.take('[')) {
    return skip(at);
  }
  if (at.take(']')) {
    return true;
  }
  do {
    if (!each(at)) {
      return false;
    }
  } while (at.take(','));
  return at.take(']');
}

bool Reader::text(JsonCursor& at, std::string& into) {
  std::string_view raw;
  if (!at.take_string(raw)) {
    return skip(at);
  }
  if (!fits(raw.size())) {
    return true;
  }
  bytes_ += raw.size();
  into.clear();
  if (!append_unescaped(into, raw)) {
    into.clear();
    note(no_value);
  }
  return true;
}

// A whole number, as it is or in a string: 64 bits do not fit what JavaScript counts with.
bool Reader::number(JsonCursor& at, std::uint64_t& into) {
  std::string_view raw;
  if (!at.take_string(raw) && !at.take_value(raw)) {
    return false;
  }
  if (raw == "null") {
    return true;
  }
  const auto [end, fault] = std::from_chars(raw.data(), raw.data() + raw.size(), into);
  if (fault != std::errc{} || end != raw.data() + raw.size()) {
    into = 0;
    note(no_number);
  }
  return true;
}

bool Reader::id(JsonCursor& at, std::string& into) {
  constexpr std::size_t digits_max = 32;
  std::string_view raw;
  if (!at.take_string(raw)) {
    return skip(at);
  }
  into.clear();
  if (raw.size() <= digits_max && is_hex(raw) &&
      raw.find_first_not_of('0') != std::string_view::npos) {
    std::ranges::transform(raw, std::back_inserter(into), [](char c) {
      return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  }
  return true;
}

bool Reader::pair(JsonCursor& at, std::string& out, std::size_t depth) {
  std::string key = "\"\"";
  std::string held;
  const bool is_read = members(at, [&](std::string_view name, JsonCursor& member) {
    std::string_view raw;
    if (name == "key" && member.peek() == '"') {
      if (!member.take_string(raw) || !has_valid_escapes(raw)) {
        return false;
      }
      key.assign(1, '"').append(raw).append(1, '"');
      return true;
    }
    held.clear();
    return name == "value" ? value(member, held, depth) : skip(member);
  });
  out += key;
  out += ':';
  out += held.empty() ? "null" : held;
  return is_read;
}

// `{"values":[...]}`.
bool Reader::values(JsonCursor& at, std::string& out, std::size_t depth, bool are_pairs) {
  std::string inner;
  const bool is_read = members(at, [&](std::string_view name, JsonCursor& member) {
    if (name != "values") {
      return skip(member);
    }
    inner.clear();
    return items(member, [&](JsonCursor& item) {
      inner += inner.empty() ? "" : ",";
      return fits(out.size() + inner.size())
                 ? (are_pairs ? pair(item, inner, depth + 1) : value(item, inner, depth + 1))
                 : skip(item);
    });
  });
  out += are_pairs ? '{' : '[';
  out += inner;
  out += are_pairs ? '}' : ']';
  return is_read;
}

bool Reader::value_member(JsonCursor& at, std::string_view name, std::string& out,
                          std::size_t depth) {
  std::string_view raw;
  if (name == "arrayValue" || name == "kvlistValue") {
    return values(at, out, depth, name == "kvlistValue");
  }
  if (at.peek() == '"') {
    if (!at.take_string(raw) || !has_valid_escapes(raw)) {
      return false;
    }
    if (!fits(out.size() + raw.size())) {
      return true;
    }
    const bool is_text = name == "stringValue" || name == "bytesValue" || name == "doubleValue";
    if (is_text || (name == "intValue" && is_json_number(raw))) {
      out += is_text ? "\"" : "";
      out += raw;
      out += is_text ? "\"" : "";
    } else if (name == "intValue" || name == "boolValue") {
      note(no_value);
    }
    return true;
  }
  if (!at.take_value(raw)) {
    return false;
  }
  const bool is_known = name == "stringValue" || name == "bytesValue" || name == "boolValue" ||
                        name == "intValue" || name == "doubleValue";
  if (!is_known || raw == "null") {
    return true;
  }
  const bool is_right = name == "boolValue"
                            ? raw == "true" || raw == "false"
                            : name != "stringValue" && name != "bytesValue" && is_json_number(raw);
  if (!is_right) {
    note(no_value);
  } else if (fits(out.size() + raw.size())) {
    out += raw;
  }
  return true;
}

// An AnyValue. One of nothing is null.
bool Reader::value(JsonCursor& at, std::string& out, std::size_t depth) {
  if (depth > otlp_depth_max) {
    note(too_deep);
  }
  if (fault_ != nullptr || at.peek() != '{') {
    out += "null";
    return skip(at);
  }
  const std::size_t begin = out.size();
  const bool is_read = members(at, [&](std::string_view name, JsonCursor& member) {
    out.resize(begin);  // of one that is set twice the last counts
    return value_member(member, name, out, depth);
  });
  if (out.size() == begin) {
    out += "null";
  }
  return is_read;
}

bool Reader::attribute(JsonCursor& at, Attributes& into) {
  OtlpAttribute made;
  const bool is_read = members(at, [&](std::string_view name, JsonCursor& member) {
    if (name == "key") {
      return text(member, made.key);
    }
    made.value.clear();
    return name == "value" ? value(member, made.value, 1) : skip(member);
  });
  made.value += made.value.empty() ? "null" : "";
  if (into.size() == otlp_attributes_max) {
    note(too_much);
  } else if (fits(made.value.size())) {
    bytes_ += made.value.size();
    into.push_back(std::move(made));
  }
  return is_read;
}

bool Reader::attributes(JsonCursor& at, Attributes& into) {
  return items(at, [&](JsonCursor& item) { return attribute(item, into); });
}

bool Reader::scope(JsonCursor& at, OtlpScope& scope) {
  return members(at, [&](std::string_view name, JsonCursor& member) {
    if (name == "name" || name == "version") {
      return text(member, name == "name" ? scope.name : scope.version);
    }
    return name == "attributes" ? attributes(member, scope.attributes) : skip(member);
  });
}

bool Reader::record_member(JsonCursor& at, std::string_view name) {
  if (name == "timeUnixNano") {
    return number(at, record_.time);
  }
  if (name == "observedTimeUnixNano") {
    return number(at, record_.observed);
  }
  if (name == "severityNumber") {
    std::uint64_t severity = 0;
    const bool is_read = number(at, severity);
    record_.severity = static_cast<std::uint32_t>(severity);
    return is_read;
  }
  if (name == "severityText") {
    return text(at, record_.severity_text);
  }
  if (name == "eventName") {
    return text(at, record_.event_name);
  }
  if (name == "body") {
    record_.body.clear();
    const bool is_read = value(at, record_.body, 1);
    bytes_ += record_.body.size();
    return is_read;
  }
  if (name == "attributes") {
    return attributes(at, record_.attributes);
  }
  if (name == "traceId") {
    return id(at, record_.trace_id);
  }
  return name == "spanId" ? id(at, record_.span_id) : skip(at);
}

bool Reader::record(JsonCursor& at) {
  return members(at, [this](std::string_view name, JsonCursor& member) {
    return record_member(member, name);
  });
}

// Members may come in any order, so the scope is looked for before the records are read.
bool Reader::scope_logs(JsonCursor& at, const Attributes& resource, const char* resource_fault) {
  OtlpScope of_all;
  bytes_ = 0;
  fault_ = nullptr;
  JsonCursor first = at;
  const bool is_found = members(first, [&](std::string_view name, JsonCursor& member) {
    return name == "scope" ? scope(member, of_all) : skip(member);
  });
  const char* const scope_fault = fault_ != nullptr ? fault_ : resource_fault;
  return is_found && members(at, [&](std::string_view name, JsonCursor& member) {
           if (name != "logRecords") {
             return skip(member);
           }
           return items(member, [&](JsonCursor& item) {
             record_.clear();
             bytes_ = 0;
             fault_ = scope_fault;
             if (!record(item)) {
               return false;
             }
             record_.fault = fault_ != nullptr ? fault_ : "";
             taken_ = take_(record_, resource, of_all);
             return taken_.has_value();
           });
         });
}

bool Reader::resource_logs(JsonCursor& at) {
  Attributes resource;
  bytes_ = 0;
  fault_ = nullptr;
  JsonCursor first = at;
  const bool is_found = members(first, [&](std::string_view name, JsonCursor& member) {
    if (name != "resource") {
      return skip(member);
    }
    return members(member, [&](std::string_view inner, JsonCursor& said) {
      return inner == "attributes" ? attributes(said, resource) : skip(said);
    });
  });
  const char* const fault = fault_;
  return is_found && members(at, [&](std::string_view name, JsonCursor& member) {
           return name == "scopeLogs"
                      ? items(member,
                              [&](JsonCursor& item) { return scope_logs(item, resource, fault); })
                      : skip(member);
         });
}

Result<void> Reader::request(std::string_view body) {
  JsonIndex index;
  if (const char* fault = index.build(body)) {
    return fail(ErrorCode::invalid_argument, std::string("otlp: json: ") + fault);
  }
  JsonCursor at(body, index.positions());
  const bool is_read =
      at.peek() == '{' && members(at, [&](std::string_view name, JsonCursor& member) {
        return name == "resourceLogs"
                   ? items(member, [&](JsonCursor& item) { return resource_logs(item); })
                   : skip(member);
      });
  DOCKET_TRY(taken_);
  if (!is_read || !at.at_end()) {
    return fail(ErrorCode::invalid_argument,
                "otlp: json: is no request, at byte " + std::to_string(at.fault_at()));
  }
  return {};
}

}  // namespace

Result<void> read_otlp_json(std::string_view body, const OtlpTaker& take) {
  return Reader(take).request(body);
}

}  // namespace docket::ingest
