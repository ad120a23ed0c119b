// Words of a query and names of files on the command line, which the parser of options must not
// understand: it would take `-ip:10.0.0.0/8` for an option, `export` for a second command, and the
// brackets off `[a]`. They are marked before it sees them, and the mark is taken off afterwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace docket::cli {

[[nodiscard]] std::string marked_word(const std::string& word);
// As it was typed, whether it has the mark or not.
[[nodiscard]] std::string unmarked(const std::string& word);
// The words of a query as one text.
[[nodiscard]] std::string joined(const std::vector<std::string>& words);

// Whether a word is an option and no negated term. A short option of another command is one, too:
// `search -n 5` is a mistake and should not look for 5 where there is no n.
[[nodiscard]] bool is_option(std::string_view word);

// "there is no command 'serach'; did you mean search?": the near ones of `names`, where there are
// some. Fit for a terminal.
[[nodiscard]] std::string no_such_command(std::string_view word,
                                          const std::vector<std::string>& names);

// Whether the word is an option of `app` that has its value in the next word.
[[nodiscard]] bool takes_next_word(const CLI::App& app, const std::string& word);

// Throws CLI::ValidationError where the first word of `words`, which are in reverse order, that
// could name a command of `app` names none: by itself the parser of options would say that a
// command is missing, and not which word is none.
void check_command(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace docket::cli
