// What a program's --help says, as data: completions and manual pages are made from it, so that
// they list what the parser takes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace docket::manual {

// What stands behind an option, or as an argument.
struct ValueText {
  // zone: a time zone's name. There are hundreds, which the shell looks up when they are wanted.
  enum class Kind : std::uint8_t { any, file, directory, words, word_list, zone };
  std::string name;  // "DIR", "table|json"; empty: an option that is a flag
  Kind kind = Kind::any;
  std::vector<std::string> words;  // of which one is typed, or several with commas
};

struct OptionText {
  std::vector<std::string> names;  // "-o", "--output"
  std::string description;
  ValueText value;
  bool required = false;
};

struct ArgumentText {
  std::string description;
  ValueText value;
  bool required = false;
  bool repeated = false;
};

struct CommandText {
  std::string name;
  std::string description;
  std::string footer;  // of its own
  std::vector<OptionText> options;
  std::vector<ArgumentText> arguments;
  std::vector<CommandText> commands;
};

// The words that can be typed for a kind of value, by the name that --help has for it: "FIELD".
using Vocabulary = std::map<std::string, std::vector<std::string>>;

// What is hidden from --help is left out. Beside the vocabulary, `a|b` and `{a,b}` are words, and
// names that begin with FILE or DIR are files and directories.
[[nodiscard]] CommandText describe(const CLI::App& app, const Vocabulary& vocabulary);

// "docket search [OPTIONS] [QUERY...]". `program` is what stands in front of the command's name.
[[nodiscard]] std::string usage_of(const CommandText& command, const std::string& program);

}  // namespace docket::manual
