// Scripts that make a shell complete a program's commands, options and their values.
#pragma once

#include <string>
#include <string_view>

#include "tools/manual/program_text.hpp"

namespace docket::manual {

// "bash|zsh|fish"
inline constexpr std::string_view shells = "bash|zsh|fish";

// Each is to be put where the shell looks for it (/usr/share/bash-completion/completions/docket,
// /usr/share/zsh/vendor-completions/_docket, /usr/share/fish/vendor_completions.d/docket.fish), or
// to be sourced.
[[nodiscard]] std::string bash_completion(const CommandText& program);
[[nodiscard]] std::string zsh_completion(const CommandText& program);
[[nodiscard]] std::string fish_completion(const CommandText& program);
// Of one of `shells`; empty for another.
[[nodiscard]] std::string completion_for(std::string_view shell, const CommandText& program);

// --- what they share -----------------------------------------------------------------------------

// "docket-load" -> "docket_load", for the names of functions.
[[nodiscard]] std::string identifier_of(const std::string& program);
// The names of the options that have their value in the next word, with `separator` between them.
[[nodiscard]] std::string names_with_value(const CommandText& command, std::string_view separator);
// In single quotes for bash and zsh.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace docket::manual
