// Writing JSON: commas, escapes and numbers, so that who writes a document says only what is in it.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace docket::load {

// Appends to `out`, which must outlive it. Within an object each value follows its key(). Not
// thread-safe.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name);

  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(bool truth);
  // Six significant digits; null for what is no number.
  void value(double number);
  template <std::integral T>
  void value(T number) {
    separate();
    out_ += std::to_string(number);
  }
  void null();

  template <typename T>
  void member(std::string_view name, const T& what) {
    key(name);
    value(what);
  }

 private:
  void separate();
  void open(char bracket);
  void close(char bracket);

  std::string& out_;
  bool comma_ = false;  // a value stands in front of the next one
};

}  // namespace docket::load
