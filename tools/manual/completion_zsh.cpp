#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/manual/completion.hpp"

namespace docket::manual {

namespace {

// Text within a specification, where brackets and colons have a meaning.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result;
}

// `:DIR:_files -/`
std::string value_of(const ValueText& value) {
  std::string action = " ";
  switch (value.kind) {
    case ValueText::Kind::file:
      action = "_files";
      break;
    case ValueText::Kind::directory:
      action = "_files -/";
      break;
    case ValueText::Kind::word_list:
      action = fmt::format("_values -s , value {}", fmt::join(value.words, " "));
      break;
    case ValueText::Kind::words: {
      // What ends with a colon goes on without a blank.
      const bool goes_on = !value.words.empty() && value.words.front().ends_with(':');
      action = goes_on ? plain(fmt::format("compadd -S '' - {}", fmt::join(value.words, " ")))
                       : "(" + plain(fmt::format("{}", fmt::join(value.words, " "))) + ")";
      break;
    }
    case ValueText::Kind::zone:
      action = "_time_zone";  // zsh has one of its own
      break;
    case ValueText::Kind::any:
      break;
  }
  return fmt::format(":{}:{}", plain(value.name), action);
}

// The arguments of _arguments, each on a line of its own.
std::string specifications(const CommandText& command, std::string_view indent) {
  std::string text;
  const auto add = [&](const std::string& specification) {
    text += fmt::format(" \\\n{}{}", indent, specification);
  };
  for (const OptionText& option : command.options) {
    const std::string names = fmt::format("{}", fmt::join(option.names, " "));
    const std::string rest =
        quoted("[" + plain(option.description) + "]" +
               (option.value.name.empty() ? std::string() : value_of(option.value)));
    // Several names exclude one another, and are written by a brace expansion.
    add(option.names.size() == 1
            ? names + rest
            : fmt::format("'({})'{{{}}}{}", names, fmt::join(option.names, ","), rest));
  }
  for (const ArgumentText& argument : command.arguments) {
    add(quoted((argument.repeated   ? "*"
                : argument.required ? "1"
                                    : "1:") +
               value_of(argument.value)));
  }
  return text;
}

}  // namespace

std::string zsh_completion(const CommandText& program) {
  const std::string function = "_" + identifier_of(program.name);
  std::string text = fmt::format(
      "#compdef {0}\n# Completion of {0} for zsh, made from its options.\n"
      "{1}() {{\n",
      program.name, function);
  if (program.commands.empty()) {
    text += "  _arguments -s -S" + specifications(program, "    ") + "\n";
  } else {
    text += "  local curcontext=$curcontext state line\n  typeset -A opt_args\n";
    text += "  _arguments -C" + specifications(program, "    ");
    text += " \\\n    '(-)1:command:->command' \\\n    '(-)*::argument:->argument'\n";
    text += "  case $state in\n    command)\n      local -a commands=(\n";
    for (const CommandText& command : program.commands) {
      text += fmt::format("        {}\n", quoted(command.name + ":" + plain(command.description)));
    }
    text += "      )\n      _describe -t commands command commands\n      ;;\n";
    text += "    argument)\n      case $line[1] in\n";
    for (const CommandText& command : program.commands) {
      text += fmt::format("        {})\n          _arguments -s -S{}\n          ;;\n", command.name,
                          specifications(command, "            "));
    }
    text += "      esac\n      ;;\n  esac\n";
  }
  // Found by its name, the file is the function's body at first; sourced, it is to be announced.
  return text + fmt::format(
                    "}}\nif [[ $funcstack[1] == {0} ]]; then\n  {0} \"$@\"\nelse\n"
                    "  compdef {0} {1}\nfi\n",
                    function, program.name);
}

}  // namespace docket::manual
