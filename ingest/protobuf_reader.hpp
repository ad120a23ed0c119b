// The wire format of protocol buffers, read field by field
// (https://protobuf.dev/programming-guides/encoding/).
#pragma once

#include <cstdint>
#include <string_view>

namespace docket::ingest {

// Walks over the fields of one message. Allocates nothing; fields of types that proto3 does not
// have (groups) are faults.
class ProtobufReader {
 public:
  enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  // Steps to the next field. False: the end, or a fault.
  [[nodiscard]] bool next();
  // Whether what was read so far breaks the format.
  [[nodiscard]] bool is_faulty() const { return is_faulty_; }

  // Of the field at hand.
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] Type type() const { return type_; }
  // A varint or fixed field's value, 0 for any other.
  [[nodiscard]] std::uint64_t integer() const { return integer_; }
  // A string, bytes or message; empty for any other.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  [[nodiscard]] bool take_varint(std::uint64_t& value);
  [[nodiscard]] bool take_fixed(std::size_t bytes);
  bool fail() {
    is_faulty_ = true;
    return false;
  }

  std::string_view rest_;
  std::uint32_t number_ = 0;
  Type type_ = Type::varint;
  std::uint64_t integer_ = 0;
  std::string_view bytes_;
  bool is_faulty_ = false;
};

}  // namespace docket::ingest
