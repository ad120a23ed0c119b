// The options of the commands that send events, import and forward; and what theirs and others'
// values are checked by.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/docket/arguments.hpp"

namespace docket::cli {

// An empty value is a variable of a script that was not set, and must not be taken for no option.
[[nodiscard]] CLI::Validator not_empty();

void add_import_options(CLI::App& app, Arguments& arguments);
void add_forward_options(CLI::App& app, Arguments& arguments);

}  // namespace docket::cli
