// What `docket completion` and `docket man` print.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace docket::cli {

// For bash, zsh or fish; empty for another shell. `app` is the whole parser of arguments.
[[nodiscard]] std::string completion_script(const CLI::App& app, const std::string& shell);
// docket(1), or docket-COMMAND(1), or docket-query(7); empty where there is no such topic.
[[nodiscard]] std::string manual_page(const CLI::App& app, const std::string& topic);

}  // namespace docket::cli
