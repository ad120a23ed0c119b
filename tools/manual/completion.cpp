#include "tools/manual/completion.hpp"

#include <algorithm>

namespace docket::manual {

std::string completion_for(std::string_view shell, const CommandText& program) {
  if (shell == "bash") {
    return bash_completion(program);
  }
  if (shell == "zsh") {
    return zsh_completion(program);
  }
  return shell == "fish" ? fish_completion(program) : "";
}

std::string identifier_of(const std::string& program) {
  std::string name = program;
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string names_with_value(const CommandText& command, std::string_view separator) {
  std::string names;
  for (const OptionText& option : command.options) {
    for (const std::string& name : option.names) {
      if (!option.value.name.empty()) {
        names += names.empty() ? "" : separator;
        names += name;
      }
    }
  }
  return names;
}

std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

}  // namespace docket::manual
