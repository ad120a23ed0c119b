#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/manual/completion.hpp"

namespace docket::manual {

namespace {

std::string_view kind_of(const ValueText& value) {
  switch (value.kind) {
    case ValueText::Kind::file:
      return "file";
    case ValueText::Kind::directory:
      return "directory";
    case ValueText::Kind::words:
      return "words";
    case ValueText::Kind::word_list:
      return "list";
    case ValueText::Kind::zone:
      return "zone";
    case ValueText::Kind::any:
      break;
  }
  return "any";
}

// `kind=words words='a b'`
std::string settings_of(const ValueText& value) {
  return value.words.empty() ? fmt::format("kind={}", kind_of(value))
                             : fmt::format("kind={} words={}", kind_of(value),
                                           quoted(fmt::format("{}", fmt::join(value.words, " "))));
}

// What a command has at the place of the cursor: the value of the option in front of it, else an
// option or an argument.
std::string branch_of(const CommandText& command, const std::string& pattern) {
  std::string text = fmt::format("    {})\n      case $previous in\n", pattern);
  std::string names;
  for (const OptionText& option : command.options) {
    if (!option.value.name.empty()) {
      text += fmt::format("        {}) {} ;;\n", fmt::join(option.names, "|"),
                          settings_of(option.value));
    }
    names += fmt::format("{}{}", names.empty() ? "" : " ", fmt::join(option.names, " "));
  }
  std::string rest = "kind=any";
  if (!command.commands.empty()) {
    ValueText commands{"COMMAND", ValueText::Kind::words, {}};
    for (const CommandText& each : command.commands) {
      commands.words.push_back(each.name);
    }
    rest = settings_of(commands);
  } else if (!command.arguments.empty()) {
    rest = settings_of(command.arguments.front().value);
  }
  text += fmt::format("        *) options={} {} ;;\n      esac\n      ;;\n", quoted(names), rest);
  return text;
}

constexpr std::string_view tail = R"(  if [[ -n $options && $current == -* ]]; then
    kind=words words=$options
  fi
  COMPREPLY=()
  case $kind in
    directory)
      compopt -o filenames 2> /dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      ;;
    file)
      compopt -o filenames 2> /dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    list)
      # Of a,b,c the last is completed.
      [[ $current == *,* ]] && before=${current%,*},
      mapfile -t COMPREPLY < <(compgen -P "$before" -W "$words" -- "${current##*,}")
      compopt -o nospace 2> /dev/null
      ;;
    zone)
      words=$(cd /usr/share/zoneinfo 2> /dev/null &&
        compgen -G '[A-Z]*/*' && compgen -G '[A-Z]*/*/*')
      mapfile -t COMPREPLY < <(compgen -W "local UTC $words" -- "$current")
      ;;
    words)
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
      [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace 2> /dev/null
      ;;
  esac
  return 0
}
)";

}  // namespace

std::string bash_completion(const CommandText& program) {
  const std::string function = "_" + identifier_of(program.name);
  std::string text = fmt::format(
      "# Completion of {0} for bash, made from its options.\n"
      "{1}() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}\n"
      "  local command= options= words= kind= before= i\n"
      "  # --output=csv is three words here.\n"
      "  if [[ $current == = ]]; then\n"
      "    current=\n"
      "  elif [[ $previous == = ]]; then\n"
      "    previous=${{COMP_WORDS[COMP_CWORD - 2]}}\n"
      "  fi\n",
      program.name, function);
  if (!program.commands.empty()) {
    const std::string valued = names_with_value(program, "|");
    text += "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case ${COMP_WORDS[i]} in\n";
    if (!valued.empty()) {
      text += fmt::format(
          "      {})\n        [[ ${{COMP_WORDS[i + 1]}} == = ]] && ((i++))\n        ((i++))\n"
          "        ;;\n",
          valued);
    }
    text +=
        "      -*) ;;\n      *)\n        command=${COMP_WORDS[i]}\n        break\n        ;;\n"
        "    esac\n  done\n";
  }
  text += "  case $command in\n" + branch_of(program, "''");
  for (const CommandText& command : program.commands) {
    text += branch_of(command, command.name);
  }
  text += "  esac\n";
  text += tail;
  return text + fmt::format("complete -F {} {}\n", function, program.name);
}

}  // namespace docket::manual
