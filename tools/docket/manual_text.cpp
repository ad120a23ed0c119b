#include "tools/docket/manual_text.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "query/parser.hpp"
#include "query/searcher.hpp"
#include "tools/docket/report_plan.hpp"
#include "tools/manual/completion.hpp"
#include "tools/manual/man_page.hpp"
#include "tools/version.hpp"

namespace docket::cli {

namespace {

manual::CommandText described(const CLI::App& app) {
  manual::Vocabulary words{{"SHELL", {"bash", "zsh", "fish"}}, {"TOPIC", {"query"}}};
  for (const std::string_view name : query::field_names()) {
    words["QUERY"].push_back(std::string(name) + ":");
    if (query::parse_facet_field(name)) {
      words["FIELD"].emplace_back(name);
    }
  }
  words["FIELD,…"] = words["FIELD"];
  for (const Report& report : reports()) {
    words["REPORT"].emplace_back(report.name);
  }
  for (const CLI::App* const command : app.get_subcommands({})) {
    words["TOPIC"].push_back(command->get_name());
  }
  return manual::describe(app, words);
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  return manual::completion_for(shell, described(app));
}

std::string manual_page(const CLI::App& app, const std::string& topic) {
  const manual::CommandText program = described(app);
  manual::PageHead head{1, "docket " + std::string(version), "docketd(8), docket-query(7)"};
  if (topic.empty()) {
    return manual::man_page(program, head);
  }
  head.see_also = "docket(1), docketd(8)";
  if (topic == "query") {
    head.section = 7;
    return manual::man_page_of_text("docket-query", "how events are asked for",
                                    query::language_help(), head);
  }
  const auto named = std::ranges::find(program.commands, topic, &manual::CommandText::name);
  return named == program.commands.end() ? "" : manual::man_page_of_command(program, *named, head);
}

}  // namespace docket::cli
