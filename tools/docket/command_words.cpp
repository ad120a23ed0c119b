#include "tools/docket/command_words.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "query/near_names.hpp"
#include "query/render.hpp"
#include "tools/docket/output_format.hpp"

namespace docket::cli {

namespace {
constexpr char word_mark = '\x01';
}  // namespace

std::string marked_word(const std::string& word) {
  return word_mark + word;
}

std::string unmarked(const std::string& word) {
  return word.starts_with(word_mark) ? word.substr(1) : word;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += text.empty() ? "" : " ";
    text += unmarked(word);
  }
  return text;
}

bool is_option(std::string_view word) {
  static constexpr std::array<std::string_view, 4> short_options{"-f", "-h", "-n", "-o"};
  if (word.starts_with("--") || std::ranges::find(short_options, word) != short_options.end()) {
    return true;
  }
  const std::string_view attached = word.substr(std::min<std::size_t>(word.size(), 2));
  return (word.starts_with("-n") &&
          std::ranges::all_of(attached, [](char c) { return c >= '0' && c <= '9'; })) ||
         (word.starts_with("-o") && find_format(attached).has_value());
}

std::string no_such_command(std::string_view word, const std::vector<std::string>& names) {
  std::string near;
  for (const std::string& name : names) {
    if (query::is_near_name(word, name)) {
      near += (near.empty() ? "; did you mean " : " or ") + name;
    }
  }
  return "there is no command '" + query::terminal_safe(word) + "'" + near +
         (near.empty() ? "" : "?");
}

bool takes_next_word(const CLI::App& app, const std::string& word) {
  const CLI::Option* const option = word.starts_with('-') ? app.get_option_no_throw(word) : nullptr;
  return option != nullptr && option->get_items_expected_max() > 0;
}

void check_command(const CLI::App& app, const std::vector<std::string>& words) {
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    if (takes_next_word(app, *word)) {
      if (++word == words.rend()) {
        return;
      }
    } else if (!word->starts_with('-')) {
      std::vector<std::string> names;
      for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(each->get_name());
      }
      if (std::ranges::find(names, *word) == names.end()) {
        throw CLI::ValidationError("docket", no_such_command(*word, names));
      }
      return;
    }
  }
}

}  // namespace docket::cli
