// OTLP in protocol buffers. Field numbers are those of opentelemetry/proto/logs/v1/logs.proto and
// its neighbours, which never change.
#include <bit>
#include <string>

#include "ingest/json_text.hpp"
#include "ingest/otlp_reader.hpp"
#include "ingest/protobuf_reader.hpp"

namespace docket::ingest {
namespace {

using Attributes = std::vector<OtlpAttribute>;
using Type = ProtobufReader::Type;

constexpr const char* not_protobuf = "otlp: the body is no protocol buffer of a request";
constexpr const char* too_much = "record: has a value of more than 2 MiB, or 256 attributes";
constexpr const char* too_deep = "record: has a value nested more than 32 deep";

// A record's values as they are read; the first fault is kept.
class Reader {
 public:
  explicit Reader(const OtlpTaker& take) : take_(take) {}

  Result<void> request(std::string_view message);

 private:
  Result<void> resource_logs(std::string_view message);
  Result<void> scope_logs(std::string_view message, const Attributes& resource,
                          const char* resource_fault);
  bool record(std::string_view message);
  bool scope(std::string_view message, OtlpScope& scope);
  bool attributes_of(std::string_view message, std::uint32_t number, Attributes& attributes);
  bool attribute(std::string_view message, Attributes& attributes);
  bool value(std::string_view message, std::string& out, std::size_t depth);
  bool values(std::string_view message, std::string& out, std::size_t depth);
  bool pairs(std::string_view message, std::string& out, std::size_t depth);

  // What a reader has met: false where the bytes are no protocol buffer.
  static bool sound(const ProtobufReader& at) { return !at.is_faulty(); }
  void note(const char* fault) { fault_ = fault_ == nullptr ? fault : fault_; }
  // Whether so much more may be read of the part at hand.
  bool fits(std::size_t bytes) {
    if (bytes_ + bytes > otlp_bytes_max) {
      note(too_much);
    }
    return fault_ == nullptr;
  }

  const OtlpTaker& take_;
  OtlpRecord record_;
  std::size_t bytes_ = 0;        // of JSON, of the part at hand
  const char* fault_ = nullptr;  // of the part at hand
};

bool Reader::values(std::string_view message, std::string& out, std::size_t depth) {
  ProtobufReader at(message);
  const char* separator = "";
  out += '[';
  while (at.next()) {
    if (at.number() == 1 && at.type() == Type::bytes) {
      out += separator;
      separator = ",";
      if (!value(at.bytes(), out, depth + 1)) {
        return false;
      }
    }
  }
  out += ']';
  return sound(at);
}

bool Reader::pairs(std::string_view message, std::string& out, std::size_t depth) {
  ProtobufReader at(message);
  const char* separator = "";
  out += '{';
  while (at.next()) {
    if (at.number() != 1 || at.type() != Type::bytes) {
      continue;
    }
    std::string_view key;
    std::string_view held;
    ProtobufReader pair(at.bytes());
    while (pair.next()) {
      if (pair.type() == Type::bytes && pair.number() <= 2) {
        (pair.number() == 1 ? key : held) = pair.bytes();
      }
    }
    out += separator;
    separator = ",";
    append_json_string(out, key);
    out += ':';
    if (!sound(pair) || !value(held, out, depth + 1)) {
      return false;
    }
  }
  out += '}';
  return sound(at);
}

// An AnyValue. One of nothing is null.
bool Reader::value(std::string_view message, std::string& out, std::size_t depth) {
  if (depth > otlp_depth_max) {
    note(too_deep);
  }
  if (!fits(out.size() + message.size())) {
    out += "null";
    return true;
  }
  const std::size_t begin = out.size();
  ProtobufReader at(message);
  bool is_read = true;
  while (is_read && at.next()) {
    out.resize(begin);  // of one that is set twice the last counts
    const bool is_bytes = at.type() == Type::bytes;
    if (at.number() == 1 && is_bytes) {
      append_json_string(out, at.bytes());
    } else if (at.number() == 2 && at.type() == Type::varint) {
      out += at.integer() != 0 ? "true" : "false";
    } else if (at.number() == 3 && at.type() == Type::varint) {
      out += std::to_string(static_cast<std::int64_t>(at.integer()));
    } else if (at.number() == 4 && at.type() == Type::fixed64) {
      append_otlp_double(out, std::bit_cast<double>(at.integer()));
    } else if (at.number() == 5 && is_bytes) {
      is_read = values(at.bytes(), out, depth);
    } else if (at.number() == 6 && is_bytes) {
      is_read = pairs(at.bytes(), out, depth);
    } else if (at.number() == 7 && is_bytes) {
      append_otlp_base64(out, at.bytes());
    }
  }
  if (out.size() == begin) {
    out += "null";
  }
  return is_read && sound(at);
}

bool Reader::attribute(std::string_view message, Attributes& attributes) {
  std::string key;
  std::string_view held;
  ProtobufReader at(message);
  while (at.next()) {
    if (at.number() == 1 && at.type() == Type::bytes) {
      key = at.bytes();
    } else if (at.number() == 2 && at.type() == Type::bytes) {
      held = at.bytes();
    }
  }
  if (!sound(at)) {
    return false;
  }
  if (attributes.size() == otlp_attributes_max) {
    note(too_much);
  }
  if (!fits(key.size())) {
    return true;
  }
  bytes_ += key.size();
  attributes.push_back({std::move(key), {}});
  std::string& text = attributes.back().value;
  const bool is_read = value(held, text, 1);
  bytes_ += text.size();
  return is_read;
}

bool Reader::attributes_of(std::string_view message, std::uint32_t number, Attributes& attributes) {
  ProtobufReader at(message);
  while (at.next()) {
    if (at.number() == number && at.type() == Type::bytes && !attribute(at.bytes(), attributes)) {
      return false;
    }
  }
  return sound(at);
}

bool Reader::scope(std::string_view message, OtlpScope& scope) {
  ProtobufReader at(message);
  while (at.next()) {
    if (at.type() != Type::bytes) {
      continue;
    }
    if (at.number() == 1 || at.number() == 2) {
      if (fits(at.bytes().size())) {
        bytes_ += at.bytes().size();
        (at.number() == 1 ? scope.name : scope.version) = at.bytes();
      }
    } else if (at.number() == 3 && !attribute(at.bytes(), scope.attributes)) {
      return false;
    }
  }
  return sound(at);
}

bool Reader::record(std::string_view message) {
  ProtobufReader at(message);
  bool is_read = true;
  const auto text = [this](std::string& into, std::string_view bytes) {
    if (fits(bytes.size())) {
      bytes_ += bytes.size();
      into = bytes;
    }
  };
  const auto id = [](std::string& into, std::string_view bytes) {
    constexpr std::size_t id_bytes_max = 16;
    into.clear();
    if (bytes.size() <= id_bytes_max && bytes.find_first_not_of('\0') != std::string_view::npos) {
      append_otlp_hex(into, bytes);
    }
  };
  while (is_read && at.next()) {
    const bool is_bytes = at.type() == Type::bytes;
    if (at.number() == 1 && at.type() == Type::fixed64) {
      record_.time = at.integer();
    } else if (at.number() == 11 && at.type() == Type::fixed64) {
      record_.observed = at.integer();
    } else if (at.number() == 2 && at.type() == Type::varint) {
      record_.severity = static_cast<std::uint32_t>(at.integer());
    } else if (at.number() == 3 && is_bytes) {
      text(record_.severity_text, at.bytes());
    } else if (at.number() == 5 && is_bytes) {
      record_.body.clear();
      is_read = value(at.bytes(), record_.body, 1);
      bytes_ += record_.body.size();
    } else if (at.number() == 6 && is_bytes) {
      is_read = attribute(at.bytes(), record_.attributes);
    } else if (at.number() == 9 && is_bytes) {
      id(record_.trace_id, at.bytes());
    } else if (at.number() == 10 && is_bytes) {
      id(record_.span_id, at.bytes());
    } else if (at.number() == 12 && is_bytes) {
      text(record_.event_name, at.bytes());
    }
  }
  return is_read && sound(at);
}

Result<void> Reader::scope_logs(std::string_view message, const Attributes& resource,
                                const char* resource_fault) {
  OtlpScope of_all;
  bytes_ = 0;
  fault_ = nullptr;
  ProtobufReader first(message);
  while (first.next()) {
    if (first.number() == 1 && first.type() == Type::bytes && !scope(first.bytes(), of_all)) {
      return fail(ErrorCode::invalid_argument, not_protobuf);
    }
  }
  const char* const scope_fault = fault_ != nullptr ? fault_ : resource_fault;
  ProtobufReader at(message);
  while (at.next()) {
    if (at.number() != 2 || at.type() != Type::bytes) {
      continue;
    }
    record_.clear();
    bytes_ = 0;
    fault_ = scope_fault;
    if (!record(at.bytes())) {
      return fail(ErrorCode::invalid_argument, not_protobuf);
    }
    record_.fault = fault_ != nullptr ? fault_ : "";
    DOCKET_TRY(take_(record_, resource, of_all));
  }
  return sound(at) ? Result<void>() : fail(ErrorCode::invalid_argument, not_protobuf);
}

Result<void> Reader::resource_logs(std::string_view message) {
  constexpr std::uint32_t attributes_number = 1;
  Attributes resource;
  bytes_ = 0;
  fault_ = nullptr;
  ProtobufReader first(message);
  while (first.next()) {
    if (first.number() == 1 && first.type() == Type::bytes &&
        !attributes_of(first.bytes(), attributes_number, resource)) {
      return fail(ErrorCode::invalid_argument, not_protobuf);
    }
  }
  const char* const fault = fault_;
  ProtobufReader at(message);
  while (at.next()) {
    if (at.number() == 2 && at.type() == Type::bytes) {
      DOCKET_TRY(scope_logs(at.bytes(), resource, fault));
    }
  }
  return sound(at) ? Result<void>() : fail(ErrorCode::invalid_argument, not_protobuf);
}

Result<void> Reader::request(std::string_view message) {
  ProtobufReader at(message);
  while (at.next()) {
    if (at.number() == 1 && at.type() == Type::bytes) {
      DOCKET_TRY(resource_logs(at.bytes()));
    }
  }
  return sound(at) ? Result<void>() : fail(ErrorCode::invalid_argument, not_protobuf);
}

}  // namespace

Result<void> read_otlp_protobuf(std::string_view body, const OtlpTaker& take) {
  return Reader(take).request(body);
}

}  // namespace docket::ingest
