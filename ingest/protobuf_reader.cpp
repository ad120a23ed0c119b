#include "ingest/protobuf_reader.hpp"

namespace docket::ingest {

bool ProtobufReader::take_varint(std::uint64_t& value) {
  constexpr unsigned bits_a_byte = 7;
  constexpr unsigned bits_max = 64;
  value = 0;
  for (unsigned shift = 0; shift < bits_max; shift += bits_a_byte) {
    if (rest_.empty()) {
      return false;
    }
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80U) {
      return true;
    }
  }
  return false;
}

// Little-endian.
bool ProtobufReader::take_fixed(std::size_t bytes) {
  if (rest_.size() < bytes) {
    return false;
  }
  for (std::size_t i = bytes; i > 0; --i) {
    integer_ = integer_ << 8U | static_cast<unsigned char>(rest_[i - 1]);
  }
  rest_.remove_prefix(bytes);
  return true;
}

bool ProtobufReader::next() {
  constexpr std::uint64_t number_max = (std::uint64_t{1} << 29U) - 1;
  if (is_faulty_ || rest_.empty()) {
    return false;
  }
  std::uint64_t tag = 0;
  if (!take_varint(tag) || tag >> 3U == 0 || tag >> 3U > number_max) {
    return fail();
  }
  number_ = static_cast<std::uint32_t>(tag >> 3U);
  type_ = static_cast<Type>(tag & 7U);
  integer_ = 0;
  bytes_ = {};
  switch (type_) {
    case Type::varint:
      return take_varint(integer_) || fail();
    case Type::fixed64:
      return take_fixed(8) || fail();
    case Type::fixed32:
      return take_fixed(4) || fail();
    case Type::bytes: {
      std::uint64_t size = 0;
      if (!take_varint(size) || size > rest_.size()) {
        return fail();
      }
      bytes_ = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
  }
  return fail();
}

}  // namespace docket::ingest
