#include "tools/manual/program_text.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

namespace docket::manual {

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    parts.emplace_back(part);
  }
  return parts;
}

ValueText value_named(const std::string& name, const Vocabulary& vocabulary) {
  using Kind = ValueText::Kind;
  static constexpr std::string_view several = ",…";
  if (const auto known = vocabulary.find(name); known != vocabulary.end()) {
    return {name, name.ends_with(several) ? Kind::word_list : Kind::words, known->second};
  }
  const std::size_t open = name.find('{');
  if (open != std::string::npos && name.ends_with('}')) {
    return {name, Kind::words, split(name.substr(open + 1, name.size() - open - 2), ',')};
  }
  if (name.find('|') != std::string::npos) {
    return {name, Kind::words, split(name, '|')};
  }
  if (name.starts_with("FILE")) {
    return {name, Kind::file, {}};
  }
  if (name == "ZONE") {
    return {name, Kind::zone, {}};
  }
  return {name, name.starts_with("DIR") ? Kind::directory : Kind::any, {}};
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) {
    names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    names.push_back("--" + name);
  }
  return names;
}

}  // namespace

CommandText describe(const CLI::App& app, const Vocabulary& vocabulary) {
  CommandText text{app.get_name(), app.get_description(), app.get_footer(), {}, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) {
      continue;
    }
    if (option->get_positional()) {
      text.arguments.push_back({option->get_description(),
                                value_named(option->get_name(true), vocabulary),
                                option->get_required(), option->get_items_expected_max() > 1});
    } else {
      const bool is_flag = option->get_items_expected_max() == 0;
      text.options.push_back(
          {names_of(*option), option->get_description(),
           is_flag ? ValueText() : value_named(option->get_type_name(), vocabulary),
           option->get_required()});
    }
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) {
      CommandText& added = text.commands.emplace_back(describe(*command, vocabulary));
      if (added.footer == text.footer) {
        added.footer.clear();  // CLI11 hands it down where a command has none of its own
      }
    }
  }
  return text;
}

std::string usage_of(const CommandText& command, const std::string& program) {
  std::string usage = program.empty() ? command.name : program + " " + command.name;
  usage += command.options.empty() ? "" : " [OPTIONS]";
  for (const ArgumentText& argument : command.arguments) {
    const std::string name = argument.value.name + (argument.repeated ? "..." : "");
    usage += argument.required ? " " + name : " [" + name + "]";
  }
  return usage + (command.commands.empty() ? "" : " COMMAND");
}

}  // namespace docket::manual
