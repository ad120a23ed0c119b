#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/manual/completion.hpp"

namespace docket::manual {

namespace {

// In single quotes, where fish knows \' and \\.
std::string fish_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result + "'";
}

// ` -x -a 'table json'`: whether a value is needed, and which.
std::string value_of(const ValueText& value) {
  switch (value.kind) {
    case ValueText::Kind::file:
      return " -r -F";
    case ValueText::Kind::directory:
      return " -x -a '(__fish_complete_directories)'";
    case ValueText::Kind::words:
    case ValueText::Kind::word_list:
      return " -x -a " + fish_quoted(fmt::format("{}", fmt::join(value.words, " ")));
    case ValueText::Kind::zone:
      return " -x -a " + fish_quoted(
                             "local UTC (string replace -r '^/usr/share/zoneinfo/' '' "
                             "/usr/share/zoneinfo/*/** | "
                             "string match -v -r '^(posix|right)/')");
    case ValueText::Kind::any:
      break;
  }
  return " -x";
}

// What is completed once `command` is the command; "" is none yet.
void append_command(std::string& text, const std::string& program, const CommandText& command,
                    const std::string& name) {
  const std::string begin =
      fmt::format("complete -c {} -n {}", program,
                  fish_quoted(fmt::format("__{}_at '{}'", identifier_of(program), name)));
  for (const OptionText& option : command.options) {
    text += begin;
    for (const std::string& each : option.names) {
      text += each.starts_with("--") ? " -l " + each.substr(2) : " -s " + each.substr(1);
    }
    text += option.value.name.empty() ? "" : value_of(option.value);
    text += " -d " + fish_quoted(option.description) + "\n";
  }
  if (!command.arguments.empty()) {
    const ValueText& value = command.arguments.front().value;
    if (value.kind == ValueText::Kind::file) {
      text += begin + " -F\n";
    } else if (!value.words.empty()) {
      text += fmt::format("{} -a {} -d {}\n", begin,
                          fish_quoted(fmt::format("{}", fmt::join(value.words, " "))),
                          fish_quoted(value.name));
    }
  }
  for (const CommandText& each : command.commands) {
    text += fmt::format("{} -a {} -d {}\n", begin, each.name, fish_quoted(each.description));
  }
}

}  // namespace

std::string fish_completion(const CommandText& program) {
  std::string text = fmt::format(
      "# Completion of {0} for fish, made from its options.\n"
      "function __{1}_at --argument-names wanted\n"
      "    set -l words (commandline -opc)\n"
      "    set -l command ''\n"
      "    set -e words[1]\n"
      "    while set -q words[1]\n"
      "        switch $words[1]\n",
      program.name, identifier_of(program.name));
  if (const std::string valued = names_with_value(program, " "); !valued.empty()) {
    text += fmt::format("            case {}\n                set -e words[1]\n", valued);
  }
  text +=
      "            case '-*'\n            case '*'\n                set command $words[1]\n"
      "                break\n        end\n        set -e words[1]\n    end\n"
      "    test \"$command\" = \"$wanted\"\nend\n";
  text += fmt::format("complete -c {} -f\n", program.name);
  append_command(text, program.name, program, "");
  for (const CommandText& command : program.commands) {
    append_command(text, program.name, command, command.name);
  }
  return text;
}

}  // namespace docket::manual
