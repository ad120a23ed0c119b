// docket-load write: the generated events as NDJSON.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "tools/load/commands.hpp"
#include "tools/load/ndjson_writer.hpp"

namespace docket::load {

int report_failure(const std::string& message) {
  fmt::print(stderr, "docket-load: {}\n", message);
  return 1;
}

int run_write(const WriteCommand& command) {
  const auto close = [](std::FILE* file) { static_cast<void>(std::fclose(file)); };
  std::unique_ptr<std::FILE, decltype(close)> file(nullptr, close);
  if (!command.out.empty()) {
    file.reset(std::fopen(command.out.c_str(), "we"));
    if (file == nullptr) {
      return report_failure(fmt::format("{}: {}", command.out, std::strerror(errno)));
    }
  }
  std::FILE* const out = file != nullptr ? file.get() : stdout;
  const Generator generator(command.events);
  GeneratedEvent room;
  std::string lines;
  for (std::uint64_t i = 0; i < command.events.events; ++i) {
    generator.make(i, room);
    append_ndjson(lines, room.log(), room.event);
    if (lines.size() >= (std::size_t{1} << 20) || i + 1 == command.events.events) {
      if (std::fwrite(lines.data(), 1, lines.size(), out) != lines.size()) {
        return report_failure(fmt::format("writing: {}", std::strerror(errno)));
      }
      lines.clear();
    }
  }
  if (std::fflush(out) != 0) {
    return report_failure(fmt::format("writing: {}", std::strerror(errno)));
  }
  return 0;
}

}  // namespace docket::load
